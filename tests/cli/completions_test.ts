import { assert, assertEquals } from "@std/assert";
import { toText } from "@std/streams/to-text";
import type { CommandSpec } from "../../src/cli/command_spec.ts";
import { commands } from "../../src/cli/commands.ts";
import { bashCompletions } from "../../src/cli/completions_bash.ts";
import { fishCompletions } from "../../src/cli/completions_fish.ts";
import { zshCompletions } from "../../src/cli/completions_zsh.ts";

/** Asks bash, as readline does, for each command line; the last word is the one to complete. */
async function complete(cwd: string, lines: readonly (readonly string[])[]): Promise<string[][]> {
  const script = [
    bashCompletions(),
    "ask() {",
    '  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()',
    "  _ouroboros",
    '  printf "%s\\n" "${COMPREPLY[@]}" --end--',
    "}",
    ...lines.map((words) => `ask ${words.map((word) => `'${word}'`).join(" ")}`),
  ].join("\n");
  const child = new Deno.Command("bash", {
    args: ["--norc", "-u", "-c", script],
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [stdout, stderr, { code }] = await Promise.all([
    toText(child.stdout),
    toText(child.stderr),
    child.status,
  ]);
  assertEquals([code, stderr], [0, ""]);
  return stdout.split("--end--\n").slice(0, -1).map((text) =>
    text.split("\n").filter((line) => line !== "").sort()
  );
}

Deno.test({
  name: "bash completes commands, flags, words and files by the table of commands",
  ignore: Deno.build.os === "windows",
  async fn() {
    const cwd = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${cwd}/it is.txt`, "");
      await Deno.mkdir(`${cwd}/it dir`);
      const program = "ouroboros";
      const answers = await complete(cwd, [
        [program, "s"],
        [program, "push", "--re"],
        [program, "set-network", "--durability", ""],
        [program, "set-network", "--durability", "=", "re"],
        [program, "push", "it"],
        [program, "set-network", "--data-dir", "it"],
        [program, "pull", "it"],
        [program, "push", "--retry", ""],
        [program, "completions", ""],
        [program, "help", "hea"],
        [program, "nonsense", ""],
      ]);
      assertEquals(answers, [
        ["scrub", "set-network", "stat", "status", "stop"],
        ["--retry"],
        ["fsync", "relaxed"],
        ["relaxed"],
        ["it dir", "it is.txt"],
        ["it dir"],
        [],
        [],
        ["bash", "fish", "zsh"],
        ["heal"],
        [],
      ]);
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
});

Deno.test("every shell knows every command and every flag that the help shows", () => {
  for (const text of [bashCompletions(), zshCompletions(), fishCompletions()]) {
    for (const [name, { flags }] of Object.entries(commands) as [string, CommandSpec][]) {
      assert(text.includes(name), name);
      for (const [flag, { hidden }] of Object.entries(flags)) {
        const isThere = new RegExp(`(--|-l )${flag}\\b`).test(text);
        if (hidden !== true) assert(isThere, `--${flag}`);
      }
    }
    assertEquals(text.includes("test-hooks"), false);
  }
});
