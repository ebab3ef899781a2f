import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { CommandSpec } from "../../src/cli/command_spec.ts";
import { commands, isCommandName } from "../../src/cli/commands.ts";
import { commandHelp, programHelp } from "../../src/cli/help.ts";

const names = Object.keys(commands).filter(isCommandName);

Deno.test("programHelp() names every command with its summary", () => {
  const help = programHelp();
  for (const name of names) {
    assert(help.split("\n").some((line) => line.startsWith(`  ${name}`)), name);
    assertStringIncludes(help, commands[name].summary);
  }
});

Deno.test("commandHelp() shows every flag but the hidden ones", () => {
  for (const name of names) {
    const help = commandHelp(name);
    const { flags }: CommandSpec = commands[name];
    for (const [flag, { hidden, short }] of Object.entries(flags)) {
      const shown = new RegExp(`^  (-\\w, )?--${flag}( |$)`, "m").test(help);
      assertEquals(shown, hidden !== true, `${name} --${flag}`);
      if (shown && short !== undefined) assertStringIncludes(help, `-${short}, --${flag}`);
    }
    assertStringIncludes(help, "-h, --help");
  }
});

Deno.test("help fits a terminal", () => {
  for (const text of [programHelp(), ...names.map(commandHelp)]) {
    for (const line of text.split("\n")) assert(line.length <= 100, `too wide: ${line}`);
    assert(text.endsWith("\n"));
  }
});

Deno.test("flags have one short form each", () => {
  for (const name of names) {
    const { flags }: CommandSpec = commands[name];
    const shorts = Object.values(flags).map(({ short }) => short).filter((short) => short);
    assertEquals(new Set(shorts).size, shorts.length, name);
    assert(!shorts.includes("h"), `${name}: -h is help`);
  }
});
