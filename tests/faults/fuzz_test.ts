/**
 * Bytes that no client sends, on the ports of nodes and gateway: whatever comes, the process stays, its
 * memory too, the next command is answered, and what is stored stays as it is.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Command, CommandKind } from "../../src/protocol/command.ts";
import { formatCommand } from "../../src/protocol/format.ts";
import { decodeLine, parseCommand } from "../../src/protocol/parse.ts";
import { randomCommands } from "../protocol/samples.ts";
import { ask, askText, type LiveRing, liveRing, sha256 } from "../support/live_ring.ts";
import { SeededRandom } from "../support/seeded_random.ts";

/** Printed with every failure; the same seed sends the same bytes, in the same order on each line. */
const seeds = (Deno.env.get("FUZZ_SEEDS") ?? "1,2").split(",").map(Number);

/** How long one seed may go on, in ms, and with how many attackers at once. */
const attackMs = Number(Deno.env.get("FUZZ_MS") ?? 3_000);
const attackersMax = 6;

/** What a process may have had resident, in bytes: its rest, buffers, long lines, some waste. */
const peakBytesMax = 320 * 1024 ** 2;

/** Without an answer an attacker turns away after this, in ms. */
const turnMs = 250;

/** Connections that say nothing while the attack goes on. */
const silentConnections = 100;

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

for (const seed of seeds) {
  Deno.test(`nodes and gateway bear noise, seed ${seed}`, async () => {
    const random = new SeededRandom(seed);
    await using ring = await liveRing(3);
    const ports = [...ring.ports, ring.gatewayPort];
    const pids = await Promise.all(ports.map((port) => ring.pid(port)));
    const files = await pushFiles(ring, random);
    const silent = await Promise.all(Array.from(
      { length: silentConnections },
      (_, index) => Deno.connect({ hostname: "127.0.0.1", port: ports[index % ports.length]! }),
    ));
    try {
      const endMs = Date.now() + attackMs;
      await Promise.all(Array.from({ length: attackersMax }, async () => {
        const own = new SeededRandom(random.integer(2 ** 31));
        while (Date.now() < endMs) {
          const port = own.pick(ports);
          await attack(port, own);
          assertEquals(await askText(port, "NODE PING\n"), "PONG\n", `seed ${seed}, port ${port}`);
        }
      }));
    } finally {
      for (const conn of silent) conn.close();
    }
    assertEquals(await Promise.all(ports.map((port) => ring.pid(port))), pids, `seed ${seed}`);
    for (const pid of pids) {
      const peakBytes = await readPeak(pid);
      assert(peakBytes < peakBytesMax, `seed ${seed}: process ${pid} had ${peakBytes} bytes`);
    }
    await assertFilesIntact(ring, files, seed);
  });
}

Deno.test("nodes and gateway answer commands in any pieces, one after the other", async () => {
  await using ring = await liveRing(3);
  const random = new SeededRandom(7);
  const body = random.bytes(3_000);
  const expected: string[] = [];
  const pieces: Uint8Array[] = [];
  const say = (sent: string | Uint8Array, answer: string) => {
    pieces.push(typeof sent === "string" ? encoder.encode(sent) : sent);
    expected.push(answer);
  };
  for (let round = 0; round < 20; round++) {
    say("NODE PING\n", "PONG\n");
    say("FOO BAR\r\n", "ERR unknown command namespace: 'FOO'\n");
    say(`FILE PUSH 3000 piece-${round}\n`, "");
    say(body, "FILE 3000 bytes split into 3 chunks and distributed\nOK\n");
    say("FILE PUSH 5 \nnoise", "ERR missing file name for FILE PUSH\n");
    say(new Uint8Array([0xff, 0xfe, 10]), "ERR line is not UTF-8\n");
  }
  say("NODE PING", "PONG\n");
  const sent = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  for (const port of [ring.port(0), ring.gatewayPort]) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    const heard = readToEnd(conn);
    for (let at = 0; at < sent.length;) {
      const count = random.integer(4) === 0 ? 1 : 1 + random.integer(900);
      at += await conn.write(sent.subarray(at, at + count));
    }
    await conn.closeWrite();
    assertEquals(new TextDecoder().decode(await heard), expected.join(""));
  }
});

/** Sends something broken and turns away, in one of many ways. */
async function attack(port: number, random: SeededRandom): Promise<void> {
  const attacks = [
    noise,
    brokenCommand,
    brokenCommand,
    brokenBody,
    brokenBody,
    mix,
    longLine,
    http,
  ];
  const sent = random.pick(attacks)(random);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const heard = readToEnd(conn);
  heard.catch(() => {/* whoever turns away hears nothing */});
  try {
    for (let at = 0; at < sent.length;) {
      const count = random.integer(3) === 0 ? 1 + random.integer(100) : sent.length;
      at += await conn.write(sent.subarray(at, at + count));
    }
    // Half of them wait for what comes, the others close at once: with an answer still on its way.
    if (random.integer(2) === 0) await conn.closeWrite();
    if (random.integer(2) === 0) {
      await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, turnMs))]);
    }
  } catch {
    // The node ended the connection first, as it may.
  }
}

function noise(random: SeededRandom): Uint8Array {
  const bytes = random.bytes(random.integer(random.pick([10, 1_000, 100_000])));
  const lineEvery = random.pick([3, 50, 1_000_000]);
  return bytes.map((byte) => random.integer(lineEvery) === 0 ? 10 : byte);
}

function brokenCommand(random: SeededRandom): Uint8Array {
  let line = encoder.encode(formatCommand(random.pick(randomCommands(random))));
  for (let edits = 1 + random.integer(4); edits > 0; edits--) line = edit(line, random);
  return isTrusted(line) ? noise(random) : joined(line, encoder.encode("\n"));
}

/** A command that is well, with a body that is too short, too long, or nonsense. */
function brokenBody(random: SeededRandom): Uint8Array {
  const command = random.pick(randomCommands(random).filter(hasBody));
  const line = encoder.encode(`${formatCommand(command)}\n`);
  const length = random.pick([0, 1, 100, 5_000, 300_000, Math.min(command.bodyBytes, 300_000)]);
  return joined(line, random.bytes(random.integer(length + 1)));
}

/** Good ones, broken ones and noise in one go. */
function mix(random: SeededRandom): Uint8Array {
  const makers = [brokenCommand, brokenBody, noise, () => encoder.encode("NODE PING\n")];
  return joined(
    ...Array.from({ length: 1 + random.integer(8) }, () => random.pick(makers)(random)),
  );
}

function longLine(random: SeededRandom): Uint8Array {
  const begin = random.pick(["", "FILE GET ", "FILE TAGS-SET ", "NETMAP SET ", "TOPOLOGY SET "]);
  const length = random.pick([65_000, 66_000, 200_000, 2_000_000]);
  return joined(encoder.encode(begin), new Uint8Array(length).fill(65 + random.integer(26)));
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

function edit(line: Uint8Array, random: SeededRandom): Uint8Array<ArrayBuffer> {
  const at = random.integer(line.length + 1);
  const before = line.subarray(0, at);
  switch (random.integer(5)) {
    case 0:
      return joined(before, line.subarray(at + 1));
    case 1:
      return joined(before, random.bytes(1 + random.integer(5)), line.subarray(at));
    case 2:
      return joined(before, encoder.encode(random.pick(tokens)), line.subarray(at));
    case 3:
      return joined(before, line.subarray(random.integer(at + 1)));
    default:
      return joined(before);
  }
}

/** What parsers stumble over. */
const tokens = [" ", "  ", "\0", "-1", "9".repeat(40), "1e9", "0x10", "../..", "\r", "%", "=", ";"];

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

interface PushedFile {
  readonly name: string;
  readonly sha256: string;
}

async function pushFiles(ring: LiveRing, random: SeededRandom): Promise<PushedFile[]> {
  const files: PushedFile[] = [];
  for (const [index, size] of [0, 1, 3_000, 700_000].entries()) {
    const bytes = random.bytes(size);
    const name = `intact-${index}.bin`;
    const line = encoder.encode(`FILE PUSH ${size} ${name}\n`);
    const answer = await askText(ring.port(index % 3), joined(line, bytes));
    assert(answer.endsWith("OK\n"), answer);
    files.push({ name, sha256: sha256(bytes) });
  }
  return files;
}

async function assertFilesIntact(
  ring: LiveRing,
  files: readonly PushedFile[],
  seed: number,
): Promise<void> {
  for (const port of [...ring.ports, ring.gatewayPort]) {
    for (const file of files) {
      const answer = await ask(port, `FILE GET ${file.name}\n`);
      const body = answer.subarray(answer.indexOf(10) + 1);
      assertEquals(sha256(body), file.sha256, `seed ${seed}, ${file.name} through ${port}`);
    }
  }
}

/** The most memory that a process has had resident, in bytes. */
async function readPeak(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return 1024 * Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1]);
}

async function readToEnd(conn: Deno.TcpConn): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(64 * 1024);
    const count = await conn.read(buffer);
    if (count === null) return joined(...pieces);
    pieces.push(buffer.subarray(0, count));
  }
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

const encoder = new TextEncoder();
