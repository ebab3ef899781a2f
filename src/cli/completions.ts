import type { CompletionsOptions } from "./client_options.ts";
import { print } from "./output.ts";
import { bashCompletions } from "./completions_bash.ts";
import { fishCompletions } from "./completions_fish.ts";
import { zshCompletions } from "./completions_zsh.ts";

/** `ouroboros completions SHELL`: a script for the shell, made from the table of commands. */
export function completions({ shell }: CompletionsOptions): number {
  switch (shell) {
    case "bash":
      print(bashCompletions());
      return 0;
    case "zsh":
      print(zshCompletions());
      return 0;
    case "fish":
      print(fishCompletions());
      return 0;
  }
}
