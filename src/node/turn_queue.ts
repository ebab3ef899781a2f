import { errors } from "../protocol/errors.ts";
import { BusyError } from "../net/busy_error.ts";
import type { Clock } from "../runtime/clock.ts";

/** The limits of a {@linkcode TurnQueue}. */
export interface TurnQueueOptions {
  /** How many have their turn at once. */
  readonly turnsMax: number;
  /** How many may wait for one; the next is `busy` at once. */
  readonly waitersMax: number;
  /** How long one waits before `busy`, in ms. */
  readonly waitMs: number;
}

/** Lets a limited number of tasks run at once, first come, first served. */
export class TurnQueue {
  readonly #clock: Clock;
  readonly #options: TurnQueueOptions;
  readonly #waiters = new Set<() => void>();
  #taken = 0;

  constructor(clock: Clock, options: TurnQueueOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Takes a turn, which ends when the result is disposed of.
   *
   * @throws {BusyError} when none is free by the deadline, or too many wait already.
   */
  async take(): Promise<Disposable> {
    if (this.#taken < this.#options.turnsMax) this.#taken++;
    else await this.#wait();
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#pass();
      },
    };
  }

  /** Waits until somebody passes their turn on. */
  #wait(): Promise<void> {
    const { waitersMax, waitMs } = this.#options;
    if (this.#waiters.size >= waitersMax) return Promise.reject(new BusyError(errors.busy));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const settled = new AbortController();
    const serve = () => {
      settled.abort();
      resolve();
    };
    this.#waiters.add(serve);
    this.#clock.sleep(waitMs, settled.signal).then(
      () => {
        this.#waiters.delete(serve);
        reject(new BusyError(errors.busy));
      },
      () => {/* it was served before the deadline */},
    );
    return promise;
  }

  #pass(): void {
    for (const next of this.#waiters) {
      this.#waiters.delete(next);
      return next();
    }
    this.#taken--;
  }
}
