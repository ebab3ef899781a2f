/**
 * What scripts/deploy/ tells the program is a command line that it takes: a flag that gets another name
 * must not be noticed by whoever starts a service first.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { parseInvocation } from "../../src/cli/args.ts";
import { readConfigFile } from "../../src/cli/config_file.ts";

const deploy = new URL("../../scripts/deploy/", import.meta.url);
const program = "/usr/local/bin/ouroboros";

/** What a command line asks for; configurations in /etc are those beside the units. */
function kindOf(argv: readonly string[]): string {
  return parseInvocation(argv, {
    env: () => undefined,
    readConfig: (path) =>
      readConfigFile(fileURLToPath(new URL(path.replace("/etc/ouroboros/", "systemd/"), deploy))),
  }).kind;
}

Deno.test("the systemd units start a ring and a gateway, with the configurations beside them", async () => {
  for (const [unit, kind] of [["ouroboros", "set-network"], ["ouroboros-gateway", "gateway"]]) {
    const text = await Deno.readTextFile(new URL(`systemd/${unit}.service`, deploy));
    const [, line = ""] = new RegExp(`^ExecStart=${program} (.+)$`, "m").exec(text) ?? [];
    assertEquals(kindOf(line.split(" ")), kind);
  }
});

Deno.test("the image, compose and Kubernetes give the program command lines that it takes", async () => {
  const expected = new Map([
    ["docker/Dockerfile", ["set-network"]],
    ["docker/compose.yaml", ["gateway", "set-network", "status", "status"]],
    ["kubernetes/ouroboros.yaml", ["gateway", "set-network", "status", "status"]],
  ]);
  for (const [file, kinds] of expected) {
    const text = await Deno.readTextFile(new URL(file, deploy));
    const commandLines = [...listsInLine(text), ...listsInBlock(text)];
    assertEquals(commandLines.map(kindOf).sort(), kinds, file);
  }
});

/** Command lines as a JSON list in one line, with the program or another word before them. */
function listsInLine(text: string): string[][] {
  const lists = text.matchAll(/^\s*(?:CMD|args:|command:|test:) (\[.*\])$/gm);
  return Array.from(lists, ([, json = ""]): string[] => {
    const words: string[] = JSON.parse(json);
    return words.slice(words.indexOf(program) + 1);
  });
}

/** Command lines as a YAML list, an argument a line, comments between them. */
function listsInBlock(text: string): string[][] {
  const blocks = text.matchAll(/^ *(?:args|command):\n((?: +(?:- |#).*\n)+)/gm);
  return Array.from(
    blocks,
    ([, block = ""]) => Array.from(block.matchAll(/^ +- (.*)$/gm), ([, word = ""]) => word),
  );
}
