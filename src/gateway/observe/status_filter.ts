import type { NodeAddress } from "../../protocol/address.ts";
import type { NodeStatus } from "../../protocol/lists.ts";
import type { EventKind, RingEvent } from "../../protocol/ring_event.ts";

/** What was told last of a node's status. */
interface KnownStatus {
  readonly epoch: number;
  readonly rank: number;
  /** Seen in the netmap, which knows no epochs. */
  readonly isGuess: boolean;
}

/** In one epoch a node goes this way and never back. */
const ranks: Readonly<Partial<Record<EventKind, number>>> = {
  "node-joining": 0,
  "node-alive": 1,
  "node-died": 2,
};

/**
 * Lets every change of a node's status pass once. All nodes tell it, some of them late: a node that has
 * been away hears of old deaths when it is back, and tells them.
 */
export class StatusFilter {
  readonly #known = new Map<NodeAddress, KnownStatus>();

  /** Whether an event is to be told; all but old changes of a status are. */
  isNews(event: RingEvent): boolean {
    const rank = ranks[event.kind];
    if (rank === undefined || !("epoch" in event)) return true;
    const { epoch, node } = event;
    const known = this.#known.get(node);
    const isNewer = known === undefined || epoch > known.epoch ||
      epoch === known.epoch && rank > known.rank;
    const isGuessed = known?.isGuess === true && known.rank === rank;
    if (!isNewer && !isGuessed) return false;
    this.#known.set(node, { epoch, rank, isGuess: false });
    return !isGuessed;
  }

  /** Takes a change that the gateway has seen in the netmap; false when it was told already. */
  guess(node: NodeAddress, status: NodeStatus): boolean {
    const rank = status === "Dead" ? 2 : 1;
    const known = this.#known.get(node);
    if (known?.rank === rank) return false;
    this.#known.set(node, { epoch: known?.epoch ?? 0, rank, isGuess: true });
    return true;
  }

  /** Forgets a node whose directory was made anew: its epochs may begin anew as well. */
  forget(node: NodeAddress): void {
    this.#known.delete(node);
  }
}
