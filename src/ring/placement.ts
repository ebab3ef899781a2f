import type { NodeAddress } from "../protocol/address.ts";
import { notEnoughNodes } from "../protocol/errors.ts";

/** Where the parts of a new push go. */
export interface Placement {
  /** Ring order from the coordinator over the Alive members: part i goes to the i-th node. */
  readonly nodes: readonly NodeAddress[];
  /** Copies of each part, the holder's included; 1 to `nodes.length`. */
  readonly copies: number;
  /** Parts of the file; 1 to `nodes.length`. */
  readonly parts: number;
}

/** What {@linkcode placementFrom} chooses from. */
export interface PlacementChoice {
  /** The Alive members in ring order, the coordinator first. */
  readonly alive: readonly NodeAddress[];
  /** All members, Dead ones too. */
  readonly memberCount: number;
  /** Copies that are wanted; gives way in a ring that has fewer members. */
  readonly copies: number;
  /** Bytes of the file. */
  readonly size: number;
  /**
   * Bytes that a part has at least, so that a small file has fewer parts than the ring has nodes; 0: it
   * has as many, as in the original.
   */
  readonly partBytesMin: number;
}

/**
 * Chooses the placement of a new push.
 *
 * @throws {Error} `not enough nodes alive (1 of 2)` when the ring is large enough for the copies but
 * too few of its members are Alive.
 *
 * @example
 * ```ts
 * import { placementFrom } from "./placement.ts";
 * import { formatAddress } from "../protocol/address.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const alive = [7001, 7002, 7000].map((port) => formatAddress("127.0.0.1", port));
 * const choice = { alive, memberCount: 3, copies: 2, size: 1000, partBytesMin: 0 };
 * assertEquals(placementFrom(choice), { nodes: alive, copies: 2, parts: 3 });
 * assertEquals(placementFrom({ ...choice, partBytesMin: 400 }).parts, 2);
 * assertThrows(() => placementFrom({ ...choice, alive: alive.slice(0, 1) }));
 * ```
 */
export function placementFrom(choice: PlacementChoice): Placement {
  const { alive, memberCount, copies, size, partBytesMin } = choice;
  const needed = Math.min(copies, memberCount);
  if (alive.length < needed) throw new Error(notEnoughNodes(alive.length, needed));
  const wanted = partBytesMin === 0 ? alive.length : Math.floor(size / partBytesMin);
  const parts = Math.min(Math.max(wanted, 1), alive.length);
  return { nodes: alive, copies: needed, parts };
}

/**
 * The nodes that keep a part (counted from 0): the holder, then its backup holders, the nearest
 * predecessor in the placement first.
 *
 * @example
 * ```ts
 * import { partHolders } from "./placement.ts";
 * import { formatAddress } from "../protocol/address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b, c] = [7000, 7001, 7002].map((port) => formatAddress("127.0.0.1", port));
 * const placement = { nodes: [a!, b!, c!], copies: 2, parts: 3 };
 * assertEquals(partHolders(placement, 0), [a!, c!]);
 * assertEquals(partHolders(placement, 2), [c!, b!]);
 * ```
 */
export function partHolders({ nodes, copies }: Placement, part: number): NodeAddress[] {
  return Array.from({ length: copies }, (_, copy) => {
    const node = nodes[(part - copy + nodes.length) % nodes.length];
    if (node === undefined) throw new RangeError(`Part ${part} of ${nodes.length} has no holder`);
    return node;
  });
}

/** One copy that a node keeps. */
export interface KeptCopy {
  /** Counted from 0. */
  readonly part: number;
  /** 0: the holder's; k: the k-th backup. */
  readonly copy: number;
}

/**
 * The copies that the node at a position of the placement (from 0) keeps: the inverse of
 * {@linkcode partHolders}. Its own part comes first, then those of its successors.
 *
 * @example
 * ```ts
 * import { keptCopies } from "./placement.ts";
 * import { formatAddress } from "../protocol/address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const nodes = [7000, 7001, 7002].map((port) => formatAddress("127.0.0.1", port));
 * const placement = { nodes, copies: 2, parts: 3 };
 * assertEquals(keptCopies(placement, 2), [{ part: 2, copy: 0 }, { part: 0, copy: 1 }]);
 * assertEquals(keptCopies({ ...placement, parts: 1 }, 2), [{ part: 0, copy: 1 }]);
 * ```
 */
export function keptCopies({ nodes, copies, parts }: Placement, position: number): KeptCopy[] {
  return Array.from({ length: copies }, (_, copy) => ({
    part: (position + copy) % nodes.length,
    copy,
  })).filter(({ part }) => part < parts);
}
