import { blockBytes, bufferPoolBytes, stallMs } from "../protocol/limits.ts";
import type { Clock } from "../runtime/clock.ts";
import { BusyError } from "./busy_error.ts";

/** The limits of a {@linkcode BufferPool}. */
export interface BufferPoolOptions {
  /** The length of each buffer. */
  readonly bufferBytes?: number;
  /**
   * All buffers together. More lets more transfers run at once; it is the larger part of the memory
   * that a busy node takes.
   */
  readonly totalBytes?: number;
  /** Milliseconds that somebody waits for buffers before `busy`. */
  readonly waitMs?: number;
  /** How many may wait at once; the next one is `busy` at once. */
  readonly waitersMax?: number;
}

/**
 * The payload buffers of a process.
 *
 * 1. There are never more than `totalBytes` of them. They are made when first needed, then reused.
 * 2. Who finds too few free ones waits; the first to come is served first, so nobody starves.
 * 3. Nobody waits while holding some: an operation takes all it needs in one `acquire`. Two nested
 *    ones could wait for each other until the deadline.
 */
export class BufferPool {
  readonly bufferBytes: number;
  /** How many buffers there may be. */
  readonly buffersMax: number;
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #waitersMax: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  readonly #waiters = new Set<Waiter>();
  #used = 0;

  constructor(clock: Clock, options: BufferPoolOptions = {}) {
    const { bufferBytes = blockBytes, totalBytes = bufferPoolBytes } = options;
    const { waitMs = stallMs, waitersMax = 4_096 } = options;
    if (!(bufferBytes > 0) || totalBytes < bufferBytes) {
      throw new RangeError(`Cannot make buffers of ${bufferBytes} from ${totalBytes} bytes`);
    }
    this.bufferBytes = bufferBytes;
    this.buffersMax = Math.floor(totalBytes / bufferBytes);
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#waitersMax = waitersMax;
  }

  /** Buffers that are on lease now. */
  get usedBuffers(): number {
    return this.#used;
  }

  /** How many callers wait now. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Leases `count` buffers, all at once. Their content is whatever the last user left.
   *
   * @throws {BusyError} when they are not free by the deadline, or too many wait already.
   * @throws {RangeError} when the pool could never give so many.
   * @throws the signal's reason, when it aborts first.
   */
  acquire<N extends number>(count: N, signal?: AbortSignal): Promise<BufferLease<N>> {
    if (!Number.isInteger(count) || count < 1 || count > this.buffersMax) {
      const error = new RangeError(`Cannot lease ${count} of ${this.buffersMax} buffers`);
      return Promise.reject(error);
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#waiters.size === 0 && this.#used + count <= this.buffersMax) {
      return Promise.resolve(this.#lease(count));
    }
    if (this.#waiters.size >= this.#waitersMax) return Promise.reject(this.#busy(count));
    return this.#wait(count, signal);
  }

  #wait<N extends number>(count: N, signal?: AbortSignal): Promise<BufferLease<N>> {
    const { promise, resolve, reject } = Promise.withResolvers<BufferLease<N>>();
    const onAbort = () => fail(signal?.reason);
    const settle = () => {
      this.#waiters.delete(waiter);
      signal?.removeEventListener("abort", onAbort);
      deadline.stop();
    };
    const waiter: Waiter = {
      count,
      serve: () => {
        settle();
        resolve(this.#lease(count));
      },
    };
    const fail = (error: unknown) => {
      if (!this.#waiters.has(waiter)) return;
      settle();
      reject(error);
      // Whoever stood behind may need less.
      this.#serve();
    };
    this.#waiters.add(waiter);
    signal?.addEventListener("abort", onAbort, { once: true });
    const deadline = this.#clock.every(this.#waitMs, () => fail(this.#busy(count)));
    return promise;
  }

  /** Gives out what is free, strictly in the order in which they came. */
  #serve(): void {
    for (const waiter of this.#waiters) {
      if (this.#used + waiter.count > this.buffersMax) return;
      waiter.serve();
    }
  }

  #lease<N extends number>(count: N): BufferLease<N> {
    this.#used += count;
    const buffers: Uint8Array<ArrayBuffer>[] = [];
    while (buffers.length < count) {
      buffers.push(this.#free.pop() ?? new Uint8Array(this.bufferBytes));
    }
    return new BufferLease<N>(buffers, () => {
      this.#used -= count;
      this.#free.push(...buffers);
      this.#serve();
    });
  }

  #busy(count: number): BusyError {
    return new BusyError(
      `Cannot lease ${count} buffers: ${this.#used} of ${this.buffersMax} are in use, ` +
        `${this.#waiters.size} operations wait`,
    );
  }
}

/** A tuple for one or two, so that nobody has to check what was asked for. */
export type LeasedBuffers<N extends number> = N extends 1 ? readonly [Uint8Array<ArrayBuffer>]
  : N extends 2 ? readonly [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>]
  : readonly Uint8Array<ArrayBuffer>[];

/** Buffers on lease; no read or write may still use them when they are released. */
export class BufferLease<N extends number = number> implements Disposable {
  readonly buffers: LeasedBuffers<N>;
  #giveBack: (() => void) | undefined;

  /** Made by {@linkcode BufferPool.acquire}. */
  constructor(buffers: readonly Uint8Array<ArrayBuffer>[], giveBack: () => void) {
    // The pool made as many as N says; TypeScript cannot count them.
    this.buffers = buffers as unknown as LeasedBuffers<N>;
    this.#giveBack = giveBack;
  }

  /** Gives the buffers back; may be called again. */
  release(): void {
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Somebody who waits in line. */
interface Waiter {
  readonly count: number;
  serve(): void;
}
