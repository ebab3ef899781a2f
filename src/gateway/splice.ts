import type { BufferPool } from "../net/buffer_pool.ts";
import type { ByteReader } from "../net/byte_reader.ts";
import type { GuardedConnection } from "../net/watchdog.ts";
import { writeAll } from "../net/write_all.ts";
import { drainBytesMax } from "../protocol/limits.ts";
import type { Patience } from "./patience.ts";

/** One end of a {@linkcode splice}: the reader may hold bytes that were read already. */
export interface SpliceEnd {
  readonly conn: GuardedConnection;
  readonly reader: ByteReader;
}

/** What {@linkcode copy} reads from. */
export interface SpliceSource {
  /** Reads at least a byte; `null` at the end. */
  readInto(buffer: Uint8Array): Promise<number | null>;
}

/** The buffers of a {@linkcode splice}. */
export interface SplicePools {
  /** Where the large buffers of bulk transfers come from, if it has some to spare. */
  readonly pool: BufferPool;
  /** Where the buffers of directions at rest come from; it has enough for all connections. */
  readonly restPool: BufferPool;
}

/** How {@linkcode splice} copies. */
export interface SpliceOptions extends SplicePools {
  /** How long nothing may come from either end; 0 leaves that to the node's side. */
  readonly patience: Patience;
  /**
   * What a client may still send, in bytes, that the node does not take any more, within 2 s. Who sends
   * more before it reads finds the connection reset. {@linkcode drainBytesMax} by default.
   */
  readonly drainBytesMax?: number;
}

/**
 * How long a write may be stuck, in ms. Longer than the 30 s that a node gives a transfer, so that
 * the node, which knows what is going on, ends it first and says why.
 */
export const spliceStallMs = 45_000;

/**
 * How long nothing may come from either end, in ms. Longer than the 60 s that a heal walk may take
 * in silence, and than a node lets a client think.
 */
export const spliceIdleMs = 90_000;

/** How long a client may go on sending when the node has ended, in ms. */
const lingerMs = 2_000;

/** The buffer that a direction has at rest. A read that fills it is taken for bulk. */
export const spliceRestBytes = 16 * 1024;

/**
 * Copies both ways between a client and a node until both have ended, then closes both. An end of
 * one side is passed on as such (half-close). Bytes are looked at for the {@linkcode Patience} only.
 *
 * 1. A client that breaks off ends both sides at once: a node must not take a part for the whole.
 * 2. A node that breaks off ends after what it has said: it may refuse a file and hang up while the
 *    client is still sending, and the client is to read why.
 * 3. Memory: 16 KiB each way, and while a direction is in bulk two buffers of the pool, if it has
 *    some; nobody waits for them.
 *
 * @returns The error that ended it, for the log; `undefined` after a regular end.
 */
export async function splice(
  client: SpliceEnd,
  node: SpliceEnd,
  options: SpliceOptions,
): Promise<unknown> {
  const { pool, restPool, patience } = options;
  using rest = await restPool.acquire(2);
  const [upBuffer, downBuffer] = rest.buffers;
  const beSilent = () => {
    client.conn.set(patience.idleMs);
    node.conn.set(patience.idleMs);
  };
  beSilent();
  const heard = (bytes: Uint8Array) => patience.heard(bytes) && beSilent();
  const closeBoth = () => {
    client.conn.close();
    node.conn.close();
  };
  const up = async () => {
    const onBroken = ({ side }: Broken) => side === "from" && closeBoth();
    const broken = await copy(
      { from: client, to: node, buffer: upBuffer, patience, heard, onBroken },
      pool,
    );
    if (broken === undefined) await endWriting(node);
    // What the client still sends interests nobody, but unread it would reset the connection.
    else await discard(client, options.drainBytesMax ?? drainBytesMax);
  };
  const down = async () => {
    const onBroken = ({ side }: Broken) => side === "to" && closeBoth();
    const broken = await copy(
      { from: node, to: client, buffer: downBuffer, patience, onBroken },
      pool,
    );
    await endWriting(client);
    client.conn.setDeadline(lingerMs);
    return broken?.error;
  };
  const [failure] = await Promise.all([down(), up()]);
  closeBoth();
  return failure;
}

async function discard({ reader }: SpliceEnd, bytesMax: number): Promise<void> {
  await reader.discard(bytesMax).catch(() => {/* the client broke off, too, or the time is up */});
}

/** Passes an end on; who has hung up meanwhile needs no news of it. */
async function endWriting({ conn }: SpliceEnd): Promise<void> {
  await conn.closeWrite().catch(() => {/* the other direction finds out as well */});
}

/** One of the two ways. */
export interface Direction {
  readonly from: { readonly conn: GuardedConnection; readonly reader: SpliceSource };
  readonly to: SpliceEnd;
  /** What it has at rest. */
  readonly buffer: Uint8Array;
  /** How long nothing may come. */
  readonly patience: Pick<Patience, "idleMs">;
  /** Is shown what passes; of the bulk of it only what each piece ends with. */
  readonly heard?: (bytes: Uint8Array) => void;
  /** Called as soon as one side has failed. */
  readonly onBroken: (broken: Broken) => void;
}

/** Which side of a copy failed, and how. */
export interface Broken {
  readonly side: "from" | "to";
  readonly error: unknown;
}

/** Copies one way until the end of `from`; says what ended it before. */
export async function copy(way: Direction, pool: BufferPool): Promise<Broken | undefined> {
  const { buffer } = way;
  for (;;) {
    const read = await tryRead(way, buffer);
    if (typeof read === "object") return read ?? undefined;
    const bytes = buffer.subarray(0, read);
    way.heard?.(bytes);
    const broken = await tryWrite(way, bytes);
    if (broken !== undefined) return broken;
    if (read < buffer.length || !hasSpare(pool)) continue;
    const bulk = await copyBulk(way, pool);
    if (bulk !== "quiet") return bulk;
  }
}

/** What is shown of each piece of bulk, in bytes: the last line, where that is a short one. */
const heardBytes = 64;

/** Writes while the next read is on its way, until `from` ends or its bytes come in small pieces. */
async function copyBulk(
  way: Direction,
  pool: BufferPool,
): Promise<Broken | undefined | "quiet"> {
  using lease = await pool.acquire(2);
  let [filling, writing] = lease.buffers;
  let reading = tryRead(way, filling);
  for (;;) {
    const read = await reading;
    if (typeof read === "object") return read ?? undefined;
    [filling, writing] = [writing, filling];
    const quiet = read < spliceRestBytes;
    const bytes = writing.subarray(0, read);
    if (!quiet) reading = tryRead(way, filling);
    way.heard?.(quiet ? bytes : bytes.subarray(-heardBytes));
    const broken = await tryWrite(way, bytes);
    if (quiet) return broken ?? "quiet";
    if (broken === undefined) continue;
    // The pool may not have the buffers back while a read can still write into one.
    await reading;
    return broken;
  }
}

/** How many bytes came; `null` at the end. */
async function tryRead(way: Direction, buffer: Uint8Array): Promise<number | null | Broken> {
  try {
    return await way.from.reader.readInto(buffer);
  } catch (error) {
    return fail(way, { side: "from", error });
  }
}

async function tryWrite(way: Direction, bytes: Uint8Array): Promise<Broken | undefined> {
  const { conn } = way.to;
  try {
    conn.set(spliceStallMs);
    await writeAll(conn, bytes);
    conn.set(way.patience.idleMs);
    return undefined;
  } catch (error) {
    return fail(way, { side: "to", error });
  }
}

function fail(way: Direction, broken: Broken): Broken {
  way.onBroken(broken);
  return broken;
}

function hasSpare(pool: BufferPool): boolean {
  return pool.waiting === 0 && pool.usedBuffers + 2 <= pool.buffersMax;
}
