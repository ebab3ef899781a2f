import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  arrowPath,
  linkPath,
  markRadius,
  nodeOutline,
  nodeRadius,
  placeMark,
  placeNodes,
  ringBox,
} from "../../../src/gateway/dashboard/page/model/ring_geometry.js";

const pure = { permissions: "none" } as const;
const counts = [1, 2, 3, 5, 8, 16, 17, 20, 21, 50, 128];

Deno.test("placeNodes() begins at the top and runs clockwise", pure, () => {
  const [first, second] = placeNodes(4);
  assert(first !== undefined && second !== undefined);
  assertEquals(first.x, ringBox / 2);
  assert(first.y < ringBox / 2);
  assert(second.x > ringBox / 2);
  assertAlmostEquals(second.y, ringBox / 2);
});

Deno.test("placeNodes() lets no two nodes touch, and none leave the box", pure, () => {
  for (const count of counts) {
    const places = placeNodes(count);
    assertEquals(places.length, count);
    const size = nodeRadius(count);
    for (const [index, { x, y }] of places.entries()) {
      assert(Math.min(x, y) - size >= 0 && Math.max(x, y) + size <= ringBox, `${count} nodes`);
      const next = places[(index + 1) % count];
      if (count === 1 || next === undefined) continue;
      assert(Math.hypot(next.x - x, next.y - y) > 2 * size, `${count} nodes`);
    }
  }
});

Deno.test("labels of many nodes point outwards and never stand on their heads", pure, () => {
  for (const { label } of placeNodes(50)) {
    assert(label !== undefined);
    assert(Math.abs(label.turn) <= 90, String(label.turn));
    assert(label.anchor !== "middle");
  }
  for (const { x, y, label } of placeNodes(5)) assertEquals([label?.x, label?.y], [x, y]);
  const labelled = placeNodes(128).filter(({ label }) => label !== undefined).length;
  assert(labelled > 20 && labelled <= 64, `${labelled} labels`);
});

Deno.test("linkPath() and arrowPath() draw numbers only", pure, () => {
  for (const count of counts) {
    for (let index = 0; index < count; index++) {
      assertEquals(/NaN|undefined|Infinity/.test(linkPath(index, count)), false);
      assertEquals(/NaN|undefined|Infinity/.test(arrowPath(index, count)), false);
    }
  }
});

Deno.test("marks of one node stand one behind the other, those of neighbours apart", pure, () => {
  for (const count of [2, 5, 16, 50]) {
    const size = markRadius(count);
    const [here, next] = placeNodes(count).map(({ angle }) =>
      [0, 1].map((position) => placeMark(angle, { count, position }))
    );
    const distance = (a?: { x: number; y: number }, b?: { x: number; y: number }) =>
      Math.hypot((a?.x ?? NaN) - (b?.x ?? NaN), (a?.y ?? NaN) - (b?.y ?? NaN));
    assert(distance(here?.[0], here?.[1]) >= 2 * size, `${count} nodes`);
    assert(distance(here?.[1], next?.[1]) >= 2 * size, `${count} nodes`);
  }
});

Deno.test("nodeOutline() has a shape of its own for each state", pure, () => {
  const shapes = (["alive", "dead", "waiting"] as const).map((state) => nodeOutline(state, 10));
  assertEquals(new Set(shapes.map((path) => path.replace(/[^A-Za-z]/g, ""))).size, 3);
});
