import type { NodeAddress } from "../protocol/address.ts";
import type { StatusEffect } from "../ring/effects.ts";
import type { Clock } from "../runtime/clock.ts";
import type { NodeCounters } from "./counters.ts";
import type { EventFeed } from "./event_feed.ts";
import type { Respawner, RespawnOutcome } from "./respawn.ts";

/** What a {@linkcode RingObserver} works with. */
export interface RingObserverOptions {
  readonly clock: Clock;
  readonly counters: NodeCounters;
  readonly events: EventFeed;
  /** Starts the processes. */
  readonly respawner: Respawner;
}

/** A member that is not Alive. */
interface Outage {
  /** Since when, by `clock.nowMs`, as far as this process knows. */
  readonly sinceMs: number;
  /** How often this node has tried to start it again. */
  attempts: number;
}

/**
 * Counts and tells what becomes of the other members. It stands between the ring and what starts
 * processes, so that it sees every attempt; the ring knows nothing of it.
 */
export class RingObserver implements Respawner {
  readonly #options: RingObserverOptions;
  /** The members that are not Alive, which are as few as the ring's. */
  readonly #outages = new Map<NodeAddress, Outage>();

  constructor(options: RingObserverOptions) {
    this.#options = options;
  }

  /** The status of another member has changed. */
  changed({ member, reason }: StatusEffect): void {
    const { counters, events } = this.#options;
    const { address: node, epoch, status } = member;
    switch (status) {
      case "Dead":
        if (reason !== undefined) counters.healing.deaths++;
        this.#outageOf(node);
        return events.tell({ kind: "node-died", node, epoch, reason: reason ?? heardReason });
      case "Joining":
        return events.tell({ kind: "node-joining", node, epoch });
      case "Alive":
        events.tell({ kind: "node-alive", node, epoch });
        return this.#ended(node);
    }
  }

  async respawn(
    node: NodeAddress,
    options: string,
    signal: AbortSignal,
  ): Promise<RespawnOutcome> {
    const { counters, events, respawner } = this.#options;
    const outage = this.#outageOf(node);
    counters.healing.started++;
    events.tell({ kind: "heal-started", node, attempt: ++outage.attempts });
    const outcome = await respawner.respawn(node, options, signal);
    if (outcome.kind === "started") events.tell({ kind: "node-respawned", node });
    if (outcome.kind === "failed") {
      counters.healing.failed++;
      events.tell({ kind: "heal-failed", node, reason: outcome.reason });
    }
    return outcome;
  }

  #outageOf(node: NodeAddress): Outage {
    const known = this.#outages.get(node);
    if (known !== undefined) return known;
    const outage = { sinceMs: this.#options.clock.nowMs(), attempts: 0 };
    this.#outages.set(node, outage);
    return outage;
  }

  #ended(node: NodeAddress): void {
    const outage = this.#outages.get(node);
    this.#outages.delete(node);
    if (outage === undefined || outage.attempts === 0) return;
    const { clock, counters, events } = this.#options;
    const seconds = (clock.nowMs() - outage.sinceMs) / 1000;
    counters.healing.durations.add(seconds);
    events.tell({ kind: "heal-finished", node, seconds });
  }
}

/** The reason of a death that another node has noticed. */
const heardReason = "another node says so";
