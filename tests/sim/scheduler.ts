import { TimerQueue } from "../../src/ring/timer_queue.ts";
import { SeededRandom } from "../support/seeded_random.ts";

/**
 * Virtual time: whatever is to happen waits in one queue, in the order of its time, and the clock
 * jumps from one to the next. Everything random comes from one seed, so a run can be repeated.
 */
export class Scheduler {
  readonly random: SeededRandom;
  readonly #timers = new TimerQueue();
  #nowMs = 0;
  #events = 0;

  constructor(readonly seed: number) {
    this.random = new SeededRandom(seed);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** What has happened so far. */
  get events(): number {
    return this.#events;
  }

  /** Has something happen in `ms`; the result cancels it. */
  after(ms: number, run: () => void): () => void {
    const timer = this.#timers.add(this.#nowMs + ms, run);
    return () => {
      timer.cancelled = true;
    };
  }

  /** Lets `ms` pass. */
  runFor(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (
      let timer = this.#timers.takeDue(endMs);
      timer !== undefined;
      timer = this.#timers.takeDue(endMs)
    ) {
      this.#nowMs = timer.atMs;
      this.#events++;
      timer.run();
    }
    this.#nowMs = endMs;
  }

  /** Whether something happens that does so with this chance, 0 to 1. */
  chance(probability: number): boolean {
    return probability > 0 && this.random.integer(1_000_000) < probability * 1_000_000;
  }

  /** A number of milliseconds between two. */
  between(leastMs: number, mostMs: number): number {
    return leastMs + this.random.integer(1_000) / 1_000 * (mostMs - leastMs);
  }
}
