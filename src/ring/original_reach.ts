import type { NodeAddress } from "../protocol/address.ts";
import type { StoredFile } from "../protocol/record.ts";
import type { Member } from "./member.ts";

/**
 * Which files a node of the original program finds in a ring. It knows no placement: it asks the i-th
 * node from the file's start for part i, Dead or not, and if that fails the node before for the backup,
 * and leaves out of the file what it does not get. Our nodes give it any part of any file, from wherever
 * that is; another original gives only what it has itself. So where that would be asked for a copy that
 * the placement has given to others, as it does when a member is Dead, the file is out of reach.
 *
 * @example
 * ```ts
 * import { OriginalReach } from "./original_reach.ts";
 * import { formatAddress } from "../protocol/address.ts";
 * import { assert } from "@std/assert";
 *
 * const [a, b, c] = [7000, 7001, 7002].map((port) => formatAddress("127.0.0.1", port));
 * const reach = new OriginalReach([
 *   { address: a!, program: "ouroboros" },
 *   { address: b!, program: "original" },
 *   { address: c!, program: "ouroboros" },
 * ]);
 * const part = (holder: typeof a, backup: typeof a) => ({
 *   nodes: [holder!, backup!],
 *   length: 1,
 *   checksums: "",
 * });
 * assert(reach.has({ start: a!, placement: [part(a, c), part(b, a), part(c, b)] }));
 * assert(!reach.has({ start: a!, placement: [part(a, c), part(c, a)] }));
 * ```
 */
export class OriginalReach {
  readonly #order: readonly NodeAddress[];
  readonly #positions: ReadonlyMap<NodeAddress, number>;
  readonly #ours: ReadonlySet<NodeAddress | undefined>;

  /** @param members All of the ring, in ring order. */
  constructor(members: readonly Pick<Member, "address" | "program">[]) {
    this.#order = members.map(({ address }) => address);
    this.#positions = new Map(this.#order.map((address, position) => [address, position]));
    // What a node is that nobody has asked yet is not known, and it may be an original.
    this.#ours = new Set(
      members.flatMap(({ address, program }) => program === "ouroboros" ? address : []),
    );
  }

  /** Whether an original finds both copies of every part of a file. */
  has({ start, placement }: Pick<StoredFile, "start" | "placement">): boolean {
    const first = this.#positions.get(start);
    if (first === undefined) return false;
    return placement.every(({ nodes: [holder, backup] }, part) => {
      const asked = this.#at(first + part);
      const before = this.#at(first + part - 1);
      const isInPlace = asked === holder;
      // An original copies its backup from its next hop, and from nobody else.
      return (isInPlace || this.#ours.has(asked)) &&
        (isInPlace && before === backup || this.#ours.has(before));
    });
  }

  #at(position: number): NodeAddress | undefined {
    return this.#order[(position + this.#order.length) % this.#order.length];
  }
}
