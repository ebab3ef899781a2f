import type { NodeAddress } from "../protocol/address.ts";
import { clocksDiffer } from "../protocol/errors.ts";
import { isDatedFarAhead } from "../protocol/ulid.ts";
import type { PeerPool } from "../net/peer_pool.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { RingDriver } from "./driver.ts";

/** How long a member may take to be reached and to say what time it is, in ms. */
const askMs = 2_000;

/** What the calendars of the others are asked with. */
export interface PeerClocksDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly peers: Pick<PeerPool, "borrow">;
  readonly ring: Pick<RingDriver, "commitMembers" | "programOf">;
  readonly self: NodeAddress;
}

/**
 * What the calendars of the other members say. Each tells it in `NODE INFO`, which is asked once a
 * connection anyway; from then on this node counts on by its own clock that never jumps, so that it
 * notices when its own calendar is set wrong, too.
 *
 * A record that {@linkcode isDatedFarAhead} of a member's calendar is refused there.
 * If it were in this node's catalog by then, the nodes would disagree on its name for as long.
 */
export class PeerClocks {
  readonly #deps: PeerClocksDependencies;
  /** A member's calendar less this node's clock, in ms; Infinity for who does not tell. */
  readonly #offsets = new Map<NodeAddress, number>();

  constructor(deps: PeerClocksDependencies) {
    this.#deps = deps;
  }

  /** A peer has answered `NODE INFO`, or does not know it. */
  heard(address: NodeAddress, info: ReadonlyMap<string, string>): void {
    const wallMs = Number(info.get("time_ms") ?? NaN);
    const offset = Number.isFinite(wallMs) ? wallMs - this.#deps.clock.nowMs() : Infinity;
    this.#offsets.set(address, offset);
  }

  /** A peer is gone: whoever comes back at its address may have another calendar. */
  forget(address: NodeAddress): void {
    this.#offsets.delete(address);
  }

  /** What the calendar of a peer says now, in ms; Infinity if it never tells, nothing before it did. */
  wallMs(address: NodeAddress): number | undefined {
    const offset = this.#offsets.get(address);
    return offset === undefined ? undefined : offset + this.#deps.clock.nowMs();
  }

  /**
   * Makes sure that every member will take a record of this time. It asks nobody but those that this
   * node has never talked to, and, before it refuses, those that seem to be behind.
   *
   * @param timeMs that of the record's version, milliseconds since the epoch
   * @throws {Error} `the clocks differ …`
   */
  async require(timeMs: number): Promise<void> {
    const doubtful = this.#members().filter((member) =>
      this.#wouldRefuse(member, timeMs) !== false
    );
    if (doubtful.length === 0) return;
    await Promise.all(doubtful.map((member) => this.#ask(member, timeMs)));
    for (const member of doubtful) {
      const wallMs = this.wallMs(member);
      if (wallMs === undefined || this.#wouldRefuse(member, timeMs) === false) continue;
      throw new Error(
        clocksDiffer({ date: isoTime(timeMs), member, memberDate: isoTime(wallMs) }),
      );
    }
  }

  #members(): readonly NodeAddress[] {
    const { ring, self } = this.#deps;
    return ring.commitMembers().filter((member) =>
      member !== self && ring.programOf(member) !== "original"
    );
  }

  /** `undefined`: nobody knows. */
  #wouldRefuse(member: NodeAddress, timeMs: number): boolean | undefined {
    const wallMs = this.wallMs(member);
    return wallMs === undefined ? undefined : isDatedFarAhead(timeMs, wallMs);
  }

  /** Asks a member again; one that cannot be asked is left to the commit, which finds it dead. */
  async #ask(member: NodeAddress, timeMs: number): Promise<void> {
    const { log, peers } = this.#deps;
    // A connection at rest was asked when it was made, which only helps if nothing is known at all.
    let fresh = this.#wouldRefuse(member, timeMs) === true;
    try {
      do {
        using peer = await peers.borrow(member, { timeoutMs: askMs, fresh });
        await peer.ensureProgram(askMs);
        peer.release();
        if (fresh) return;
        fresh = true;
      } while (this.wallMs(member) === undefined);
    } catch (error) {
      log.debug("a member does not say what time it is", { member, reason: `${error}` });
    }
  }
}

/** A time to the second; what no calendar has, in milliseconds. */
function isoTime(ms: number): string {
  if (!(Math.abs(ms) <= calendarMsMax)) return `${ms} ms`;
  return new Date(ms).toISOString().replace(/\.[0-9]+/, "");
}

/** The last moment of the language's calendar, in ms. */
const calendarMsMax = 8.64e15;
