import { askInfo } from "../client/questions.ts";
import { PeerConnection } from "../net/peer_connection.ts";
import { isPeerFailure, isUnknownToPeer, PeerUnreachable } from "../net/peer_errors.ts";
import type { NodeAddress } from "../protocol/address.ts";
import type { WireDependencies } from "./wire.ts";

/**
 * A `NODE PING` goes out on a quiet link after this, in ms. It only keeps the link from being idle
 * for the 60 s after which a node closes it; a death is noticed without it.
 */
const pingMs = 25_000;

/** How long an answer may take, in ms. A node that is stopped or swamped is not dead. */
const answerMs = 20_000;

/** Who answers at the address of a node. */
export type NodeLinkEnd = "ouroboros" | "original";

/**
 * A connection to a node that is held open to notice the node's death at once, whoever started the
 * node: a process that ends closes its sockets. At rest it costs one ping in 25 s.
 */
export class NodeLink implements Disposable {
  readonly #peer: PeerConnection;
  readonly #clock: WireDependencies["clock"];
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.#peer.close();

  private constructor(peer: PeerConnection, clock: WireDependencies["clock"], signal: AbortSignal) {
    this.#peer = peer;
    this.#clock = clock;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /**
   * Connects; `undefined` when nobody listens. When the signal aborts, the link is closed, and what
   * is under way on it fails.
   *
   * @throws {PeerUnreachable} When the address is only slow or out of reach.
   */
  static async open(
    deps: WireDependencies,
    address: NodeAddress,
    signal: AbortSignal,
  ): Promise<NodeLink | undefined> {
    try {
      const peer = await PeerConnection.dial(deps, address, { timeoutMs: 2_000, signal });
      return new NodeLink(peer, deps.clock, signal);
    } catch (error) {
      if (error instanceof PeerUnreachable && error.refused) return undefined;
      throw error;
    }
  }

  /**
   * What the node tells of itself; `original` when it is a node of the original program, which does not
   * know the question.
   *
   * @throws {PeerError} When it cannot tell now: it is one of ours that is busy, or mends its catalog.
   */
  async info(): Promise<ReadonlyMap<string, string> | "original"> {
    try {
      return await askInfo(this.#peer);
    } catch (error) {
      if (isUnknownToPeer(error)) return "original";
      throw error;
    }
  }

  /** Resolves when the connection has ended, for whatever reason. */
  async ended(): Promise<void> {
    const peer = this.#peer;
    // Without a request under way, silence is as it should be.
    peer.setStall(0);
    try {
      while (!this.#signal.aborted) {
        if (await this.#newsWithin(pingMs)) return;
        await peer.request({ kind: "node-ping" }, { deadlineMs: answerMs });
      }
    } catch (error) {
      if (!isPeerFailure(error)) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#peer.close();
  }

  /** Whether anything comes unasked, the end above all. */
  async #newsWithin(ms: number): Promise<boolean> {
    const quiet = new AbortController();
    let news = false;
    this.#peer.reader.prefetch(() => {
      news = true;
      quiet.abort();
    });
    await this.#clock.sleep(ms, AbortSignal.any([this.#signal, quiet.signal])).catch(() => {
      // Woken early: by news, or by the signal, which the caller looks at.
    });
    return news;
  }
}
