import { openEvents } from "../../client/events.ts";
import { isUnknownToPeer } from "../../net/peer_errors.ts";
import { PeerConnection, type PeerDependencies } from "../../net/peer_connection.ts";
import type { NodeAddress } from "../../protocol/address.ts";
import type { RingEvent } from "../../protocol/ring_event.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";

/** What a {@linkcode NodeFollower} works with. */
export interface NodeFollowerDependencies extends PeerDependencies {
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a {@linkcode NodeFollower} is told to do. */
export interface NodeFollowerOptions {
  readonly address: NodeAddress;
  /** Takes each event. */
  readonly onEvent: (event: RingEvent) => void;
  /** The node's directory was made anew, and with it the numbers of its lives may begin anew. */
  readonly onNewIncarnation: () => void;
}

/** How long a node may take to be connected, in ms. */
const dialMs = 2_000;

/**
 * How soon a node that is not reached is tried again, in ms, then twice that …: a refused dial each.
 * Shorter: less is missed of a node that dies again soon.
 */
const retryFirstMs = 250;

/** … up to this. */
const retryMaxMs = 4_000;

/** How soon a node of the original program is asked again, in ms: another one may have its place. */
const originalMs = 60_000;

/** Hears what happens at one node, also when it comes back, and never the same twice. */
export class NodeFollower {
  readonly #dependencies: NodeFollowerDependencies;
  readonly #options: NodeFollowerOptions;
  /** The last event heard, for the next connection. */
  #after = "0";
  #incarnation: string | undefined;
  #isConnected = false;

  constructor(dependencies: NodeFollowerDependencies, options: NodeFollowerOptions) {
    this.#dependencies = dependencies;
    this.#options = options;
  }

  /** Whether the node tells its events now. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Follows until the signal aborts; never rejects. May be called again afterwards. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#dependencies;
    const { address } = this.#options;
    let retryMs = retryFirstMs;
    while (!signal.aborted) {
      let pauseMs = retryMs;
      try {
        await this.#follow(signal, () => retryMs = retryFirstMs);
      } catch (error) {
        if (signal.aborted) return;
        // Whatever it is, the node is tried again; the ring itself finds out what is wrong with it.
        log.debug("node tells no events", { node: address, error });
        const isOriginal = isUnknownToPeer(error);
        pauseMs = isOriginal ? originalMs : retryMs;
      }
      retryMs = Math.min(2 * retryMs, retryMaxMs);
      await clock.sleep(pauseMs, signal).catch(() => {/* stopped: the loop sees it */});
    }
  }

  async #follow(signal: AbortSignal, onConnected: () => void): Promise<void> {
    const { address, onEvent } = this.#options;
    using peer = await PeerConnection.dial(this.#dependencies, address, {
      timeoutMs: dialMs,
      signal,
    });
    const leave = () => peer.close();
    signal.addEventListener("abort", leave, { once: true });
    try {
      await peer.ensureProgram(dialMs);
      this.#met(peer.info.get("incarnation"));
      const lines = await openEvents(peer, this.#after);
      this.#isConnected = true;
      onConnected();
      for await (const line of lines) {
        if (line.kind !== "event") continue;
        this.#after = line.event.id;
        onEvent(line.event);
      }
    } finally {
      this.#isConnected = false;
      signal.removeEventListener("abort", leave);
    }
  }

  #met(incarnation: string | undefined): void {
    if (this.#incarnation !== undefined && incarnation !== this.#incarnation) {
      this.#options.onNewIncarnation();
    }
    this.#incarnation = incarnation;
  }
}
