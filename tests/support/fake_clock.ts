import { setImmediate } from "node:timers";
import type { Clock, Timer } from "../../src/runtime/clock.ts";

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #nowMs: number;
  readonly #entries = new Set<Entry>();

  /** @param startMs what both `nowMs` and `wallMs` say at first. */
  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  /** Sleeps and repeated calls that are under way. */
  get pending(): number {
    return this.#entries.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        this.#entries.delete(entry);
        reject(signal?.reason);
      };
      const entry: Entry = {
        dueMs: this.#nowMs + ms,
        run: () => {
          this.#entries.delete(entry);
          signal?.removeEventListener("abort", stop);
          resolve();
        },
      };
      this.#entries.add(entry);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  every(ms: number, run: () => void): Timer {
    const entry: Entry = {
      dueMs: this.#nowMs + ms,
      run: () => {
        entry.dueMs = this.#nowMs + ms;
        run();
      },
    };
    this.#entries.add(entry);
    const stop = () => void this.#entries.delete(entry);
    return { stop, [Symbol.dispose]: stop };
  }

  /**
   * Moves the time on; what falls due runs in order, each at its own time, and promises settle
   * after each. The process seems to have run all the while; see {@linkcode FakeClock.jump}.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.run();
      await settle();
    }
    this.#nowMs = endMs;
  }

  /**
   * Moves the time on as if the process had stood still meanwhile: what fell due runs late, and a
   * repeated call runs only once.
   */
  async jump(ms: number): Promise<void> {
    this.#nowMs += ms;
    const due = [...this.#entries].filter((entry) => entry.dueMs <= this.#nowMs);
    for (const entry of due.toSorted((a, b) => a.dueMs - b.dueMs)) {
      if (!this.#entries.has(entry)) continue;
      entry.run();
      await settle();
    }
  }

  #next(endMs: number): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.dueMs <= endMs && (next === undefined || entry.dueMs < next.dueMs)) next = entry;
    }
    return next;
  }
}

/** Lets everything run that waits for promises only. */
export function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

interface Entry {
  dueMs: number;
  readonly run: () => void;
}
