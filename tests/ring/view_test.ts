import { assert, assertEquals, assertFalse, assertNotEquals } from "@std/assert";
import type { Member } from "../../src/ring/member.ts";
import { recentMax, View } from "../../src/ring/view.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { at, member } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;
const ports = [7000, 7001, 7002, 7003, 7004];

function wiredView(self = 7000): View {
  const view = new View(member(self));
  view.adopt({ version: 1, order: ports.map(at) });
  return view;
}

Deno.test("View ends the same whatever the order and repetition of news", pure, () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new SeededRandom(seed);
    const news: Member[] = Array.from({ length: 30 }, () =>
      member(random.pick(ports), {
        epoch: random.integer(3),
        status: random.pick(["Joining", "Alive", "Dead"]),
        options: random.pick(["", "{}", "[]"]),
      }));
    const one = wiredView(7000);
    const other = wiredView(7003);
    for (const item of [member(7003), ...news]) one.put(item);
    for (const item of [member(7003), member(7000), ...news.toReversed(), ...news]) other.put(item);
    assertEquals(one.digest, other.digest, `seed ${seed}`);
    for (const port of ports) {
      assertEquals(one.member(at(port)), other.member(at(port)), `seed ${seed}`);
    }
  }
});

Deno.test("View.put() says whether it was news", pure, () => {
  const view = wiredView();
  const before = view.digest;
  assert(view.put(member(7001, { status: "Dead" })));
  const after = view.digest;
  assertNotEquals(after, before);
  assertFalse(view.put(member(7001, { status: "Dead" })));
  assertFalse(view.put(member(7001)));
  assertFalse(view.put(member(9999)), "a stranger");
  assertEquals(view.digest, after);
});

Deno.test(
  "View.adopt() takes the higher version, keeps what it knows, and drops strangers",
  pure,
  () => {
    const view = wiredView();
    view.put(member(7001, { epoch: 4 }));
    assertFalse(view.adopt({ version: 0, order: [7000, 7001].map(at) }));
    assertFalse(view.adopt({ version: 1, order: ports.map(at) }));
    assert(view.adopt({ version: 2, order: [7001, 7000].map(at) }));
    assertEquals(view.fromSelf, [at(7000), at(7001)]);
    assertEquals(view.member(at(7001))?.epoch, 4);
    assertEquals(view.member(at(7004)), undefined);
    assertEquals(view.successor, at(7001));
  },
);

Deno.test("View.adopt() refuses a ring without the node, and one with a node twice", pure, () => {
  const view = new View(member(7000));
  assertFalse(view.adopt({ version: 9, order: [7001, 7002].map(at) }));
  assertFalse(view.adopt({ version: 9, order: [7000, 7001, 7001].map(at) }));
  assertFalse(view.isWired);
  assertEquals(view.successor, undefined);
  assert(view.adopt({ version: 1, order: [at(7000)] }));
  assertEquals(view.successor, at(7000), "a ring of one follows itself");
});

Deno.test("View.adopt() of two orders with one version ends the same on all nodes", pure, () => {
  const orders = [[7000, 7001, 7002], [7000, 7002, 7001]].map((order) => ({
    version: 2,
    order: order.map(at),
  }));
  const one = wiredView(7000);
  const other = wiredView(7001);
  for (const shape of orders) one.adopt(shape);
  for (const shape of orders.toReversed()) other.adopt(shape);
  other.put(member(7000));
  one.put(member(7001));
  assertEquals(one.digest, other.digest);
});

Deno.test(
  "View.recent() gives the last changes, the latest first, and a bounded number",
  pure,
  () => {
    const size = 2 * recentMax;
    const view = new View(member(7000));
    const all = Array.from({ length: size }, (_, index) => 7000 + index);
    view.adopt({ version: 1, order: all.map(at) });
    for (const port of all.slice(1)) view.put(member(port, { status: "Dead" }));
    view.put(member(7003, { epoch: 2 }));
    const recent = view.recent().map(({ address }) => address);
    assertEquals(recent.length, recentMax);
    assertEquals(recent.slice(0, 2), [at(7003), at(7000 + size - 1)]);
  },
);
