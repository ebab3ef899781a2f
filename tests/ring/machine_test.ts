import { assertEquals } from "@std/assert";
import type { NetmapEntry } from "../../src/protocol/lists.ts";
import { formatView, parseView } from "../../src/ring/view_codec.ts";
import { at, describe, MachineFixture, member } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;

function started(): MachineFixture {
  const ring = new MachineFixture();
  ring.step({ kind: "start" });
  ring.caughtUp();
  return ring;
}

function entries(statuses: Record<number, NetmapEntry["status"]>): NetmapEntry[] {
  return Object.entries(statuses).map(([port, status]) => ({ address: at(Number(port)), status }));
}

Deno.test("RingMachine answers what the protocol says before it is wired", pure, () => {
  const ring = started();
  const status = "PORT 127.0.0.1:7000\nNEXT <unset>\nOK\n";
  assertEquals(ring.command({ kind: "node-status" }), status);
  assertEquals(ring.command({ kind: "netmap-get" }), "(empty)\nOK\n");
  assertEquals(ring.command({ kind: "netmap-discover" }), "ERR no next hop set\n");
  assertEquals(ring.command({ kind: "topology-walk" }), "ERR no next hop set\n");
  assertEquals(ring.command({ kind: "ring-forward", ttl: 3, message: "hi" }), "OK\n");
  assertEquals(ring.takeRequests(), []);
});

Deno.test("RingMachine answers what the protocol says in a ring", pure, () => {
  const ring = MachineFixture.ready({ ports: [7000, 7001, 7002] });
  ring.view({ members: [member(7002, { status: "Dead" })] });
  assertEquals(
    ring.command({ kind: "node-status" }),
    "PORT 127.0.0.1:7000\nNEXT 127.0.0.1:7001\nOK\n",
  );
  assertEquals(ring.command({ kind: "netmap-get" }), "7000=Alive\n7001=Alive\n7002=Dead\nOK\n");
});

Deno.test("RingMachine tells in a pong who it is and what it knows", pure, () => {
  const ring = MachineFixture.ready();
  const ping = {
    kind: "ring-ping",
    from: at(7001),
    incarnation: "x",
    viewDigest: "0",
    catalogDigest: "0",
  } as const;
  const { digest } = ring.machine.view;
  assertEquals(ring.command(ping), `PONG 127.0.0.1:7000 abc ${digest} c0 ready\n`);
  ring.step({ kind: "stop" });
  assertEquals(ring.command(ping), `PONG 127.0.0.1:7000 abc ${digest} c0 stopping\n`);
});

Deno.test(
  "RingMachine takes a next hop, and forgets it when it is the successor again",
  pure,
  () => {
    const ring = MachineFixture.ready();
    const next = { kind: "node-next", address: at(7003) } as const;
    assertEquals(ring.command(next), "OK next=127.0.0.1:7003\n");
    assertEquals(ring.machine.next, at(7003));
    assertEquals(ring.machine.snapshot().next, at(7003));
    ring.command({ kind: "node-next", address: at(7001) });
    assertEquals(ring.machine.next, at(7001));
    assertEquals(ring.machine.snapshot().next, undefined);
  },
);

Deno.test("RingMachine forwards a message while its ttl lasts", pure, () => {
  const ring = MachineFixture.ready();
  ring.command({ kind: "ring-forward", ttl: 2, message: "hi there" });
  const [sent] = ring.takeRequests();
  assertEquals(sent?.to, at(7001));
  assertEquals(sent?.message, {
    kind: "command",
    command: { kind: "ring-forward", ttl: 1, message: "hi there" },
  });
  ring.command({ kind: "ring-forward", ttl: 0, message: "hi there" });
  assertEquals(ring.takeRequests(), []);
});

Deno.test("RingMachine starts from what it saved", pure, () => {
  const ring = MachineFixture.ready();
  ring.command({ kind: "node-next", address: at(7003) });
  ring.view({ members: [member(7002, { status: "Dead" })] });
  const again = new MachineFixture();
  again.step({ kind: "start", saved: parseView(formatView(ring.machine.snapshot())) });
  assertEquals(again.machine.view.digest, ring.machine.view.digest);
  assertEquals(again.machine.next, at(7003));
});

Deno.test(
  "RingMachine marks a member dead once, tells all, and the member itself last",
  pure,
  () => {
    const ring = MachineFixture.ready();
    ring.step({ kind: "mark-dead", id: 7, address: at(7002), reason: "a test" });
    assertEquals(ring.statusOf(7002), "Dead 1");
    const told = ring.requests.filter((request) => describe(request) === "view").map(({ to }) =>
      to
    );
    assertEquals(told.toSorted(), [7001, 7002, 7003, 7004].map(at));
    assertEquals(ring.takeEffects("told"), []);
    const [last] = ring.takeRequests(7002).filter((request) => describe(request) === "view");
    if (last === undefined) throw new Error("7002 is not told");
    assertEquals(last.deadlineMs, 1_000);
    ring.answerView(last, { members: [member(7002, { status: "Joining", epoch: 2 })] });
    assertEquals(ring.takeEffects("told"), [{ kind: "told", id: 7 }]);
    assertEquals(ring.statusOf(7002), "Joining 2");
  },
);

Deno.test("RingMachine marks neither strangers nor itself nor the Dead dead", pure, () => {
  const ring = MachineFixture.ready();
  ring.view({ members: [member(7003, { status: "Dead" })] });
  ring.takeRequests();
  ring.takeEffects();
  for (const [id, port] of [7000, 7003, 9999].entries()) {
    ring.step({ kind: "mark-dead", id, address: at(port), reason: "a test" });
  }
  assertEquals(ring.takeEffects("told").length, 3);
  assertEquals(ring.takeEffects("save"), []);
  assertEquals(ring.statusOf(7000), "Alive 1");
});

Deno.test("RingMachine takes an answer once, and none that it did not ask for", pure, () => {
  const ring = MachineFixture.ready();
  ring.advance(1_000);
  const [ping] = ring.takeRequests(7001);
  if (ping === undefined) throw new Error("no ping");
  ring.answerPing(ping);
  for (let times = 0; times < 3; times++) ring.answer(ping, { kind: "refused" });
  ring.step({ kind: "answered", id: 987_654, answer: { kind: "refused" } });
  ring.step({ kind: "respawned", address: at(7003), outcome: { kind: "started" } });
  ring.step({ kind: "caught-up", round: 99 });
  ring.step({ kind: "catch-up-failed", round: 99 });
  assertEquals(ring.statusOf(7001), "Alive 1");
});

Deno.test("NETMAP SET before the ring is wired is kept as it is", pure, () => {
  const ring = started();
  const set = entries({ 7000: "Alive", 7001: "Dead" });
  assertEquals(ring.command({ kind: "netmap-set", entries: set }), "OK\n");
  assertEquals(ring.command({ kind: "netmap-get" }), "7000=Alive\n7001=Dead\nOK\n");
  ring.command({ kind: "node-next", address: at(7001) });
  const edges = [{ from: at(7000), to: at(7001) }, { from: at(7001), to: at(7000) }];
  assertEquals(ring.command({ kind: "topology-set", edges }), "OK\n");
  assertEquals(ring.command({ kind: "netmap-get" }), "7000=Alive\n7001=Dead\nOK\n");
});

Deno.test("NETMAP SET that calls one of our members dead has it looked into", pure, () => {
  const ring = MachineFixture.ready();
  ring.command({ kind: "netmap-set", entries: entries({ 7002: "Dead", 7003: "Alive" }) });
  assertEquals(ring.statusOf(7002), "Alive 1");
  assertEquals(ring.requests.map(describe), ["ring-ping"]);
  ring.refuse(7002);
  assertEquals(ring.statusOf(7002), "Dead 1");
});

Deno.test("NETMAP SET that calls a Dead member alive has it told, if it answers", pure, () => {
  const ring = MachineFixture.ready({ gossipIntervalMs: 0 });
  ring.view({ members: [member(7002, { status: "Dead" })] });
  ring.command({ kind: "netmap-set", entries: entries({ 7002: "Alive" }) });
  const [ping] = ring.takeRequests(7002);
  if (ping === undefined) throw new Error("no ping");
  ring.answerPing(ping);
  assertEquals(ring.takeRequests(7002).map(describe), ["view"]);
  assertEquals(ring.statusOf(7002), "Dead 1", "it says itself when it is back");
});

Deno.test("NETMAP SET that calls this node dead is refuted", pure, () => {
  const ring = MachineFixture.ready();
  ring.command({ kind: "netmap-set", entries: entries({ 7000: "Dead" }) });
  assertEquals(ring.statusOf(7000), "Joining 2");
  ring.answerAll();
  ring.caughtUp();
  assertEquals(ring.statusOf(7000), "Alive 2");
  const alone = started();
  alone.command({ kind: "netmap-set", entries: entries({ 7000: "Dead" }) });
  assertEquals(alone.command({ kind: "netmap-get" }), "7000=Alive\nOK\n");
});

Deno.test("NETMAP SET of an original is believed of originals", pure, () => {
  const ring = MachineFixture.ready();
  ring.view({ members: [member(7002, { program: "original" })] });
  ring.command({ kind: "netmap-set", entries: entries({ 7002: "Dead" }) });
  assertEquals(ring.statusOf(7002), "Dead 1");
});

Deno.test("TOPOLOGY SET takes a closed ring with this node, and nothing else", pure, () => {
  const ring = started();
  const open = [{ from: at(7000), to: at(7001) }];
  const foreign = [{ from: at(7001), to: at(7002) }, { from: at(7002), to: at(7001) }];
  for (const edges of [open, foreign, []]) {
    assertEquals(ring.command({ kind: "topology-set", edges }), "OK\n");
    assertEquals(ring.machine.view.isWired, false);
  }
  const closed = [{ from: at(7000), to: at(7001) }, { from: at(7001), to: at(7000) }];
  ring.command({ kind: "topology-set", edges: closed });
  const { digest } = ring.machine.view;
  ring.command({ kind: "topology-set", edges: closed.toReversed() });
  assertEquals(ring.machine.view.digest, digest);
});

Deno.test("A walk that is repeated walks no second time", pure, () => {
  const ring = MachineFixture.ready();
  const hop = { kind: "node-heal-hop", token: "t1", start: at(7003) } as const;
  const walk = { kind: "topology-hop", token: "t2", start: at(7003), edges: [] } as const;
  assertEquals(ring.command(walk), "OK\n");
  assertEquals(ring.takeRequests().map(describe), ["topology-hop"]);
  assertEquals(ring.command(walk), "OK\n");
  assertEquals(ring.takeRequests(), []);
  assertEquals(ring.command(hop), "OK\n");
  ring.answerAll();
  assertEquals(ring.command(hop), "OK\n");
  assertEquals(ring.takeRequests(), []);
  for (const token of ["t1", "t2", "unknown"]) {
    assertEquals(ring.command({ kind: "node-heal-done", token }), "OK\n");
    assertEquals(ring.command({ kind: "topology-done", token, edges: [] }), "OK\n");
    assertEquals(ring.command({ kind: "netmap-done", token, entries: [] }), "OK\n");
  }
  assertEquals(ring.takeRequests(), []);
});

Deno.test("A walk that does not come back is answered when its time is over", pure, () => {
  const ring = MachineFixture.ready();
  assertEquals(ring.command({ kind: "topology-walk" }), undefined);
  const walk = ring.lastId;
  assertEquals(ring.command({ kind: "node-heal" }), undefined);
  const heal = ring.lastId;
  for (let seconds = 0; seconds < 30; seconds++) {
    ring.answerAll();
    assertEquals(ring.replyOf(walk), undefined);
    ring.advance(1_000);
  }
  assertEquals(ring.replyOf(walk), "ERR walk timeout\n");
  for (let seconds = 0; seconds < 30; seconds++) {
    ring.answerAll();
    assertEquals(ring.replyOf(heal), undefined);
    ring.advance(1_000);
  }
  assertEquals(ring.replyOf(heal), "ERR heal walk timeout\n");
});
