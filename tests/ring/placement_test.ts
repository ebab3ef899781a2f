import { assertEquals, assertThrows } from "@std/assert";
import { partHolders, placementFrom } from "../../src/ring/placement.ts";
import { at } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;

Deno.test("placementFrom() gives way to a small ring, not to dead nodes", pure, () => {
  const alone = [at(7000)];
  assertEquals(placementFrom({ alive: alone, memberCount: 1, copies: 2 }).copies, 1);
  assertThrows(
    () => placementFrom({ alive: alone, memberCount: 2, copies: 2 }),
    Error,
    "not enough nodes alive (1 of 2)",
  );
  assertEquals(placementFrom({ alive: alone, memberCount: 5, copies: 1 }).nodes, alone);
});

Deno.test(
  "partHolders() puts the k-th backup on the k-th predecessor, all on different nodes",
  pure,
  () => {
    const nodes = [7000, 7001, 7002, 7003].map(at);
    for (let copies = 1; copies <= 4; copies++) {
      for (let part = 0; part < nodes.length; part++) {
        const holders = partHolders({ nodes, copies }, part);
        assertEquals(holders[0], nodes[part]);
        assertEquals(new Set(holders).size, copies);
      }
    }
    assertEquals(partHolders({ nodes, copies: 3 }, 0), [at(7000), at(7003), at(7002)]);
    assertEquals(partHolders({ nodes: [at(7000)], copies: 1 }, 0), [at(7000)]);
  },
);
