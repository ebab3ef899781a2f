import { assertEquals } from "@std/assert";
import { at, describe, MachineFixture, member } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;

function pings(ring: MachineFixture): number[] {
  return ring.requests.filter((request) => describe(request) === "ring-ping")
    .map(({ to }) => Number(to.slice(-4)));
}

Deno.test("Watch pings the successor and one member further away each interval", pure, () => {
  const ring = MachineFixture.ready({ ports: [7000, 7001, 7002, 7003, 7004, 7005, 7006, 7007] });
  const asked: number[][] = [];
  for (let interval = 0; interval < 4; interval++) {
    ring.advance(1_000);
    asked.push(pings(ring));
    ring.answerAll();
  }
  assertEquals(asked, [[7004, 7001], [7002, 7001], [7004, 7001], [7002, 7001]]);
});

Deno.test(
  "Watch finds a node dead that refuses, and its dead neighbours in the same look",
  pure,
  () => {
    const ring = MachineFixture.ready();
    ring.advance(1_000);
    ring.refuse(7001);
    assertEquals(ring.statusOf(7001), "Dead 1");
    ring.refuse(7002);
    ring.refuse(7003);
    assertEquals(ring.statusOf(7002), "Dead 1");
    assertEquals(ring.statusOf(7003), "Dead 1");
    assertEquals(pings(ring).includes(7004), true);
    ring.answerAll();
    assertEquals(ring.statusOf(7004), "Alive 1");
  },
);

Deno.test("Watch asks a silent node a second time, and meanwhile watches the next", pure, () => {
  const ring = MachineFixture.ready();
  ring.advance(1_000);
  const [first] = ring.takeRequests(7001);
  ring.answerAll();
  if (first === undefined) throw new Error("no ping");
  ring.answer(first, { kind: "silent" });
  assertEquals(ring.statusOf(7001), "Alive 1");
  assertEquals(pings(ring).toSorted(), [7001, 7002]);
  const [second] = ring.takeRequests(7001);
  if (second === undefined) throw new Error("no second ping");
  ring.answer(second, { kind: "silent" });
  assertEquals(ring.statusOf(7001), "Dead 1");
});

Deno.test("Watch forgets the silence of a node that answers in the end", pure, () => {
  const ring = MachineFixture.ready();
  ring.advance(1_000);
  const [first] = ring.takeRequests(7001);
  if (first === undefined) throw new Error("no ping");
  ring.answer(first, { kind: "silent" });
  ring.answerAll();
  ring.advance(1_000);
  const [later] = ring.takeRequests(7001);
  if (later === undefined) throw new Error("no ping");
  ring.answer(later, { kind: "silent" });
  assertEquals(ring.statusOf(7001), "Alive 1");
});

Deno.test("Watch takes an error for life and a lack of its own for nothing", pure, () => {
  const ring = MachineFixture.ready();
  for (const answer of [{ kind: "error", error: "busy" }, { kind: "local" }] as const) {
    ring.advance(1_000);
    for (const request of ring.takeRequests(7001)) ring.answer(request, answer);
    ring.answerAll();
    assertEquals(ring.statusOf(7001), "Alive 1");
  }
});

Deno.test("Watch has views compared that differ, and catalogs reported", pure, () => {
  const ring = MachineFixture.ready();
  ring.advance(1_000);
  const [ping] = ring.takeRequests(7001);
  if (ping === undefined) throw new Error("no ping");
  ring.answerPing(ping, { view: "ffff", catalog: "c1" });
  assertEquals(ring.takeRequests(7001).map(describe), ["view"]);
  assertEquals(ring.takeEffects("catalog-differs"), [
    { kind: "catalog-differs", peer: at(7001), catalogDigest: "c1" },
  ]);
});

Deno.test("Watch does nothing while the ring is being stopped, and goes on after", pure, () => {
  const ring = MachineFixture.ready();
  assertEquals(ring.command({ kind: "ring-stopping", seconds: 5 }), "OK\n");
  ring.advance(4_500);
  assertEquals(ring.requests, []);
  ring.advance(1_500);
  assertEquals(pings(ring).includes(7001), true);
  ring.refuse(7001);
  assertEquals(ring.statusOf(7001), "Dead 1");
});

Deno.test("Watch finds nobody dead while the ring is being stopped", pure, () => {
  const ring = MachineFixture.ready();
  ring.advance(1_000);
  ring.command({ kind: "ring-stopping", seconds: 5 });
  ring.refuse(7001, 7002);
  assertEquals(ring.statusOf(7001), "Alive 1");
  ring.command({ kind: "ring-stopping", seconds: 0 });
  ring.advance(1_000);
  ring.refuse(7001);
  assertEquals(ring.statusOf(7001), "Dead 1");
});

Deno.test("Watch does not look when the gossip interval is 0", pure, () => {
  const ring = MachineFixture.ready({ gossipIntervalMs: 0 });
  ring.advance(60_000);
  assertEquals(ring.requests, []);
});

Deno.test("Watch gives members that a starting node has not met a time of grace", pure, () => {
  const ring = new MachineFixture();
  ring.step({
    kind: "start",
    saved: {
      full: true,
      shape: { version: 1, order: [at(7000), at(7001)] },
      members: [member(7000), member(7001)],
    },
  });
  for (let waitedMs = 0; waitedMs < 5_900; waitedMs += 100) {
    ring.refuse(7001);
    ring.advance(100);
  }
  assertEquals(ring.statusOf(7001), "Alive 1");
  ring.advance(300);
  ring.refuse(7001);
  assertEquals(ring.statusOf(7001), "Dead 1");
});

Deno.test("Watch counts no silence that began before this process was stopped", pure, () => {
  const ring = MachineFixture.ready();
  ring.advance(1_000);
  const requests = ring.takeRequests();
  ring.sleep(30_000);
  for (const request of requests) ring.answer(request, { kind: "silent" });
  for (const request of requests) ring.answer(request, { kind: "silent" });
  for (const port of [7001, 7002, 7003, 7004]) assertEquals(ring.statusOf(port), "Alive 1");
});
