import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { CatchUpPeer } from "../../src/ring/effects.ts";
import { formatView, parseView, viewQuery } from "../../src/ring/view_codec.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { address, FakeTransport } from "../support/fake_transport.ts";
import { bodyOf, RingNodes, type RingNodesOptions } from "../support/ring_nodes.ts";

const first = address("127.0.0.1:7000");
const second = address("127.0.0.1:7001");
const third = address("127.0.0.1:7002");
const fourth = address("127.0.0.1:7003");
const all = [first, second, third, fourth];

/** Drivers in one process on a clock that stands still, wired and ready. */
async function readyRing(
  clock: FakeClock,
  parts: NonNullable<RingNodesOptions["parts"]> = {},
): Promise<RingNodes> {
  const ring = new RingNodes({ transport: new FakeTransport(), clock, addresses: all, parts });
  await ring.wire();
  await clock.advance(500);
  return ring;
}

function send(text: string): ReturnType<typeof bodyOf> {
  return bodyOf(new TextEncoder().encode(text));
}

Deno.test("RingDriver of a ring that was told of itself is ready, and has saved its members", async () => {
  await using ring = await readyRing(new FakeClock());
  const digest = ring.driver(first).viewDigest();
  for (const node of all) {
    const driver = ring.driver(node);
    assertEquals(driver.state(), "ready");
    assertEquals(driver.viewDigest(), digest);
    assertEquals(driver.aliveMembers()[0], node);
    assertEquals(driver.aliveMembers().length, 4);
    assertEquals(parseView(ring.saved.get(node) ?? "").shape?.order, all);
  }
  assertEquals(ring.driver(first).next(), second);
  assertEquals(ring.driver(first).predecessor(), fourth);
  assertEquals(ring.driver(first).placement({ copies: 2, size: 9, partBytesMin: 0 }), {
    nodes: all,
    copies: 2,
    parts: all.length,
  });
});

Deno.test("RingDriver heals a node that ended, with one respawn, and tells all", async () => {
  const clock = new FakeClock();
  await using ring = await readyRing(clock);
  await ring.kill(second);
  await clock.advance(1_000);
  assertEquals(ring.respawned, [second]);
  await clock.advance(500);
  for (const node of all) {
    assertEquals(ring.driver(node).statusOf(second), "Alive");
    assertEquals(ring.driver(node).state(), "ready");
  }
});

Deno.test("RingDriver tells how members fare, and the one that noticed a death why", async () => {
  const clock = new FakeClock();
  const told: string[] = [];
  await using ring = await readyRing(clock, {
    onStatus: ({ member, reason }) => told.push(`${member.status} ${reason ?? ""}`.trimEnd()),
  });
  told.length = 0;
  await ring.kill(second);
  await clock.advance(1_500);
  const counts = Map.groupBy(told, (each) => each);
  assertEquals([...counts].map(([each, { length }]) => [each, length]), [
    ["Dead refused the connection", 1],
    ["Dead", 2],
    ["Joining", 3],
    ["Alive", 3],
  ]);
});

Deno.test("RingDriver.markDead() returns when the member knows that it must catch up", async () => {
  const clock = new FakeClock();
  const held = new Set<() => void>();
  let isHolding = false;
  const catchUp = () =>
    isHolding ? new Promise<void>((resolve) => held.add(resolve)) : Promise.resolve();
  await using ring = await readyRing(clock, { catchUp });
  isHolding = true;
  await ring.driver(first).markDead(third, "a test");
  assertEquals(ring.driver(third).state(), "catching-up");
  assertEquals(ring.driver(first).statusOf(third), "Dead");
  assert(ring.driver(first).commitMembers().includes(third), "it is joining");
  await clock.advance(100);
  assertEquals(ring.driver(first).aliveMembers().includes(third), false);
  for (const resolve of held) resolve();
  await clock.advance(100);
  assertEquals(ring.driver(third).state(), "ready");
  assertEquals(ring.driver(first).aliveMembers().includes(third), true);
});

Deno.test("RingDriver.markDead() does not wait long for a member that is silent", async () => {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  await using ring = new RingNodes({ transport, clock, addresses: all });
  await ring.wire();
  await clock.advance(500);
  transport.hang(third);
  transport.cut(third);
  let isTold = false;
  const telling = ring.driver(first).markDead(third, "a test").then(() => isTold = true);
  assertEquals(ring.driver(first).statusOf(third), "Dead");
  await clock.advance(900);
  assertEquals(isTold, false);
  transport.expireDials(third);
  await telling;
  transport.restore(third);
});

Deno.test("RingDriver asks for a catch-up again when it fails, and never for two at once", async () => {
  const clock = new FakeClock();
  const calls: { peers: readonly CatchUpPeer[]; signal: AbortSignal }[] = [];
  let running = 0;
  const catchUp = async (peers: readonly CatchUpPeer[], signal: AbortSignal) => {
    assertEquals(++running, 1);
    calls.push({ peers, signal });
    await clock.sleep(100, signal).finally(() => running--);
    if (calls.length === 1) throw new Error("a test");
  };
  const addresses = all.slice(0, 1);
  await using ring = new RingNodes({
    transport: new FakeTransport(),
    clock,
    addresses,
    parts: { catchUp },
  });
  const driver = ring.driver(first);
  await clock.advance(150);
  assertEquals(driver.state(), "catching-up");
  await clock.advance(600);
  assertEquals(driver.state(), "ready");
  assertEquals(calls.map(({ peers }) => peers), [[], []]);
  driver.rejoin("a test");
  await settle();
  driver.rejoin("another");
  await settle();
  assertEquals(calls[2]?.signal.aborted, true);
  await clock.advance(500);
  assertEquals(driver.state(), "ready");
});

Deno.test("RingDriver.state() says that a process that slept must catch up, before anything else", async () => {
  const clock = new FakeClock();
  await using ring = await readyRing(clock);
  const driver = ring.driver(first);
  const jumping = clock.jump(3_500);
  assertEquals(driver.state(), "catching-up");
  await jumping;
  await clock.advance(500);
  assertEquals(driver.state(), "ready");
});

Deno.test("RingDriver saves changes that come while it saves once more, after", async () => {
  const clock = new FakeClock();
  const saves: { json: string; done: () => void }[] = [];
  await using ring = new RingNodes({
    transport: new FakeTransport(),
    clock,
    addresses: all.slice(0, 1),
    parts: { saveView: (json) => new Promise((done) => saves.push({ json, done })) },
  });
  const driver = ring.driver(first);
  await driver.handle({ kind: "node-next", address: second });
  await driver.handle({ kind: "node-next", address: third });
  await driver.handle({ kind: "node-next", address: fourth });
  assertEquals(saves.length, 1);
  saves[0]?.done();
  await settle();
  assertEquals(saves.map(({ json }) => parseView(json).next), [second, fourth]);
  saves[1]?.done();
  await settle();
  assertEquals(saves.length, 2);
});

Deno.test("RingDriver begins without members when those it saved cannot be read", async () => {
  const clock = new FakeClock();
  await using ring = new RingNodes({
    transport: new FakeTransport(),
    clock,
    addresses: all.slice(0, 1),
    parts: { loadView: () => "{ damaged" },
  });
  await clock.advance(100);
  assertEquals(ring.driver(first).state(), "ready");
  assertEquals(ring.driver(first).members().length, 1);
  assertEquals(ring.driver(first).next(), undefined);
});

Deno.test("RingDriver.serveView() answers a question with the whole view, and counts its bytes", async () => {
  await using ring = await readyRing(new FakeClock());
  const written: Uint8Array[] = [];
  await ring.driver(first).serveView(send(viewQuery()), {
    write: (bytes) => Promise.resolve(void written.push(bytes)),
  });
  const text = new TextDecoder().decode(written[0]);
  const [head = "", body = ""] = text.split("\n");
  assertEquals(head, `VIEW ${new TextEncoder().encode(body).length}`);
  assertEquals(parseView(body).members.length, 4);
});

Deno.test("RingDriver.serveView() refuses nonsense and passes on that a body ends early", async () => {
  await using ring = await readyRing(new FakeClock());
  const session = { write: () => Promise.reject(new Error("nothing may be answered")) };
  const driver = ring.driver(first);
  for (const bad of ["", "[]", "{ }", formatView({ full: false, members: [] }).slice(0, -1)]) {
    await assertRejects(() => driver.serveView(send(bad), session), SyntaxError);
  }
  const early = {
    remaining: 16 * 1024 * 1024,
    read: () => Promise.reject(new Error("ended early")),
  };
  for (let times = 0; times < 100; times++) {
    await assertRejects(() => driver.serveView(early, session), Error, "ended early");
  }
});

Deno.test("RingDriver ends what waits when it stops, and leaves nothing behind", async () => {
  const clock = new FakeClock();
  const ring = await readyRing(clock);
  const driver = ring.driver(first);
  const heal = driver.handle({ kind: "node-heal" });
  const walk = driver.handle({ kind: "topology-walk" });
  const stopped = assertRejects(() => Promise.any([heal, walk]), AggregateError);
  await driver.stop();
  await stopped;
  assertEquals(driver.state(), "stopping");
  const status = await driver.handle({ kind: "node-status" });
  assertEquals(status, "PORT 127.0.0.1:7000\nNEXT 127.0.0.1:7001\nOK\n");
  await driver.stop();
  await ring[Symbol.asyncDispose]();
  assertEquals(clock.pending, 0);
});

Deno.test("RingDriver.placement() counts the Dead against the copies", async () => {
  const clock = new FakeClock();
  await using ring = await readyRing(clock);
  ring.outcome = { kind: "still-there" };
  for (const node of all.slice(1)) await ring.kill(node);
  await clock.advance(2_000);
  const driver = ring.driver(first);
  assertThrows(
    () => driver.placement({ copies: 2, size: 9, partBytesMin: 0 }),
    Error,
    "not enough nodes alive (1 of 2)",
  );
  assertEquals(driver.placement({ copies: 1, size: 9, partBytesMin: 0 }).nodes, [first]);
  assertEquals(driver.predecessor(), undefined);
});

Deno.test("RingDriver answers NODE HEAL when it has healed, though nobody gossips", async () => {
  const clock = new FakeClock();
  await using ring = new RingNodes({
    transport: new FakeTransport(),
    clock,
    addresses: all,
    gossipIntervalMs: 0,
  });
  await ring.wire();
  await clock.advance(500);
  await ring.kill(second);
  await ring.kill(third);
  await clock.advance(5_000);
  assertEquals(ring.respawned, []);
  let answer: string | undefined;
  const asking = ring.driver(first).handle({ kind: "node-heal" }).then((text) => answer = text);
  await clock.advance(5_000);
  assertEquals(answer, "OK network healed\n");
  await asking;
  for (const node of all) assertEquals(ring.driver(node).aliveMembers().length, 4);
});
