import type { Clock } from "./clock.ts";

/** The limits of an {@linkcode EventLog}. */
export interface EventLogOptions {
  readonly clock: Clock;
  /** Events that are kept, so that who comes later, or is slow, still hears of them. */
  readonly keptMax: number;
  /** How long a listener hears nothing, in ms, before it gets an empty piece. */
  readonly idleMs: number;
}

/** What a listener hears at once; nothing of either when nothing has happened for a while. */
export interface LogPiece<T> {
  /** Events that came before these and are gone. */
  readonly missed: number;
  readonly events: readonly NumberedEvent<T>[];
}

/** An event and its place among all. */
export interface NumberedEvent<T> {
  /** Counts from 1. */
  readonly number: number;
  readonly event: T;
}

/** Events that a listener gets at once. */
const pieceMax = 64;

/**
 * The last events of something, for who was there and for who comes later.
 *
 * There is no queue for a listener. Each goes through the kept events at its own pace; one that is so
 * slow that they are gone hears how many it has missed.
 */
export class EventLog<T> {
  readonly #options: EventLogOptions;
  /** The kept events, the oldest first; the last one has the number `#count`. */
  readonly #kept: T[] = [];
  /** Wakes the listeners that have heard everything. */
  readonly #waiting = new Set<() => void>();
  readonly #closed = new AbortController();
  #listeners = 0;
  #count = 0;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  /** How many events there were, which is the number of the last one. */
  get count(): number {
    return this.#count;
  }

  /** How many of them are gone. */
  get forgotten(): number {
    return this.#count - this.#kept.length;
  }

  /** How many listen now. */
  get listeners(): number {
    return this.#listeners;
  }

  /** Aborts when the log is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Adds an event, whose number {@linkcode EventLog.count} is then, and wakes who listens. */
  append(event: T): void {
    this.#count++;
    this.#kept.push(event);
    if (this.#kept.length > this.#options.keptMax) this.#kept.shift();
    for (const wake of this.#waiting) wake();
  }

  /**
   * What a listener hears until the signal aborts or the log is closed. The first piece comes at once,
   * and may be empty.
   *
   * @param after the number of the last event that it has heard; 0: none
   */
  async *listen(after: number, signal: AbortSignal): AsyncGenerator<LogPiece<T>> {
    this.#listeners++;
    try {
      let heard = after;
      let isFirst = true;
      while (!signal.aborted && !this.#closed.signal.aborted) {
        const piece = this.#after(heard);
        heard += piece.missed + piece.events.length;
        if (piece.events.length > 0 || isFirst) yield piece;
        else if (!await this.#somethingHappens(signal)) yield piece;
        isFirst = false;
      }
    } finally {
      this.#listeners--;
    }
  }

  /** Ends all listening. */
  close(): void {
    this.#closed.abort();
    for (const wake of this.#waiting) wake();
  }

  #after(heard: number): LogPiece<T> {
    const missed = Math.max(0, this.forgotten - heard);
    const from = heard + missed - this.forgotten;
    const events = this.#kept.slice(from, from + pieceMax)
      .map((event, index) => ({ number: heard + missed + index + 1, event }));
    return { missed, events };
  }

  /** Waits for the next event; false when there is none for the time that a listener may wait. */
  async #somethingHappens(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = () => resolve(true);
    const { clock, idleMs } = this.#options;
    using _limit = clock.every(idleMs, () => resolve(false));
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    try {
      return await promise;
    } finally {
      this.#waiting.delete(wake);
      signal.removeEventListener("abort", wake);
    }
  }
}
