import type { NodeAddress } from "../../protocol/address.ts";
import { errors } from "../../protocol/errors.ts";
import {
  formatEvent,
  formatEventId,
  parseEventId,
  type RingEvent,
} from "../../protocol/ring_event.ts";
import { BusyError } from "../../net/busy_error.ts";
import { EventLog, type LogPiece } from "../../runtime/event_log.ts";
import type { NodePicker, StatusChange } from "../node_picker.ts";
import { NodeFollower, type NodeFollowerDependencies } from "./node_follower.ts";
import { StatusFilter } from "./status_filter.ts";

/** What an {@linkcode EventHub} works with. */
export interface EventHubDependencies extends NodeFollowerDependencies {
  readonly picker: Pick<NodePicker, "candidates">;
  /** This gateway, which tells what nobody else does. */
  readonly self: NodeAddress;
  /** Names this process: letters and digits. */
  readonly run: string;
}

/** Events that are kept for clients that come, or come back. */
export const hubEventsKept = 512;

/** Clients at once: each has a connection of the gateway, of which there are 1,024. */
export const hubListenersMax = 64;

/** How often a client is told that it is still connected, in ms: proxies give up after 30 s or more. */
const heartbeatMs = 15_000;

/** How long the nodes are followed when nobody listens any more, in ms: pages are loaded again. */
const lingerMs = 30_000;

/** How often it is looked whether the ring has new nodes, in ms, while somebody listens. */
const lookMs = 1_000;

/**
 * How long events of different nodes are collected to be told in order, in ms: first, when all nodes
 * tell what was before …
 */
const settleMs = 400;

/** … and then. */
const collectMs = 50;

/** Events that are collected at most. */
const collectedMax = 4 * hubEventsKept;

/** Changes of the netmap that are kept while nobody listens. */
const changesMax = 64;

/** An event as clients get it. */
export interface HubEvent {
  /** By which a client says where it was. */
  readonly id: string;
  /** The event in JSON. */
  readonly json: string;
}

/** What a client gets at once; nothing when nothing has happened for a while. */
export interface HubPiece {
  /** Events that are gone. */
  readonly missed: number;
  readonly events: readonly HubEvent[];
}

/**
 * What happens in the ring, from all nodes together.
 *
 * 1. The nodes are followed only while a client listens, and a little longer. They keep their last
 *    events themselves, so the first client still hears of what was before it came, this process being
 *    young included; what a node that has died had kept is lost.
 * 2. A change of a node's status is told once, however many nodes tell it.
 * 3. Nodes of the original program tell nothing: while no node of ours does, the netmap is watched.
 */
export class EventHub {
  readonly #dependencies: EventHubDependencies;
  readonly #log: EventLog<string>;
  readonly #statuses = new StatusFilter();
  readonly #followers = new Map<NodeAddress, NodeFollower>();
  #collected: RingEvent[] = [];
  /** Changes of the netmap that perhaps no node tells of. */
  #changes: RingEvent[] = [];
  #told = 0;
  #settledMs = Infinity;
  #wake: (() => void) | undefined;

  constructor(dependencies: EventHubDependencies) {
    this.#dependencies = dependencies;
    const { clock } = dependencies;
    this.#log = new EventLog({ clock, keptMax: hubEventsKept, idleMs: heartbeatMs });
  }

  /** Clients that listen now. */
  get listeners(): number {
    return this.#log.listeners;
  }

  /** Follows the nodes while somebody listens, until the signal aborts; then all listening ends. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#wake?.();
    signal.addEventListener("abort", stop, { once: true });
    while (!signal.aborted) {
      if (this.listeners === 0) await new Promise<void>((resolve) => this.#wake = resolve);
      if (!signal.aborted) await this.#followAll(signal);
    }
    this.#log.close();
  }

  /**
   * What a client hears, until its signal aborts or the gateway stops.
   *
   * @param lastId of the last event that it has heard; any other text: all that are kept
   * @throws {BusyError} when too many listen.
   */
  async *listen(lastId: string, signal: AbortSignal): AsyncGenerator<HubPiece> {
    if (this.listeners >= hubListenersMax) throw new BusyError(errors.busy);
    const { run } = this.#dependencies;
    const last = parseEventId(lastId);
    const isOurs = last?.run === run && last.number <= this.#log.count;
    const pieces = this.#log.listen(isOurs ? last.number : this.#log.forgotten, signal);
    const toPiece = ({ missed, events }: LogPiece<string>): HubPiece => ({
      missed,
      events: events.map(({ number, event }) => ({
        id: formatEventId({ run, number }),
        json: event,
      })),
    });
    for await (const piece of pieces) {
      this.#wake?.();
      yield toPiece(piece);
    }
  }

  /** The gateway has seen changes in the netmap. */
  netmapChanged(changes: readonly StatusChange[]): void {
    const { clock, run, self } = this.#dependencies;
    for (const { address: node, from, to } of changes) {
      if (from === "unknown") continue;
      const id = formatEventId({ run, number: ++this.#told });
      const about = { id, timeMs: clock.wallMs(), by: self, node, epoch: 0 };
      const event: RingEvent = to === "Dead"
        ? { ...about, kind: "node-died", reason: "the netmap says so" }
        : { ...about, kind: "node-alive" };
      this.#changes.push(event);
    }
    this.#changes = this.#changes.slice(-changesMax);
    this.#reviewChanges();
  }

  /** Follows every node until nobody has listened for a while. */
  async #followAll(signal: AbortSignal): Promise<void> {
    const { clock, picker } = this.#dependencies;
    const stop = new AbortController();
    const all = AbortSignal.any([signal, stop.signal]);
    const running = new Map<NodeAddress, Promise<void>>();
    this.#settledMs = clock.nowMs() + settleMs;
    let heardMs = clock.nowMs();
    while (!signal.aborted && clock.nowMs() - heardMs < lingerMs) {
      for (const address of picker.candidates()) {
        if (!running.has(address)) running.set(address, this.#followerOf(address).run(all));
      }
      await clock.sleep(lookMs, signal).catch(() => {/* stopped: the loop sees it */});
      this.#reviewChanges();
      if (this.listeners > 0) heardMs = clock.nowMs();
    }
    stop.abort();
    await Promise.all(running.values());
    this.#tellCollected();
    this.#settledMs = Infinity;
  }

  #followerOf(address: NodeAddress): NodeFollower {
    const known = this.#followers.get(address);
    if (known !== undefined) return known;
    const follower = new NodeFollower(this.#dependencies, {
      address,
      onEvent: (event) => this.#collect(event),
      onNewIncarnation: () => this.#statuses.forget(address),
    });
    this.#followers.set(address, follower);
    return follower;
  }

  #collect(event: RingEvent): void {
    const { clock } = this.#dependencies;
    this.#collected.push(event);
    if (this.#collected.length >= collectedMax) return this.#tellCollected();
    if (this.#collected.length > 1) return;
    const waitMs = Math.max(collectMs, this.#settledMs - clock.nowMs());
    clock.sleep(waitMs, this.#log.closed).then(
      () => this.#tellCollected(),
      () => {
        // The gateway stops; nobody is left to be told.
      },
    );
  }

  /** Tells what was collected, in the order of its times. */
  #tellCollected(): void {
    const events = this.#collected.toSorted((a, b) => a.timeMs - b.timeMs);
    this.#collected = [];
    for (const event of events) {
      if (this.#statuses.isNews(event)) this.#log.append(formatEvent(event));
    }
  }

  /** Tells the changes of the netmap once it is clear that no node does. */
  #reviewChanges(): void {
    if (this.#dependencies.clock.nowMs() < this.#settledMs) return;
    const changes = this.#changes;
    this.#changes = [];
    if ([...this.#followers.values()].some(({ isConnected }) => isConnected)) return;
    for (const event of changes) {
      const status = event.kind === "node-died" ? "Dead" : "Alive";
      if (this.#statuses.guess(event.node, status)) this.#log.append(formatEvent(event));
    }
  }
}
