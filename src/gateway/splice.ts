import type { BufferPool } from "../net/buffer_pool.ts";
import type { ByteReader } from "../net/byte_reader.ts";
import type { GuardedConnection } from "../net/watchdog.ts";
import { writeAll } from "../net/write_all.ts";

/** One end of a {@linkcode splice}: the reader may hold bytes that were read already. */
export interface SpliceEnd {
  readonly conn: GuardedConnection;
  readonly reader: ByteReader;
}

/** How {@linkcode splice} copies. */
export interface SpliceOptions {
  /** Where the large buffers of bulk transfers come from, if it has some to spare. */
  readonly pool: BufferPool;
  /** Where the buffers of directions at rest come from; it has enough for all connections. */
  readonly restPool: BufferPool;
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
 * one side is passed on as such (half-close), an error ends both. Bytes are never looked at.
 *
 * Memory: 16 KiB each way, and while a direction is in bulk two buffers of the pool, if it has
 * some; nobody waits for them.
 *
 * @returns The error that ended it, for the log; `undefined` after a regular end.
 */
export async function splice(
  client: SpliceEnd,
  node: SpliceEnd,
  { pool, restPool }: SpliceOptions,
): Promise<unknown> {
  using rest = await restPool.acquire(2);
  const [upBuffer, downBuffer] = rest.buffers;
  client.conn.set(spliceIdleMs);
  node.conn.set(spliceIdleMs);
  let failure: unknown;
  let ended = false;
  const direction = async (way: Direction, atEnd: () => void) => {
    try {
      await copy(way, pool);
      await way.to.conn.closeWrite();
      atEnd();
    } catch (error) {
      // When the node has ended, what the client still sends interests nobody.
      if (!ended) failure ??= error;
      client.conn.close();
      node.conn.close();
    }
  };
  await Promise.all([
    direction({ from: client, to: node, buffer: upBuffer }, () => {}),
    direction({ from: node, to: client, buffer: downBuffer }, () => {
      ended = true;
      client.conn.setDeadline(lingerMs);
    }),
  ]);
  client.conn.close();
  node.conn.close();
  return failure;
}

/** One of the two ways. */
interface Direction {
  readonly from: SpliceEnd;
  readonly to: SpliceEnd;
  /** What it has at rest. */
  readonly buffer: Uint8Array;
}

/** Copies one way until the end of `from`. */
async function copy({ from, to, buffer }: Direction, pool: BufferPool): Promise<void> {
  for (;;) {
    const count = await from.reader.readInto(buffer);
    if (count === null) return;
    await write(to.conn, buffer.subarray(0, count));
    if (count < buffer.length || !hasSpare(pool)) continue;
    if (await copyBulk(from, to, pool) === "end") return;
  }
}

/** Writes while the next read is on its way, until `from` ends or its bytes come in small pieces. */
async function copyBulk(
  from: SpliceEnd,
  to: SpliceEnd,
  pool: BufferPool,
): Promise<"end" | "quiet"> {
  using lease = await pool.acquire(2);
  let [filling, writing] = lease.buffers;
  const readNext = () => {
    const next = from.reader.readInto(filling);
    // It may fail while nobody awaits it yet; whoever awaits it later is told all the same.
    next.catch(() => {});
    return next;
  };
  let reading = readNext();
  for (;;) {
    const count = await reading;
    if (count === null) return "end";
    [filling, writing] = [writing, filling];
    const quiet = count < spliceRestBytes;
    if (!quiet) reading = readNext();
    try {
      await write(to.conn, writing.subarray(0, count));
    } catch (error) {
      // The pool may not have the buffers back while a read can still write into one.
      from.conn.close();
      await reading.catch(() => {/* it was closed just now */});
      throw error;
    }
    if (quiet) return "quiet";
  }
}

async function write(conn: GuardedConnection, bytes: Uint8Array): Promise<void> {
  conn.set(spliceStallMs);
  await writeAll(conn, bytes);
  conn.set(spliceIdleMs);
}

function hasSpare(pool: BufferPool): boolean {
  return pool.waiting === 0 && pool.usedBuffers + 2 <= pool.buffersMax;
}
