import { assertEquals } from "@std/assert";
import type { Effect } from "../../src/ring/effects.ts";
import type { ViewMessage } from "../../src/ring/view_codec.ts";
import { at, describe, MachineFixture, member } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;

const saved: ViewMessage = {
  full: true,
  shape: { version: 1, order: [7000, 7001, 7002].map(at) },
  members: [7000, 7001, 7002].map((port) => member(port)),
};

function state(ring: MachineFixture): string {
  return ring.machine.stateAt(ring.nowMs);
}

function catchUps(ring: MachineFixture): Effect[] {
  return ring.takeEffects("catch-up");
}

Deno.test(
  "Life of a node that was never wired is ready once it has caught up with nobody",
  pure,
  () => {
    const ring = new MachineFixture();
    ring.step({ kind: "start" });
    assertEquals(state(ring), "catching-up");
    assertEquals(catchUps(ring), [{ kind: "catch-up", round: 1, peers: [] }]);
    ring.step({ kind: "caught-up", round: 1 });
    assertEquals(state(ring), "ready");
  },
);

Deno.test("Life catches up only when every member knows of the node", pure, () => {
  const ring = new MachineFixture();
  ring.step({ kind: "start", saved });
  const [first, second] = ring.takeRequests();
  if (first === undefined || second === undefined) throw new Error("nobody is told");
  ring.answerView(first, { catalogDigest: "c1" });
  assertEquals(catchUps(ring), []);
  ring.answerView(second, { catalogDigest: "c2", isReady: true });
  assertEquals(catchUps(ring), [{
    kind: "catch-up",
    round: 1,
    peers: [
      { address: at(7001), catalogDigest: "c1" },
      { address: at(7002), catalogDigest: "c2" },
    ],
  }]);
  assertEquals(state(ring), "catching-up");
  ring.step({ kind: "caught-up", round: 1 });
  assertEquals(state(ring), "ready");
  assertEquals(ring.statusOf(7000), "Alive 1", "nobody had missed it");
});

Deno.test("Life goes on without Dead members once somebody ready has shown its view", pure, () => {
  const dead = {
    ...saved,
    members: [member(7000), member(7001, { status: "Dead" }), member(7002)],
  };
  const ring = new MachineFixture();
  ring.step({ kind: "start", saved: dead });
  ring.refuse(7001);
  const [request] = ring.takeRequests(7002);
  if (request === undefined) throw new Error("7002 is not told");
  ring.answerView(request, { isReady: true });
  assertEquals(catchUps(ring).length, 1);
});

Deno.test("Life waits a while for Dead members where nobody is ready", pure, () => {
  const dead = {
    ...saved,
    members: [member(7000), member(7001, { status: "Dead" }), member(7002)],
  };
  const ring = new MachineFixture();
  ring.step({ kind: "start", saved: dead });
  for (let waitedMs = 0; waitedMs < 11_000; waitedMs += 250) {
    ring.refuse(7001);
    for (const request of ring.takeRequests(7002)) {
      if (describe(request) === "view") ring.answerView(request);
      else ring.answerPing(request);
    }
    ring.advance(250);
  }
  assertEquals(catchUps(ring), []);
  ring.advance(1_250);
  ring.refuse(7001);
  ring.answerAll();
  ring.advance(500);
  assertEquals(catchUps(ring).length, 1);
});

Deno.test("Life need not tell who has just said that it knows", pure, () => {
  const ring = new MachineFixture();
  ring.step({ kind: "start", saved });
  const requests = ring.takeRequests();
  ring.view({ from: at(7001), members: [member(7001), member(7000)], catalogDigest: "c1" });
  for (const request of requests) {
    if (request.to === at(7001)) ring.answer(request, { kind: "local" });
    else ring.answerView(request);
  }
  assertEquals(catchUps(ring).length, 1);
  assertEquals(ring.takeRequests(7001), []);
});

Deno.test("Life begins a new epoch when the node hears that it was called Dead", pure, () => {
  const ring = MachineFixture.ready();
  const answer = ring.view({ from: at(7003), members: [member(7000, { status: "Dead" })] });
  assertEquals(answer.members[0], member(7000, { status: "Joining", epoch: 2 }));
  assertEquals(state(ring), "catching-up");
  const told = ring.takeRequests();
  assertEquals(told.map(({ to }) => to), [7001, 7002, 7003, 7004].map(at));
  for (const request of told) ring.answerView(request, { isReady: true });
  ring.caughtUp();
  assertEquals(ring.statusOf(7000), "Alive 2");
  assertEquals(state(ring), "ready");
  assertEquals(ring.takeRequests().map(describe), ["view", "view", "view", "view"], "all are told");
});

Deno.test("Life ignores a death of an epoch that is over", pure, () => {
  const ring = MachineFixture.ready();
  ring.view({ members: [member(7000, { status: "Dead" })] });
  for (const request of ring.takeRequests()) ring.answerView(request, { isReady: true });
  ring.caughtUp();
  ring.answerAll();
  ring.takeEffects();
  for (let times = 0; times < 3; times++) {
    ring.view({ members: [member(7000, { status: "Dead" })] });
    ring.view({ members: [member(7000, { status: "Joining", epoch: 2 })] });
  }
  assertEquals(state(ring), "ready");
  assertEquals(ring.statusOf(7000), "Alive 2");
  assertEquals(ring.takeRequests(), []);
  assertEquals(ring.takeEffects("save"), []);
});

Deno.test(
  "Life is not ready for a catch-up that began before it was called Dead again",
  pure,
  () => {
    const ring = MachineFixture.ready();
    ring.view({ members: [member(7000, { status: "Dead" })] });
    for (const request of ring.takeRequests()) ring.answerView(request, { isReady: true });
    const [older] = catchUps(ring);
    ring.view({ members: [member(7000, { status: "Dead", epoch: 2 })] });
    if (older?.kind !== "catch-up") throw new Error("no catch-up");
    ring.step({ kind: "caught-up", round: older.round });
    assertEquals(state(ring), "catching-up");
    assertEquals(ring.statusOf(7000), "Joining 3");
  },
);

Deno.test("Life tries a failed catch-up again, with those who are left", pure, () => {
  const ring = MachineFixture.ready({ ports: [7000, 7001, 7002] });
  ring.step({ kind: "rejoin", reason: "a test" });
  for (const request of ring.takeRequests()) ring.answerView(request, { isReady: true });
  const [first] = catchUps(ring);
  if (first?.kind !== "catch-up") throw new Error("no catch-up");
  ring.step({ kind: "mark-dead", id: 9, address: at(7001), reason: "a test" });
  ring.step({ kind: "catch-up-failed", round: first.round });
  ring.advance(500);
  const [second] = catchUps(ring);
  if (second?.kind !== "catch-up") throw new Error("no second catch-up");
  assertEquals(second.peers.map(({ address }) => address), [at(7002)]);
  ring.step({ kind: "caught-up", round: first.round });
  assertEquals(state(ring), "catching-up", "the first is over");
  ring.step({ kind: "caught-up", round: second.round });
  assertEquals(state(ring), "ready");
});

Deno.test(
  "Life begins anew when the last member that was ready dies during the catch-up",
  pure,
  () => {
    const ring = new MachineFixture();
    ring.step({ kind: "start", saved });
    for (const request of ring.takeRequests()) {
      ring.answerView(request, { isReady: request.to === at(7001) });
    }
    const [first] = catchUps(ring);
    if (first?.kind !== "catch-up") throw new Error("no catch-up");
    ring.step({ kind: "mark-dead", id: 9, address: at(7001), reason: "a test" });
    ring.step({ kind: "caught-up", round: first.round });
    assertEquals(state(ring), "catching-up", "7002 may not have what 7001 had");
  },
);

Deno.test(
  "Life is not ready right after a sleep longer than the lease, before any event",
  pure,
  () => {
    const ring = MachineFixture.ready();
    ring.sleep(2_900);
    assertEquals(state(ring), "ready");
    ring.sleep(200);
    assertEquals(state(ring), "catching-up");
    const pong = ring.command({
      kind: "ring-ping",
      from: at(7001),
      incarnation: "x",
      viewDigest: "0",
      catalogDigest: "0",
    });
    assertEquals(pong?.endsWith(" catching-up\n"), true);
    ring.answerAll();
    ring.caughtUp();
    assertEquals(state(ring), "ready");
    assertEquals(ring.statusOf(7000), "Alive 1", "nobody called it Dead");
  },
);

Deno.test("Life that is quiet is not mistaken for sleep", pure, () => {
  const ring = MachineFixture.ready({ gossipIntervalMs: 0 });
  ring.advance(600_000);
  assertEquals(state(ring), "ready");
});

Deno.test("Life catches up when the node finds itself in a ring of others", pure, () => {
  const ring = new MachineFixture();
  ring.step({ kind: "start" });
  ring.caughtUp();
  ring.view({ shape: { version: 1, order: [7000, 7001].map(at) }, members: [member(7001)] });
  assertEquals(state(ring), "catching-up");
  assertEquals(ring.takeRequests().map(({ to }) => to), [at(7001)]);
});

Deno.test("Life says of itself what is true, whatever others say", pure, () => {
  const ring = MachineFixture.ready();
  ring.view({ members: [member(7000, { epoch: 7, options: "other" })] });
  assertEquals(ring.machine.view.own, member(7000, { epoch: 8 }));
  ring.view({ members: [member(7000, { epoch: 9 })] });
  assertEquals(ring.machine.view.own, member(7000, { epoch: 9 }), "its own words from a lost disk");
  assertEquals(state(ring), "ready");
});

Deno.test("Life of a process that has other options than the last one says so", pure, () => {
  const ring = new MachineFixture({ options: "new" });
  ring.step({ kind: "start", saved });
  assertEquals(ring.machine.view.own, member(7000, { epoch: 2, options: "new" }));
});

Deno.test("Life ends for good with stop", pure, () => {
  const ring = MachineFixture.ready();
  ring.step({ kind: "stop" });
  ring.view({ members: [member(7000, { status: "Dead" })] });
  ring.step({ kind: "rejoin", reason: "a test" });
  ring.advance(10_000);
  assertEquals(state(ring), "stopping");
  assertEquals(ring.takeRequests(), []);
});
