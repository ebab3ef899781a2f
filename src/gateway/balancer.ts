import type { NodeAddress } from "../protocol/address.ts";
import type { NodePicker } from "./node_picker.ts";
import type { Balance } from "./options.ts";

/**
 * Which node the next connection or request goes to.
 *
 * - `first`: the first one that is Alive, as the original does. Two changes of one file in a row then
 *   meet at one coordinator.
 * - `round-robin`: each Alive node in turn.
 * - `least-connections`: the Alive node that serves the fewest of this gateway's connections and
 *   requests now; among equals, each in turn.
 *
 * Whatever the order, nodes that are not Alive come behind those that are.
 */
export class Balancer {
  readonly #picker: NodePicker;
  readonly #balance: Balance;
  readonly #loads = new Map<NodeAddress, number>();
  #turn = 0;

  constructor(picker: NodePicker, balance: Balance) {
    this.#picker = picker;
    this.#balance = balance;
  }

  /** All nodes in the order in which the next connection tries them. */
  order(): NodeAddress[] {
    const candidates = this.#picker.candidates();
    if (this.#balance === "first") return candidates;
    const alive = candidates.filter((address) => this.#picker.isAlive(address));
    const first = alive.length === 0 ? 0 : this.#turn++ % alive.length;
    const turned = [...alive.slice(first), ...alive.slice(0, first)];
    if (this.#balance === "least-connections") {
      turned.sort((a, b) => this.load(a) - this.load(b));
    }
    return [...turned, ...candidates.filter((address) => !this.#picker.isAlive(address))];
  }

  /** What a node serves now for this gateway. */
  load(address: NodeAddress): number {
    return this.#loads.get(address) ?? 0;
  }

  /** Counts a connection or request to a node, until the function that it gives is called. */
  begin(address: NodeAddress): () => void {
    this.#loads.set(address, this.load(address) + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = this.load(address) - 1;
      if (left > 0) this.#loads.set(address, left);
      else this.#loads.delete(address);
    };
  }
}
