import { blockBytes, bufferPoolBytes, stallMs } from "../protocol/limits.ts";
import { type BufferLease, BufferPool } from "../net/buffer_pool.ts";
import { BusyError } from "../net/busy_error.ts";
import type { Clock } from "../runtime/clock.ts";

/**
 * Length of the buffers of a large transfer, in bytes. What a read, a write and the turns of threads between
 * them cost is paid so many bytes at a time: with a quarter of it a large push takes a third longer.
 */
const bulkBufferBytes = 4 * blockBytes;

/** Buffers of that length: 6 MiB, for three large transfers. */
const bulkBuffers = 6;

/** Buffers that only reads of chunks use: 4 MiB, 8 reads at once. */
const readBuffers = 16;

/** Buffers that only relayed pushes use: 6 MiB, 12 at full speed. */
const relayBuffers = 24;

/** Length of the buffers of a transfer that finds no long ones, in bytes. */
const smallBufferBytes = 16 * 1024;

/** Small buffers of clients: 4 MiB, for at least 85 of them, and for the pushes of small files. */
const smallBuffers = 256;

/**
 * How long a client's transfer waits for long buffers before it takes small ones, in ms: those that
 * move bytes give theirs back sooner, so after that clients hold them that do not.
 */
const longBuffersWaitMs = 250;

/** A pair of buffers for {@linkcode pump}, to be given back. */
export interface BufferPair extends Disposable {
  readonly buffers: readonly [Uint8Array, Uint8Array];
}

/** The buffers of a push. */
export interface PushBuffers extends BufferPair {
  /** Holds all of the file; nothing for one that streams. */
  readonly whole?: Uint8Array | undefined;
}

/**
 * The payload buffers of a node, 32 MiB in all, in pools so that no transfer can wait for one that
 * waits for it on another node:
 *
 * 1. A client's push or pull waits for its buffers, and while it has them waits for other nodes, and
 *    for its client: so that clients which fall silent hold up no others, some MiB are kept back as
 *    small buffers.
 * 2. A read of a chunk waits for its buffers, and depends on no other node.
 * 3. A relay never waits for buffers, since relays of several pushes can form a circle round the
 *    ring: it takes pooled ones if there are some to spare, else two small ones of its own, at most
 *    32 KiB a connection.
 * 4. Whatever two usual buffers do not hold takes much longer ones instead if there are some to spare;
 *    nobody waits for those.
 */
export class TransferBuffers {
  /** For reads of chunks by other nodes. */
  readonly reads: BufferPool;
  readonly #bulk: BufferPool;
  readonly #relays: BufferPool;
  readonly #clients: BufferPool;
  readonly #smallOnes: BufferPool;

  constructor(clock: Clock) {
    const bytes = (buffers: number) => ({ totalBytes: buffers * blockBytes });
    const smallBytes = smallBuffers * smallBufferBytes;
    const bulkBytes = bulkBuffers * bulkBufferBytes;
    this.#bulk = new BufferPool(clock, { bufferBytes: bulkBufferBytes, totalBytes: bulkBytes });
    this.#clients = new BufferPool(clock, {
      totalBytes: bufferPoolBytes - smallBytes - bulkBytes -
        (readBuffers + relayBuffers) * blockBytes,
      waitMs: longBuffersWaitMs,
    });
    this.#smallOnes = new BufferPool(clock, {
      bufferBytes: smallBufferBytes,
      totalBytes: smallBytes,
      waitMs: stallMs - longBuffersWaitMs,
    });
    this.reads = new BufferPool(clock, bytes(readBuffers));
    this.#relays = new BufferPool(clock, bytes(relayBuffers));
  }

  /**
   * Buffers for a client's push or pull, or for repair: long ones, or small ones when there are none
   * in a moment.
   *
   * @throws {BusyError} when there are none of either kind in time.
   * @throws the signal's reason, when it aborts first.
   */
  async forClient<N extends number>(count: N, signal?: AbortSignal): Promise<BufferLease<N>> {
    try {
      return await this.#clients.acquire(count, signal);
    } catch (error) {
      if (!(error instanceof BusyError)) throw error;
      return await this.#smallOnes.acquire(count, signal);
    }
  }

  /**
   * Buffers for the push of a small file of so many bytes: two to stream it through, and one that holds all
   * of it where there is one to spare. Those of the smallest files are small, and so many that there is one
   * for nearly everybody.
   *
   * @throws as {@linkcode forClient} does.
   */
  async forSmallPush(bytes: number): Promise<PushBuffers> {
    const spare = bytes > smallBufferBytes ? undefined : takeSpare(this.#smallOnes, 3);
    const isUsual = bytes <= blockBytes;
    const lease = await (spare ?? this.forClient(isUsual ? 3 : 2));
    const long = isUsual ? undefined : await takeSpare(this.#bulk, 1);
    const [first, second, third] = lease.buffers as BufferLease["buffers"];
    if (first === undefined || second === undefined) throw new RangeError("Two buffers expected");
    const whole = long?.buffers[0] ?? third;
    return {
      buffers: [first, second],
      whole: whole !== undefined && bytes <= whole.length ? whole : undefined,
      [Symbol.dispose]: () => {
        long?.release();
        lease.release();
      },
    };
  }

  /**
   * Two buffers for a client's transfer of so many bytes.
   *
   * @throws as {@linkcode forClient} does.
   */
  async clientPair(bytes: number): Promise<BufferPair> {
    return await this.#bulkPair(bytes) ?? await this.forClient(2);
  }

  /**
   * Two buffers for a read of so many bytes of a chunk.
   *
   * @throws {BusyError} when there are none in time.
   */
  async readPair(bytes: number): Promise<BufferPair> {
    return await this.#bulkPair(bytes) ?? await this.reads.acquire(2);
  }

  /** A buffer for a whole file of so many bytes on its way to a client, at once; nothing if none is spare. */
  spareForFile(bytes: number): Promise<BufferLease<1>> | undefined {
    if (bytes > bulkBufferBytes) return undefined;
    return takeSpare(bytes > blockBytes ? this.#bulk : this.#clients, 1);
  }

  /** A buffer for whole chunks that another node reads, at once; nothing if none is spare. */
  spareForChunks(): Promise<BufferLease<1>> | undefined {
    return takeSpare(this.reads, 1);
  }

  /** Two buffers for a relay of so many bytes, at once. */
  async relayPair(bytes: number): Promise<BufferPair> {
    const lease = await this.#bulkPair(bytes) ?? await takeSpare(this.#relays, 2);
    return lease ?? {
      buffers: [new Uint8Array(smallBufferBytes), new Uint8Array(smallBufferBytes)],
      [Symbol.dispose]: () => {},
    };
  }

  /** Two buffers that only what is large has use for, at once; nothing if there are none. */
  #bulkPair(bytes: number): Promise<BufferPair> | undefined {
    return bytes <= 2 * blockBytes ? undefined : takeSpare(this.#bulk, 2);
  }
}

/** Some buffers, at once; nothing if the pool has not so many to spare. */
function takeSpare<N extends number>(
  pool: BufferPool,
  count: N,
): Promise<BufferLease<N>> | undefined {
  const areSpare = pool.waiting === 0 && pool.usedBuffers + count <= pool.buffersMax;
  return areSpare ? pool.acquire(count) : undefined;
}
