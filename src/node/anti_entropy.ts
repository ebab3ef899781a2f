import type { NodeAddress } from "../protocol/address.ts";
import { pullCatalog } from "./catalog_exchange.ts";
import type { NodeContext } from "./context.ts";

/**
 * Keeps catalogs alike without depending on any message having arrived: every ping carries the
 * digest of the catalog, and where two differ each side fetches what the other has. At most one
 * exchange a peer is under way.
 */
export class AntiEntropy {
  readonly #context: NodeContext;
  readonly #running = new Map<NodeAddress, Promise<void>>();
  #stopped = false;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** Compares a peer's digest with this node's, and fetches what differs. */
  heard(peer: NodeAddress, digest: string): void {
    if (this.#stopped || this.#running.has(peer)) return;
    if (digest === this.#context.catalog.digest.root()) return;
    const exchange = pullCatalog(this.#context, peer)
      .then(() => undefined, (error) => {
        this.#context.log.debug("catalog exchange failed", { peer, reason: `${error}` });
      })
      .finally(() => this.#running.delete(peer));
    this.#running.set(peer, exchange);
  }

  /** Starts no more exchanges and waits for those under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running.values());
  }
}
