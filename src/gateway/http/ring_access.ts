import { BusyError } from "../../net/busy_error.ts";
import type { PeerConnection } from "../../net/peer_connection.ts";
import { isUnknownToPeer, PeerError, PeerUnreachable } from "../../net/peer_errors.ts";
import type { PeerPool } from "../../net/peer_pool.ts";
import type { NodeAddress } from "../../protocol/address.ts";
import { errors } from "../../protocol/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Balancer } from "../balancer.ts";
import type { NodePicker } from "../node_picker.ts";
import { isRefusedUntouched, Problem, ringProblem } from "./problem.ts";

/** What {@linkcode RingAccess} works with. */
export interface RingAccessDependencies {
  readonly pool: PeerPool;
  readonly picker: NodePicker;
  readonly balancer: Balancer;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How {@linkcode RingAccess.ask} asks. */
export interface AskOptions {
  /**
   * True when asking twice is as good as once: then a node that breaks off is asked again, or the
   * next one is. Else only a node that refuses before it has done anything is passed over.
   */
  readonly repeatable: boolean;
  /** Whether any refusal passes the node over, as another one may agree. By default no. */
  readonly insists?: boolean;
  /** Gives up early. */
  readonly signal?: AbortSignal;
}

/**
 * One exchange with a node. It releases the connection at its end, or keeps it for a body that is
 * still to be sent; when it throws, the connection is closed.
 */
export type Exchange<T> = (peer: PeerConnection) => Promise<T>;

/** How long a node may take to be connected, in ms, before the next one is tried. */
const dialMs = 2_000;

/** How long finding a node may take in all, in ms. */
const findMs = 5_000;

/** The ring as the HTTP side of the gateway asks it: through whichever node serves. */
export class RingAccess {
  readonly #dependencies: RingAccessDependencies;

  constructor(dependencies: RingAccessDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Runs an exchange with the first node that serves it, in the balancer's order.
   *
   * @throws {PeerError} what the ring answered.
   * @throws {Problem} when no node serves.
   */
  async ask<T>(exchange: Exchange<T>, options: AskOptions): Promise<T> {
    const { balancer, clock, log } = this.#dependencies;
    const giveUpMs = clock.nowMs() + findMs;
    let last: unknown;
    for (const address of balancer.order()) {
      options.signal?.throwIfAborted();
      if (clock.nowMs() >= giveUpMs) break;
      const asked = await this.#askNode(address, exchange, options);
      if ("answer" in asked) return asked.answer;
      last = worse(last, asked.failure);
      log.debug("node did not serve a request", { node: address, error: asked.failure });
    }
    throw noNode(last);
  }

  /** Runs an exchange with one node of the ring; nobody else will do. */
  async askAt<T>(address: NodeAddress, exchange: Exchange<T>): Promise<T> {
    const peer = await this.#dependencies.pool.borrow(address, { timeoutMs: dialMs, fresh: true });
    return await run(peer, exchange);
  }

  /** The answer, or the failure after which the next node may be asked. */
  async #askNode<T>(
    address: NodeAddress,
    exchange: Exchange<T>,
    { repeatable, insists = false, signal }: AskOptions,
  ): Promise<{ readonly answer: T } | { readonly failure: unknown }> {
    const { balancer, picker, pool } = this.#dependencies;
    // A connection that has rested may be dead: what must not be asked twice goes on a new one.
    for (let fresh = !repeatable;; fresh = true) {
      let peer: PeerConnection;
      try {
        const onEnd = balancer.begin(address);
        const dial = { timeoutMs: dialMs, fresh, onEnd, ...(signal && { signal }) };
        peer = await pool.borrow(address, dial);
      } catch (error) {
        if (!(error instanceof PeerUnreachable || error instanceof BusyError)) throw error;
        if (error instanceof PeerUnreachable && error.kind !== "local") picker.avoid(address);
        return { failure: error };
      }
      try {
        return { answer: await run(peer, exchange, signal) };
      } catch (error) {
        const isPassedOver = insists && error instanceof PeerError;
        if (isPassedOver || isRefusedUntouched(error)) return { failure: error };
        if (!repeatable || !(error instanceof PeerUnreachable)) throw error;
        if (peer.fresh || error.kind !== "broken") return { failure: error };
      }
    }
  }
}

async function run<T>(
  peer: PeerConnection,
  exchange: Exchange<T>,
  signal?: AbortSignal,
): Promise<T> {
  const leave = () => peer.close();
  signal?.addEventListener("abort", leave, { once: true });
  try {
    return await exchange(peer);
  } catch (error) {
    // An answer that says no is a complete one, and leaves the connection in step.
    if (error instanceof PeerError) peer.release();
    peer.close();
    throw error;
  } finally {
    signal?.removeEventListener("abort", leave);
  }
}

/** Of two failures the one that says more: what a node answered before what kept it from answering. */
function worse(first: unknown, second: unknown): unknown {
  return first instanceof PeerError && !isUnknownToPeer(first) ? first : second;
}

function noNode(last: unknown): unknown {
  if (isUnknownToPeer(last)) {
    return new Problem(501, "Only nodes of the original program answer: they lack what this needs");
  }
  if (last instanceof PeerError) return ringProblem(last.message, last);
  if (last instanceof BusyError) return ringProblem(errors.busy, last);
  return ringProblem(errors.noNodeAlive, last);
}
