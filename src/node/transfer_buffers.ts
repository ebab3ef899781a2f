import { blockBytes, bufferPoolBytes, stallMs } from "../protocol/limits.ts";
import { type BufferLease, BufferPool } from "../net/buffer_pool.ts";
import { BusyError } from "../net/busy_error.ts";
import type { Clock } from "../runtime/clock.ts";

/** Buffers that only reads of chunks use: 6 MiB, 12 reads at once. */
const readBuffers = 24;

/** Buffers that only relayed pushes use: 10 MiB, 20 at full speed. */
const relayBuffers = 40;

/** Length of the buffers of a transfer that finds no long ones, in bytes. */
const smallBufferBytes = 16 * 1024;

/** Small buffers of clients: 4 MiB, for at least 85 of them. */
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
 */
export class TransferBuffers {
  /** For reads of chunks by other nodes. */
  readonly reads: BufferPool;
  readonly #relays: BufferPool;
  readonly #clients: BufferPool;
  readonly #smallOnes: BufferPool;

  constructor(clock: Clock) {
    const bytes = (buffers: number) => ({ totalBytes: buffers * blockBytes });
    const smallBytes = smallBuffers * smallBufferBytes;
    this.#clients = new BufferPool(clock, {
      totalBytes: bufferPoolBytes - smallBytes - (readBuffers + relayBuffers) * blockBytes,
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

  /** Two buffers for a relay, at once. */
  async relayPair(): Promise<BufferPair> {
    const pool = this.#relays;
    if (pool.waiting === 0 && pool.usedBuffers + 2 <= pool.buffersMax) {
      const lease: BufferLease<2> = await pool.acquire(2);
      return lease;
    }
    return {
      buffers: [new Uint8Array(smallBufferBytes), new Uint8Array(smallBufferBytes)],
      [Symbol.dispose]: () => {},
    };
  }
}
