import type { NodeAddress } from "../protocol/address.ts";
import { errors } from "../protocol/errors.ts";
import {
  type EventLine,
  formatEventId,
  type Happening,
  parseEventId,
  type RingEvent,
} from "../protocol/ring_event.ts";
import { BusyError } from "../net/busy_error.ts";
import type { Clock } from "../runtime/clock.ts";

/** What an {@linkcode EventFeed} is made of. */
export interface EventFeedOptions {
  /** The node that tells. */
  readonly by: NodeAddress;
  /** Names this process: letters and digits. */
  readonly run: string;
  readonly clock: Clock;
}

/**
 * The events of a node that are kept. More show a listener more of what was before it came, and cost
 * some hundred bytes each.
 */
export const eventsKept = 256;

/** Who may listen at once: a gateway each. */
export const listenersMax = 8;

/** Events that are given to a listener at once. */
const batchMax = 64;

/** How long a listener hears nothing, in ms, before it is told that nothing has happened. */
export const eventIdleMs = 15_000;

/**
 * Files that are told of one by one in a second. Of more only their number is told: thousands of pushes
 * a second would leave nothing else among the events that are kept.
 */
export const fileEventsMax = 20;

/** That second, in ms. */
const fileWindowMs = 1_000;

/**
 * The events of a node: the last ones are kept, and who listens hears of each new one at once.
 *
 * 1. An event costs its object; nothing is written for it unless somebody listens.
 * 2. There is no queue for a listener. Each goes through the kept events at its own pace; one that is
 *    so slow that they are gone hears how many it has missed.
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  /** The kept events, the oldest first; the last one has the number `#count`. */
  readonly #kept: RingEvent[] = [];
  readonly #listening = new Set<AbortController>();
  readonly #closed = new AbortController();
  #listeners = 0;
  #count = 0;
  #windowEndsMs = -Infinity;
  #filesInWindow = 0;
  #filesUntold = 0;

  constructor(options: EventFeedOptions) {
    this.#options = options;
  }

  /** How many events there were. */
  get told(): number {
    return this.#count;
  }

  /** How many listen now. */
  get listeners(): number {
    return this.#listeners;
  }

  /** Tells an event. */
  tell(happening: Happening): void {
    const isFile = happening.kind === "file-stored" || happening.kind === "file-deleted";
    if (isFile && !this.#mayTellFile()) return;
    const { by, clock, run } = this.#options;
    const id = formatEventId({ run, number: ++this.#count });
    this.#kept.push({ id, timeMs: clock.wallMs(), by, ...happening });
    if (this.#kept.length > eventsKept) this.#kept.shift();
    for (const listening of this.#listening) listening.abort();
  }

  /**
   * What a listener hears, in pieces, until the signal aborts or the feed is closed. The first piece
   * comes at once and may be empty.
   *
   * @param after the id of the last event that the listener has heard; with any other id, or one of
   * another process, it hears all that are kept
   * @throws {BusyError} when too many listen.
   */
  async *listen(after: string, signal: AbortSignal): AsyncGenerator<readonly EventLine[]> {
    if (this.#listeners >= listenersMax) throw new BusyError(errors.busy);
    this.#listeners++;
    try {
      let heard = this.#numberOf(after);
      let isFirst = true;
      while (!signal.aborted && !this.#closed.signal.aborted) {
        const lines = this.#linesAfter(heard);
        for (const line of lines) heard += line.kind === "missed" ? line.count : 1;
        if (lines.length > 0 || isFirst) yield lines;
        else if (!await this.#somethingHappens(signal)) yield [{ kind: "idle" }];
        isFirst = false;
      }
    } finally {
      this.#listeners--;
    }
  }

  /** Ends all listening. */
  close(): void {
    this.#closed.abort();
    for (const listening of this.#listening) listening.abort();
  }

  /** The number of the event that a listener has heard last; 0 when it has heard none of this process. */
  #numberOf(id: string): number {
    const heard = parseEventId(id);
    const isOurs = heard?.run === this.#options.run && heard.number <= this.#count;
    return isOurs ? heard.number : this.#count - this.#kept.length;
  }

  #linesAfter(heard: number): EventLine[] {
    const forgotten = this.#count - this.#kept.length;
    const missed = forgotten - heard;
    const from = Math.max(0, -missed);
    const lines: EventLine[] = this.#kept.slice(from, from + batchMax)
      .map((event) => ({ kind: "event", event }));
    return missed > 0 ? [{ kind: "missed", count: missed }, ...lines] : lines;
  }

  /** Waits for the next event; false when there is none for {@linkcode eventIdleMs}. */
  async #somethingHappens(signal: AbortSignal): Promise<boolean> {
    const listening = new AbortController();
    const wake = () => listening.abort();
    this.#listening.add(listening);
    signal.addEventListener("abort", wake, { once: true });
    try {
      await this.#options.clock.sleep(eventIdleMs, listening.signal);
      return false;
    } catch (error) {
      if (!listening.signal.aborted) throw error;
      return true;
    } finally {
      this.#listening.delete(listening);
      signal.removeEventListener("abort", wake);
    }
  }

  /** Whether a file may be told of by itself; else it is counted, and told with others a little later. */
  #mayTellFile(): boolean {
    const { clock } = this.#options;
    if (clock.nowMs() >= this.#windowEndsMs) {
      this.#windowEndsMs = clock.nowMs() + fileWindowMs;
      this.#filesInWindow = 0;
    }
    if (++this.#filesInWindow <= fileEventsMax) return true;
    if (++this.#filesUntold === 1) {
      clock.sleep(fileWindowMs, this.#closed.signal).then(
        () => this.#tellFiles(),
        () => {
          // The feed is closed; nobody is left to be told.
        },
      );
    }
    return false;
  }

  #tellFiles(): void {
    const count = this.#filesUntold;
    this.#filesUntold = 0;
    this.tell({ kind: "files-changed", node: this.#options.by, count });
  }
}
