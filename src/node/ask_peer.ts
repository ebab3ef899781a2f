import type { NodeAddress } from "../protocol/address.ts";
import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerUnreachable } from "../net/peer_errors.ts";
import type { NodeContext } from "./context.ts";

/** How long a node may take to be reached, in ms. */
const dialMs = 2_000;

/**
 * Has `exchange` talk to another node whose program is known, and tries once more on a fresh
 * connection when a pooled one turned out dead. `exchange` must be safe to repeat, and releases the
 * connection when it is complete; else it is closed unless it is part of the result.
 */
export async function askPeer<T>(
  context: NodeContext,
  address: NodeAddress,
  exchange: (peer: PeerConnection, program: "ouroboros" | "original") => Promise<T>,
): Promise<T> {
  for (let fresh = false;; fresh = true) {
    const peer = await context.peers.borrow(address, { timeoutMs: dialMs, fresh });
    try {
      return await exchange(peer, await peer.ensureProgram());
    } catch (error) {
      peer.close();
      const stale = error instanceof PeerUnreachable && error.kind === "broken" && !peer.fresh;
      if (!stale) throw error;
    }
  }
}
