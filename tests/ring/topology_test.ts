import { assertEquals } from "@std/assert";
import { edgesOfOrder, orderOfEdges, rotate } from "../../src/ring/topology.ts";
import { at } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;

Deno.test("orderOfEdges() reverses edgesOfOrder() wherever it begins", pure, () => {
  for (let size = 1; size <= 5; size++) {
    const order = Array.from({ length: size }, (_, index) => at(7000 + index));
    for (const from of order) assertEquals(orderOfEdges(edgesOfOrder(order, from)), order);
  }
});

Deno.test("orderOfEdges() takes edges in any order, and twice", pure, () => {
  const edges = edgesOfOrder([at(7000), at(7002), at(7001)]);
  assertEquals(orderOfEdges([...edges.toReversed(), ...edges]), [at(7000), at(7002), at(7001)]);
});

Deno.test("orderOfEdges() refuses what is no single closed ring", pure, () => {
  const [a, b, c] = [at(7000), at(7001), at(7002)];
  assertEquals(orderOfEdges([]), undefined);
  assertEquals(orderOfEdges([{ from: a, to: b }]), undefined);
  assertEquals(orderOfEdges([{ from: a, to: b }, { from: b, to: b }]), undefined);
  assertEquals(orderOfEdges([{ from: a, to: a }, { from: b, to: b }]), undefined);
  assertEquals(
    orderOfEdges([{ from: a, to: b }, { from: b, to: a }, { from: c, to: a }]),
    undefined,
  );
  assertEquals(
    orderOfEdges([{ from: a, to: b }, { from: a, to: c }, { from: b, to: a }]),
    undefined,
  );
});

Deno.test("rotate() leaves an order alone that lacks the node", pure, () => {
  assertEquals(rotate([at(7000), at(7001)], at(7005)), [at(7000), at(7001)]);
  assertEquals(rotate([at(7000), at(7001)], undefined), [at(7000), at(7001)]);
});
