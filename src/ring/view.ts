import type { NodeAddress } from "../protocol/address.ts";
import { ringNodesMax } from "../protocol/limits.ts";
import { compareMembers, hashMember, hashText, type Member } from "./member.ts";
import { canonicalOrder, rotate } from "./topology.ts";

/** Which nodes make up the ring, and in which order. */
export interface Shape {
  /** A change of the ring's order counts up; the higher one wins. */
  readonly version: number;
  /** All members, as `canonicalOrder` gives them; empty: not wired. */
  readonly order: readonly NodeAddress[];
}

/** Changed members that a first comparison of two views sends: a change costs what it is worth. */
export const recentMax = 32;

/**
 * What one node knows of the ring: its order, and of each member the latest news.
 *
 * 1. A view is a join: merging news in any order, any number of times, ends in the same view.
 * 2. Equal digests mean equal views; the digest is kept in step, at a cost that does not grow with
 *    the ring.
 * 3. It holds members of its shape and the node itself, nobody else.
 */
export class View {
  readonly self: NodeAddress;
  #shape: Shape = { version: 0, order: [] };
  #fromSelf: readonly NodeAddress[];
  #positions = new Map<NodeAddress, number>();
  /** The members in ring order, as `fromSelf`. */
  #ring: Member[] = [];
  /** A copy of `#ring` that was given out and still holds. */
  #members: readonly Member[] | undefined;
  /** Who changed last comes last. */
  readonly #recent = new Set<NodeAddress>();
  #low = 0;
  #high = 0;
  #digest: string | undefined;

  /** A view of a node that was never wired. */
  constructor(self: Member) {
    this.self = self.address;
    this.#fromSelf = [self.address];
    this.#positions.set(self.address, 0);
    this.put(self);
  }

  /** Whether the node is part of a ring, be it of one. */
  get isWired(): boolean {
    return this.#shape.order.length > 0;
  }

  get shape(): Shape {
    return this.#shape;
  }

  /** The addresses of all members in ring order, the node itself first. */
  get fromSelf(): readonly NodeAddress[] {
    return this.#fromSelf;
  }

  /** The next node of the ring, Alive or not; `undefined` before the node was wired. */
  get successor(): NodeAddress | undefined {
    return this.isWired ? this.#fromSelf[1] ?? this.self : undefined;
  }

  /** 16 hex digits. */
  get digest(): string {
    return this.#digest ??= hex(this.#high) + hex(this.#low);
  }

  /** The latest news of a member; `undefined` for strangers. */
  member(address: NodeAddress): Member | undefined {
    const position = this.#positions.get(address);
    return position === undefined ? undefined : this.#ring[position];
  }

  /** The latest news of the member so many steps round the ring from the node itself. */
  at(step: number): Member | undefined {
    return this.#ring[step];
  }

  /** The node's own entry. */
  get own(): Member {
    const [own] = this.#ring;
    if (own === undefined) throw new Error(`${this.self} has lost its own entry`);
    return own;
  }

  /** The latest news of all members in ring order, the node itself first. */
  members(): readonly Member[] {
    return this.#members ??= this.#ring.slice();
  }

  /** Steps round the ring from the node itself to a member; `undefined` for strangers. */
  position(address: NodeAddress): number | undefined {
    return this.#positions.get(address);
  }

  /** The members that changed last, the latest first; at most {@linkcode recentMax}. */
  recent(): Member[] {
    return [...this.#recent].flatMap((address) => this.member(address) ?? []).reverse();
  }

  /** Takes news of a member; false when it is none, or of a stranger. */
  put(member: Member): boolean {
    const position = this.#positions.get(member.address);
    if (position === undefined) return false;
    const known = this.#ring[position];
    if (known !== undefined && (known === member || compareMembers(member, known) <= 0)) {
      return false;
    }
    if (known !== undefined) this.#toggle(hashMember(known));
    this.#toggle(hashMember(member));
    this.#ring[position] = member;
    this.#members = undefined;
    this.#recent.delete(member.address);
    this.#recent.add(member.address);
    for (const oldest of this.#recent) {
      if (this.#recent.size <= recentMax) break;
      this.#recent.delete(oldest);
    }
    return true;
  }

  /**
   * Takes another shape if it beats the known one; false when it does not, or leaves this node out.
   * Members that are new are taken for Alive, as nobody has said otherwise.
   */
  adopt(shape: Shape): boolean {
    const order = canonicalOrder(shape.order);
    const isRing = order.includes(this.self) && new Set(order).size === order.length &&
      order.length <= ringNodesMax;
    if (!isRing || compareShapes({ version: shape.version, order }, this.#shape) <= 0) return false;
    const known = new Map(this.#ring.map((member) => [member.address, member]));
    this.#shape = { version: shape.version, order };
    this.#fromSelf = rotate(order, this.self);
    this.#positions = new Map(this.#fromSelf.map((address, at) => [address, at]));
    this.#ring = [];
    this.#members = undefined;
    this.#recent.clear();
    this.#digest = undefined;
    [this.#high, this.#low] = hashText(`${shape.version} ${order.join(" ")}`);
    for (const address of this.#fromSelf) {
      this.put(
        known.get(address) ??
          { address, status: "Alive", epoch: 0, program: "unknown", options: "" },
      );
    }
    return true;
  }

  #toggle([high, low]: readonly [number, number]): void {
    this.#high = (this.#high ^ high) >>> 0;
    this.#low = (this.#low ^ low) >>> 0;
    this.#digest = undefined;
  }
}

/** Orders two shapes: the higher version, then the larger ring, then any fixed order. */
export function compareShapes(a: Shape, b: Shape): number {
  if (a.version !== b.version) return a.version - b.version;
  if (a.order.length !== b.order.length) return a.order.length - b.order.length;
  const left = a.order.join(" ");
  const right = b.order.join(" ");
  return left === right ? 0 : left < right ? -1 : 1;
}

function hex(lane: number): string {
  return lane.toString(16).padStart(8, "0");
}
