import { type NodeAddress, splitAddress } from "../protocol/address.ts";
import type { NetmapEntry, NodeStatus } from "../protocol/lists.ts";

/** A node's change of status, for the log. */
export interface StatusChange {
  readonly address: NodeAddress;
  readonly from: NodeStatus | "unknown";
  readonly to: NodeStatus;
}

/**
 * Which nodes the gateway knows, and which of them a new connection should try first.
 *
 * 1. What the last netmap said counts until the next one, but for nodes that refused a connection
 *    since: those count as dead until then.
 * 2. A node is never given up: when no better one is left, the dead are tried too, as a dead node
 *    may be back before the next look at the ring.
 */
export class NodePicker {
  readonly #status = new Map<NodeAddress, NodeStatus | "unknown">();
  readonly #avoided = new Set<NodeAddress>();

  /** @param nodes What is known before the first netmap. */
  constructor(nodes: readonly NodeAddress[]) {
    for (const address of nodes) this.#status.set(address, "unknown");
  }

  /** Takes over a netmap; says what is news in it. */
  update(entries: readonly NetmapEntry[]): StatusChange[] {
    this.#avoided.clear();
    const changes: StatusChange[] = [];
    for (const { address, status } of entries) {
      const from = this.#status.get(address) ?? "unknown";
      if (from !== status) changes.push({ address, from, to: status });
      this.#status.set(address, status);
    }
    return changes;
  }

  /** Notes that a node refused a connection. */
  avoid(address: NodeAddress): void {
    this.#avoided.add(address);
  }

  /** All nodes in the order in which a connection tries them: Alive, then unknown, then Dead. */
  candidates(): NodeAddress[] {
    return [...this.#status.keys()].sort((a, b) =>
      this.#rank(a) - this.#rank(b) || compareAddresses(a, b)
    );
  }

  /** The netmap as the gateway sees it, sorted; nodes that nobody told of yet are left out. */
  netmap(): NetmapEntry[] {
    const entries: NetmapEntry[] = [];
    for (const [address, known] of this.#status) {
      if (known === "unknown") continue;
      entries.push({ address, status: this.#avoided.has(address) ? "Dead" : known });
    }
    return entries.sort((a, b) => compareAddresses(a.address, b.address));
  }

  /** Whether a node was Alive at the last look and has refused no connection since. */
  isAlive(address: NodeAddress): boolean {
    return this.#rank(address) === 0;
  }

  #rank(address: NodeAddress): number {
    const status = this.#status.get(address);
    if (this.#avoided.has(address) || status === "Dead") return 2;
    return status === "Alive" ? 0 : 1;
  }
}

/** By host, then by port as a number. */
function compareAddresses(a: NodeAddress, b: NodeAddress): number {
  const [left, right] = [splitAddress(a), splitAddress(b)];
  if (left.hostname === right.hostname) return left.port - right.port;
  return left.hostname < right.hostname ? -1 : 1;
}
