import type { NodeAddress } from "../protocol/address.ts";
import { clockBehind } from "../protocol/errors.ts";
import { pullCatalog } from "./catalog_exchange.ts";
import type { NodeContext } from "./context.ts";

/** A member that a node catches up with. */
export interface CatchUpPeer {
  readonly address: NodeAddress;
  /** The root of its catalog's digest when it answered. */
  readonly catalogDigest: string;
}

/**
 * Brings a node up to date that may have missed an acknowledged version: one that starts, that was
 * stopped for longer than its lease, that was marked Dead, or that lost its catalog. Each of the
 * peers takes part in every commit, so that the records of all of them together are complete.
 *
 * @throws {Error} when a peer did not answer: the ring asks again, without the ones that are gone. Also when
 * this node's calendar is years behind a peer's, and it could not take what it missed.
 */
export async function catchUp(
  context: NodeContext,
  peers: readonly CatchUpPeer[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(peers.map(async ({ address, catalogDigest }) => {
    signal.throwIfAborted();
    if (catalogDigest === context.catalog.digest.root()) return;
    const { ahead } = await pullCatalog(context, address);
    if (ahead > 0) throw new Error(clockBehind(address, ahead));
  }));
  signal.throwIfAborted();
  context.repair.enqueueAll();
}
