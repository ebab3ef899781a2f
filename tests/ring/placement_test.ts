import { assertEquals, assertThrows } from "@std/assert";
import { keptCopies, partHolders, placementFrom } from "../../src/ring/placement.ts";
import { at } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;

Deno.test("placementFrom() gives way to a small ring, not to dead nodes", pure, () => {
  const alone = [at(7000)];
  const choice = { alive: alone, copies: 2, size: 10, partBytesMin: 0 };
  assertEquals(placementFrom({ ...choice, memberCount: 1 }).copies, 1);
  assertThrows(
    () => placementFrom({ ...choice, memberCount: 2 }),
    Error,
    "not enough nodes alive (1 of 2)",
  );
  assertEquals(placementFrom({ ...choice, memberCount: 5, copies: 1 }).nodes, alone);
});

Deno.test("placementFrom() makes no part shorter than asked, but for the only one", pure, () => {
  const alive = [7000, 7001, 7002].map(at);
  const partsOf = (size: number, partBytesMin: number) =>
    placementFrom({ alive, memberCount: 3, copies: 2, size, partBytesMin }).parts;
  assertEquals(partsOf(0, 0), 3);
  assertEquals([0, 1, 99, 100, 199, 200, 299, 300, 9_999].map((size) => partsOf(size, 100)), [
    ...[1, 1, 1, 1, 1, 2, 2, 3, 3],
  ]);
});

Deno.test(
  "partHolders() puts the k-th backup on the k-th predecessor, all on different nodes",
  pure,
  () => {
    const nodes = [7000, 7001, 7002, 7003].map(at);
    for (let copies = 1; copies <= 4; copies++) {
      for (let part = 0; part < nodes.length; part++) {
        const holders = partHolders({ nodes, copies, parts: nodes.length }, part);
        assertEquals(holders[0], nodes[part]);
        assertEquals(new Set(holders).size, copies);
      }
    }
    assertEquals(partHolders({ nodes, copies: 3, parts: 4 }, 0), [at(7000), at(7003), at(7002)]);
    assertEquals(partHolders({ nodes: [at(7000)], copies: 1, parts: 1 }, 0), [at(7000)]);
  },
);

Deno.test("keptCopies() is the inverse of partHolders()", pure, () => {
  const nodes = [7000, 7001, 7002, 7003].map(at);
  for (let copies = 1; copies <= 4; copies++) {
    for (let parts = 1; parts <= 4; parts++) {
      const placement = { nodes, copies, parts };
      for (const [position, node] of nodes.entries()) {
        const expected = Array.from({ length: parts }, (_, part) => part).flatMap((part) => {
          const copy = partHolders(placement, part).indexOf(node);
          return copy < 0 ? [] : [{ part, copy }];
        });
        const kept = keptCopies(placement, position);
        assertEquals(kept.toSorted((a, b) => a.part - b.part), expected);
        assertEquals(kept.map(({ copy }) => copy), kept.map(({ copy }) => copy).toSorted());
      }
    }
  }
});
