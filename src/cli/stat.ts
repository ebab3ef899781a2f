import { listFiles } from "../client/list.ts";
import { askStat } from "../client/questions.ts";
import { isUnknownToPeer, PeerError } from "../net/peer_errors.ts";
import { errors } from "../protocol/errors.ts";
import { askRing } from "./ask_ring.ts";
import type { CliContext } from "./cli_context.ts";
import { type ClientContext, clientContext } from "./client_context.ts";
import type { StatOptions } from "./client_options.ts";
import { print, showName } from "./output.ts";
import { type Paint, terminalOf } from "./terminal.ts";

/** `ouroboros stat`: the record of a file and the state of every copy. */
export async function stat(options: StatOptions, context: CliContext): Promise<number> {
  const { name, json } = options;
  using client = clientContext(options, context);
  const text = await askStatOfAny(client, name);
  print(json ? statJson(text) : paintStat(text, terminalOf("stdout").paint));
  return 0;
}

/** An original node knows of a file what its list says. */
async function askStatOfAny(client: ClientContext, name: string): Promise<string> {
  const doing = `show ${showName(name)}`;
  const text = await askRing(client, doing, async (peer) => {
    try {
      return await askStat(peer, name);
    } catch (error) {
      if (isUnknownToPeer(error)) return undefined;
      throw error;
    }
  });
  if (text !== undefined) return text;
  return await askRing(client, doing, async (peer) => {
    const file = (await listFiles(peer)).find((file) => file.name === name);
    if (file === undefined) throw new PeerError(peer.address, errors.fileNotFound);
    return `name: ${file.name}\nsize: ${file.size}\nstart: ${file.start}\n`;
  });
}

/** Copies that are well in green, those that are not in red. */
function paintStat(text: string, paint: Paint): string {
  return text.replace(
    /^part \d+: .*$/gm,
    (line) =>
      line.replace(
        / (ok|missing|damaged|unknown)(?=,|$)/g,
        (_, state: string) =>
          ` ${paint(state === "ok" ? "green" : state === "unknown" ? "yellow" : "red", state)}`,
      ),
  );
}

/**
 * The `key: value` lines of a file as one JSON object. The copies of each part come as a list of nodes
 * and states.
 *
 * @example
 * ```ts
 * import { statJson } from "./stat.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(JSON.parse(statJson("name: a\nsize: 5\nparts: 1\npart 1: h:1 ok, h:2 missing\n")), {
 *   name: "a",
 *   size: 5,
 *   parts: [[{ node: "h:1", state: "ok" }, { node: "h:2", state: "missing" }]],
 * });
 * ```
 */
export function statJson(text: string): string {
  const fields: Record<string, unknown> = {};
  const parts: unknown[] = [];
  for (const line of text.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon < 0) continue;
    const [key, value] = [line.slice(0, colon), line.slice(colon + 2)];
    if (key.startsWith("part ")) {
      parts.push(
        value.split(", ").map((copy) => {
          const [node, state] = copy.split(" ");
          return { node, state };
        }),
      );
    } else if (key === "parts") fields[key] = parts;
    else fields[key] = key === "size" ? Number(value) : value;
  }
  return JSON.stringify(fields, null, 2) + "\n";
}
