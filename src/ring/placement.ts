import type { NodeAddress } from "../protocol/address.ts";
import { notEnoughNodes } from "../protocol/errors.ts";

/** Where the parts of a new push go. */
export interface Placement {
  /** Ring order from the coordinator over the Alive members: part i goes to the i-th node. */
  readonly nodes: readonly NodeAddress[];
  /** Copies of each part, the holder's included; 1 to `nodes.length`. */
  readonly copies: number;
}

/** What {@linkcode placementFrom} chooses from. */
export interface PlacementChoice {
  /** The Alive members in ring order, the coordinator first. */
  readonly alive: readonly NodeAddress[];
  /** All members, Dead ones too. */
  readonly memberCount: number;
  /** Copies that are wanted; gives way in a ring that has fewer members. */
  readonly copies: number;
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
 * assertEquals(placementFrom({ alive, memberCount: 3, copies: 2 }), { nodes: alive, copies: 2 });
 * assertThrows(() => placementFrom({ alive: alive.slice(0, 1), memberCount: 3, copies: 2 }));
 * ```
 */
export function placementFrom({ alive, memberCount, copies }: PlacementChoice): Placement {
  const needed = Math.min(copies, memberCount);
  if (alive.length < needed) throw new Error(notEnoughNodes(alive.length, needed));
  return { nodes: alive, copies: needed };
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
 * const placement = { nodes: [a!, b!, c!], copies: 2 };
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
