import { blockBytes, bufferPoolBytes } from "../protocol/limits.ts";
import { type BufferLease, BufferPool } from "../net/buffer_pool.ts";
import type { Clock } from "../runtime/clock.ts";

/** Buffers that only reads of chunks use: 6 MiB, 12 reads at once. */
const readBuffers = 24;

/** Buffers that only relayed pushes use: 10 MiB, 20 at full speed. */
const relayBuffers = 40;

/** Length of each buffer of a relay that finds no pooled one, in bytes. */
const smallBufferBytes = 16 * 1024;

/** A pair of buffers for {@linkcode pump}, to be given back. */
export interface BufferPair extends Disposable {
  readonly buffers: readonly [Uint8Array, Uint8Array];
}

/**
 * The payload buffers of a node, 32 MiB in all, in three pools so that no transfer can wait for one
 * that waits for it on another node:
 *
 * 1. A client's push or pull waits for its buffers, and while it has them waits for other nodes.
 * 2. A read of a chunk waits for its buffers, and depends on no other node.
 * 3. A relay never waits for buffers, since relays of several pushes can form a circle round the
 *    ring: it takes pooled ones if there are some to spare, else two small ones of its own, at most
 *    32 KiB a connection.
 */
export class TransferBuffers {
  /** For pushes and pulls of clients, and for repair. */
  readonly clients: BufferPool;
  /** For reads of chunks by other nodes. */
  readonly reads: BufferPool;
  readonly #relays: BufferPool;

  constructor(clock: Clock) {
    const bytes = (buffers: number) => ({ totalBytes: buffers * blockBytes });
    this.clients = new BufferPool(clock, {
      totalBytes: bufferPoolBytes - (readBuffers + relayBuffers) * blockBytes,
    });
    this.reads = new BufferPool(clock, bytes(readBuffers));
    this.#relays = new BufferPool(clock, bytes(relayBuffers));
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
