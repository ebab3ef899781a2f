/**
 * Bytes that no client sends, on the ports of nodes and gateway: whatever comes, the process stays, its
 * memory too, the next command is answered, and what is stored stays as it is.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Command, CommandKind } from "../../../src/protocol/command.ts";
import { formatCommand } from "../../../src/protocol/format.ts";
import { decodeLine, parseCommand } from "../../../src/protocol/parse.ts";
import { randomCommands } from "../../protocol/samples.ts";
import { bytesOf } from "../line_client.ts";
import { bearNoise, edit, encoder } from "../fuzz.ts";
import { askText, liveRing } from "../live_ring.ts";
import type { SeededRandom } from "../seeded_random.ts";

/**
 * What members tell each other of the ring they believe: who says it well is a member, and no fuzz. Only
 * broken forms of these are sent.
 */
const trustedKinds: ReadonlySet<CommandKind> = new Set([
  "node-next",
  "netmap-set",
  "netmap-hop",
  "netmap-done",
  "topology-set",
  "topology-hop",
  "topology-done",
  "ring-forward",
  "ring-stopping",
  "file-tags-set",
]);

/** Declares a test for each seed. */
export function lineFuzzTest(seeds: readonly number[]): void {
  for (const seed of seeds) {
    Deno.test(`nodes and gateway bear noise, seed ${seed}`, async () => {
      await using ring = await liveRing(3);
      await bearNoise(ring, {
        seed,
        ports: [...ring.ports, ring.gatewayPort],
        noise: brokenBytes,
        isWell: async (port) => assertEquals(await askText(port, "NODE PING\n"), "PONG\n"),
      });
    });
  }
}

/** Something broken, in one of many ways. */
function brokenBytes(random: SeededRandom): Uint8Array {
  const makers = [
    noise,
    brokenCommand,
    brokenCommand,
    brokenBody,
    brokenBody,
    mix,
    longLine,
    http,
  ];
  return random.pick(makers)(random);
}

function noise(random: SeededRandom): Uint8Array {
  const bytes = random.bytes(random.integer(random.pick([10, 1_000, 100_000])));
  const lineEvery = random.pick([3, 50, 1_000_000]);
  return bytes.map((byte) => random.integer(lineEvery) === 0 ? 10 : byte);
}

function brokenCommand(random: SeededRandom): Uint8Array {
  let line = encoder.encode(formatCommand(random.pick(randomCommands(random))));
  for (let edits = 1 + random.integer(4); edits > 0; edits--) line = edit(line, random);
  return isTrusted(line) ? noise(random) : bytesOf(line, encoder.encode("\n"));
}

/** A command that is well, with a body that is too short, too long, or nonsense. */
function brokenBody(random: SeededRandom): Uint8Array {
  const command = random.pick(randomCommands(random).filter(hasBody));
  const line = encoder.encode(`${formatCommand(command)}\n`);
  const length = random.pick([0, 1, 100, 5_000, 300_000, Math.min(command.bodyBytes, 300_000)]);
  return bytesOf(line, random.bytes(random.integer(length + 1)));
}

/** Good ones, broken ones and noise in one go. */
function mix(random: SeededRandom): Uint8Array {
  const makers = [brokenCommand, brokenBody, noise, () => encoder.encode("NODE PING\n")];
  return bytesOf(
    ...Array.from({ length: 1 + random.integer(8) }, () => random.pick(makers)(random)),
  );
}

function longLine(random: SeededRandom): Uint8Array {
  const begin = random.pick(["", "FILE GET ", "FILE TAGS-SET ", "NETMAP SET ", "TOPOLOGY SET "]);
  const length = random.pick([65_000, 66_000, 200_000, 2_000_000]);
  return bytesOf(encoder.encode(begin), new Uint8Array(length).fill(65 + random.integer(26)));
}

function http(random: SeededRandom): Uint8Array {
  const method = random.pick(["GET", "POST", "PUT", "", "G\0T", "OPTIONS"]);
  const path = random.pick(["/", "/file/pull/a", "/file/push", "//..//", `/${"a".repeat(9_000)}`]);
  const header = random.pick([
    "Host: localhost",
    "Content-Length: 99999999999",
    "x".repeat(70_000),
  ]);
  const end = random.pick(["\r\n\r\n", "\n\n", "", "\r\n\r\nbody"]);
  return encoder.encode(`${method} ${path} HTTP/1.1\r\n${header}${end}`);
}

/** Whether any of the lines is a good command of those that only members send. */
function isTrusted(bytes: Uint8Array): boolean {
  return decodeLoosely(bytes).split("\n").some((line) => {
    const parsed = parseCommand(line.replace(/\r$/, ""));
    return parsed.ok && trustedKinds.has(parsed.command.kind);
  });
}

function decodeLoosely(bytes: Uint8Array): string {
  return decodeLine(bytes) ?? new TextDecoder().decode(bytes);
}

function hasBody(command: Command): command is Extract<Command, { readonly bodyBytes: number }> {
  return "bodyBytes" in command;
}
