import { assert, assertEquals } from "@std/assert";
import { bytesOf } from "./line_client.ts";
import { ask, askText, type LiveRing, sha256 } from "./live_ring.ts";
import { SeededRandom } from "./seeded_random.ts";
import { peakMemoryMiB } from "./system_processes.ts";

/**
 * The seeds that `FUZZ_SEEDS` names, else these. One is printed with every failure, and sends the same
 * bytes again, in the same order on each line.
 */
export function seedsOr(...seeds: readonly number[]): readonly number[] {
  return Deno.env.get("FUZZ_SEEDS")?.split(",").map(Number) ?? seeds;
}

/** How long one seed may go on, in ms, and with how many attackers at once. */
const attackMs = Number(Deno.env.get("FUZZ_MS") ?? 3_000);
const attackersMax = 6;

/** What a process may have had resident, in MiB: its rest, buffers, long lines, some waste. */
const peakMiBMax = 320;

/** Without an answer an attacker turns away after this, in ms. */
const turnMs = 250;

/** Connections that say nothing while the attack goes on. */
const silentConnections = 100;

/** What is sent to a ring, and how it shows that it is well. */
export interface Noise {
  readonly seed: number;
  /** Where it is sent to. */
  readonly ports: readonly number[];
  /** Makes the bytes of one connection. */
  readonly noise: (random: SeededRandom) => Uint8Array;
  /** Throws unless who listens there answers as ever; asked after each connection. */
  readonly isWell: (port: number) => Promise<void>;
}

/**
 * Sends noise to a ring, from several connections at once and while others say nothing, and looks that
 * it bears it: the processes stay, with the memory they had, and what was stored before is what it was.
 */
export async function bearNoise(
  ring: LiveRing,
  { seed, ports, noise, isWell }: Noise,
): Promise<void> {
  const random = new SeededRandom(seed);
  const processes = [...ring.ports, ring.gatewayPort];
  const pids = await Promise.all(processes.map((port) => ring.pid(port)));
  const files = await pushFiles(ring, random);
  const silent = await Promise.all(Array.from(
    { length: silentConnections },
    (_, index) => Deno.connect({ hostname: "127.0.0.1", port: ports[index % ports.length] ?? 0 }),
  ));
  try {
    const endMs = Date.now() + attackMs;
    await Promise.all(Array.from({ length: attackersMax }, async () => {
      const own = new SeededRandom(random.integer(2 ** 31));
      while (Date.now() < endMs) {
        const port = own.pick(ports);
        await attack(port, { bytes: noise(own), random: own });
        await isWell(port);
      }
    }));
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  } finally {
    for (const conn of silent) conn.close();
  }
  assertEquals(await Promise.all(processes.map((port) => ring.pid(port))), pids, `seed ${seed}`);
  for (const pid of pids) {
    const peakMiB = await peakMemoryMiB(pid);
    assert(peakMiB < peakMiBMax, `seed ${seed}: process ${pid} had ${peakMiB} MiB`);
  }
  await assertFilesIntact(ring, files, seed);
}

/** Sends bytes in pieces and turns away, in one of several ways. */
async function attack(
  port: number,
  { bytes, random }: { readonly bytes: Uint8Array; readonly random: SeededRandom },
): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const heard = readToEnd(conn);
  heard.catch(() => {/* whoever turns away hears nothing */});
  try {
    for (let at = 0; at < bytes.length;) {
      const count = random.integer(3) === 0 ? 1 + random.integer(100) : bytes.length;
      at += await conn.write(bytes.subarray(at, at + count));
    }
    // Half of them wait for what comes, the others close at once: with an answer still on its way.
    if (random.integer(2) === 0) await conn.closeWrite();
    if (random.integer(2) === 0) {
      await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, turnMs))]);
    }
  } catch {
    // The other side ended the connection first, as it may.
  }
}

/** A line that is no longer what it was: bytes less, more, or others. */
export function edit(line: Uint8Array, random: SeededRandom): Uint8Array<ArrayBuffer> {
  const at = random.integer(line.length + 1);
  const before = line.subarray(0, at);
  switch (random.integer(5)) {
    case 0:
      return bytesOf(before, line.subarray(at + 1));
    case 1:
      return bytesOf(before, random.bytes(1 + random.integer(5)), line.subarray(at));
    case 2:
      return bytesOf(before, encoder.encode(random.pick(tokens)), line.subarray(at));
    case 3:
      return bytesOf(before, line.subarray(random.integer(at + 1)));
    default:
      return bytesOf(before);
  }
}

/** What parsers stumble over. */
const tokens = [" ", "  ", "\0", "-1", "9".repeat(40), "1e9", "0x10", "../..", "\r", "%", "=", ";"];

interface PushedFile {
  readonly name: string;
  readonly sha256: string;
}

/** Something to lose. */
async function pushFiles(ring: LiveRing, random: SeededRandom): Promise<PushedFile[]> {
  const files: PushedFile[] = [];
  for (const [index, size] of [0, 1, 3_000, 700_000].entries()) {
    const bytes = random.bytes(size);
    const name = `intact-${index}.bin`;
    const line = encoder.encode(`FILE PUSH ${size} ${name}\n`);
    const answer = await askText(ring.port(index % 3), bytesOf(line, bytes));
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

/** All that comes until the other side ends. */
export async function readToEnd(conn: Deno.TcpConn): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(64 * 1024);
    const count = await conn.read(buffer);
    if (count === null) return bytesOf(...pieces);
    pieces.push(buffer.subarray(0, count));
  }
}

export const encoder = new TextEncoder();
