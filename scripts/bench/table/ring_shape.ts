import type { Durability } from "../options.ts";

/** What sort of ring a row of the table is measured in. */
export interface RingShape {
  readonly nodes: number;
  readonly durability: Durability;
  /** Milliseconds between two looks of a node at its successor. */
  readonly waitMs: number;
  /** Further flags of `set-network`. */
  readonly flags: readonly string[];
}

/** The usual ring: what the program does when it is told nothing, but for the disk. */
export const usualRing: RingShape = { nodes: 5, durability: "relaxed", waitMs: 5000, flags: [] };

/** Flags of a ring that keeps small files whole. */
export const wholeFlags: readonly string[] = ["--min-part-bytes=65536"];

/** A shape as text, which tells it from every other one. */
export function describeShape({ nodes, durability, waitMs, flags }: RingShape): string {
  return [`${nodes}-${durability}-${waitMs}`, ...flags].join("");
}
