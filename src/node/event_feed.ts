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
import { EventLog, type LogPiece } from "../runtime/event_log.ts";

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

/** How long a listener hears nothing, in ms, before it is told that nothing has happened. */
export const eventIdleMs = 15_000;

/**
 * Files that are told of one by one in a second. Of more only their number is told: thousands of pushes
 * a second would leave nothing else among the events that are kept.
 */
export const fileEventsMax = 20;

/** That second, in ms. */
const fileWindowMs = 1_000;

/** The events of a node. One costs its object; nothing is written for it unless somebody listens. */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #log: EventLog<RingEvent>;
  #windowEndsMs = -Infinity;
  #filesInWindow = 0;
  #filesUntold = 0;

  constructor(options: EventFeedOptions) {
    this.#options = options;
    this.#log = new EventLog({
      clock: options.clock,
      keptMax: eventsKept,
      idleMs: eventIdleMs,
    });
  }

  /** How many events there were. */
  get told(): number {
    return this.#log.count;
  }

  /** How many listen now. */
  get listeners(): number {
    return this.#log.listeners;
  }

  /** Tells an event. */
  tell(happening: Happening): void {
    const isFile = happening.kind === "file-stored" || happening.kind === "file-deleted";
    if (isFile && !this.#mayTellFile()) return;
    const { by, clock, run } = this.#options;
    const id = formatEventId({ run, number: this.#log.count + 1 });
    this.#log.append({ id, timeMs: clock.wallMs(), by, ...happening });
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
    if (this.listeners >= listenersMax) throw new BusyError(errors.busy);
    let isFirst = true;
    for await (const piece of this.#log.listen(this.#numberOf(after), signal)) {
      const lines = linesOf(piece);
      yield lines.length > 0 || isFirst ? lines : [{ kind: "idle" }];
      isFirst = false;
    }
  }

  /** Ends all listening. */
  close(): void {
    this.#log.close();
  }

  /** The number of the event that a listener has heard last, or of the last one that is gone. */
  #numberOf(id: string): number {
    const heard = parseEventId(id);
    const isOurs = heard?.run === this.#options.run && heard.number <= this.#log.count;
    return isOurs ? heard.number : this.#log.forgotten;
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
      clock.sleep(fileWindowMs, this.#log.closed).then(
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

function linesOf({ missed, events }: LogPiece<RingEvent>): EventLine[] {
  const lines: EventLine[] = events.map(({ event }) => ({ kind: "event", event }));
  return missed > 0 ? [{ kind: "missed", count: missed }, ...lines] : lines;
}
