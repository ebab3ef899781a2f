import type { CommandSpec } from "./command_spec.ts";
import { commands } from "./commands.ts";
import type { Completion } from "./flag.ts";

/** A subcommand as a completion script needs it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** What its operands are completed with; nothing for names in the ring, which only the ring knows. */
  readonly operand: Completion | undefined;
}

/** A flag as a completion script needs it. */
export interface CompletedFlag {
  readonly name: string;
  readonly short: string | undefined;
  readonly help: string;
  /** What stands for its value; none for a switch. */
  readonly placeholder: string | undefined;
  readonly completes: Completion | undefined;
}

/** Every subcommand with the flags that its help shows, and `--help`. */
export function completionTable(): CompletedCommand[] {
  return Object.entries(commands).map(([name, spec]: readonly [string, CommandSpec]) => ({
    name,
    summary: spec.summary,
    operand: spec.operands[0]?.completes,
    flags: [
      ...Object.entries(spec.flags)
        .filter(([, flag]) => flag.hidden !== true)
        .map(([name, { short, help, placeholder, completes }]) => ({
          name,
          short,
          help,
          placeholder,
          completes,
        })),
      {
        name: "help",
        short: "h",
        help: "show the help",
        placeholder: undefined,
        completes: undefined,
      },
    ],
  }));
}

/** A text for a shell, in single quotes. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
