import { assert, assertEquals } from "@std/assert";
import type { Program } from "../../src/ring/member.ts";
import { OriginalReach } from "../../src/ring/original_reach.ts";
import { partHolders } from "../../src/ring/placement.ts";
import { at } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;
const programs: Readonly<Record<string, Program>> = {
  o: "ouroboros",
  s: "original",
  "?": "unknown",
};

/**
 * Whether an original finds a file in a ring.
 *
 * @param layout A letter a node in ring order: ours, an original, or one that nobody knows yet.
 * @param alive The nodes of the placement, by their places in the ring, the coordinator first.
 */
function finds(layout: string, alive: readonly number[], { parts = alive.length } = {}): boolean {
  const members = [...layout].map((letter, index) => ({
    address: at(7000 + index),
    program: programs[letter] ?? "unknown",
  }));
  const nodes = alive.map((index) => at(7000 + index));
  const copies = Math.min(2, nodes.length);
  const placement = Array.from({ length: parts }, (_, part) => ({
    nodes: partHolders({ nodes, copies, parts }, part),
    length: 1,
    checksums: "",
  }));
  return new OriginalReach(members).has({ start: at(7000 + (alive[0] ?? 0)), placement });
}

Deno.test("OriginalReach has what lies on all nodes in ring order, from any start", pure, () => {
  for (const layout of ["os", "oso", "sss", "ooss", "o?so"]) {
    const ring = [...layout].map((_, index) => index);
    for (const start of ring) {
      assert(finds(layout, [...ring.slice(start), ...ring.slice(0, start)]), `${layout}, ${start}`);
    }
  }
});

Deno.test("OriginalReach lacks what a dead original was passed over for", pure, () => {
  // Part 2 is asked of the original, which has none of it.
  assertEquals(finds("oso", [0, 2]), false);
  // Part 2 lies where it is looked for, its backup does not: it is looked for at the original.
  assertEquals(finds("oso", [2, 0]), false);
  // The whole file and its backup lie where they are looked for.
  assertEquals(finds("ooos", [1, 2, 0], { parts: 1 }), true);
});

Deno.test("OriginalReach has what a dead node of ours was passed over for", pure, () => {
  // Part 3 is asked of our third node, or of our second, and both give what the fourth has.
  assertEquals(finds("ooos", [0, 1, 3], { parts: 2 }), true);
  assertEquals(finds("oooo", [0, 1, 3]), true);
  // But not if an original is asked for the part, or for its backup.
  assertEquals(finds("oosoo", [0, 2, 3, 4]), false);
  assertEquals(finds("osoo", [0, 1, 3]), false);
  // Nor if it is not known whether that is one.
  assertEquals(finds("oo?o", [0, 1, 3]), false);
});

Deno.test("OriginalReach lacks a file that began at a node of no ring of its", pure, () => {
  const members = [{ address: at(7000), program: "ouroboros" }] as const;
  const placement = [{ nodes: [at(7009)], length: 1, checksums: "" }];
  assertEquals(new OriginalReach(members).has({ start: at(7009), placement }), false);
});
