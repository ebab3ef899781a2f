/** Time as the program sees it; tests put a fake in its place. */
export interface Clock {
  /** Milliseconds on a clock that never jumps; only differences mean something. */
  nowMs(): number;
  /** Milliseconds since the epoch, by the machine's calendar. */
  wallMs(): number;
  /**
   * Resolves after `ms` milliseconds.
   *
   * @throws the signal's reason, at once when the signal aborts.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Calls `run` every `ms` milliseconds until stopped. Does not keep the process alive. Also for a deadline
   * that mostly does not come: to stop a timer costs nothing, while to abort a sleep makes an error.
   */
  every(ms: number, run: () => void): Timer;
}

/** What {@linkcode Clock.every} started. */
export interface Timer extends Disposable {
  /** No call follows; may be stopped again. */
  stop(): void;
}

/** The machine's own clock. */
export class SystemClock implements Clock {
  readonly #skewMs: number;

  /** @param skewMs How far its calendar is off the machine's, in ms: for tests. */
  constructor(skewMs: number = 0) {
    this.#skewMs = skewMs;
  }

  nowMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now() + this.#skewMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  every(ms: number, run: () => void): Timer {
    const timer = setInterval(run, ms);
    Deno.unrefTimer(timer);
    const stop = () => clearInterval(timer);
    return { stop, [Symbol.dispose]: stop };
  }
}
