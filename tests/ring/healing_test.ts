import { assertEquals } from "@std/assert";
import type { Effect } from "../../src/ring/effects.ts";
import { at, describe, MachineFixture, member } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;

const respawnOf7001: Effect = { kind: "respawn", address: at(7001), options: "{}" };

/** A ring whose successor has just been found dead. */
function bereft(options: { ports?: number[]; gossipIntervalMs?: number } = {}): MachineFixture {
  const ring = MachineFixture.ready(options);
  ring.step({ kind: "mark-dead", id: 99, address: at(7001), reason: "a test" });
  for (const request of ring.takeRequests()) {
    if (describe(request) === "view") ring.answer(request, { kind: "local" });
    else ring.requests.push(request);
  }
  ring.takeEffects();
  return ring;
}

Deno.test(
  "Healing respawns a dead successor where nobody listens, with its own options",
  pure,
  () => {
    const ring = bereft();
    assertEquals(ring.takeEffects("respawn"), []);
    ring.refuse(7001);
    assertEquals(ring.takeEffects("respawn"), [respawnOf7001]);
  },
);

Deno.test("Healing starts no process where somebody is silent", pure, () => {
  const ring = bereft();
  for (let tries = 0; tries < 5; tries++) {
    for (const request of ring.takeRequests(7001)) ring.answer(request, { kind: "silent" });
    ring.answerAll();
    ring.advance(2_000);
  }
  assertEquals(ring.takeEffects("respawn"), []);
});

Deno.test("Healing tells a node that answers, and hands the whole view over", pure, () => {
  const ring = bereft();
  const [ping] = ring.takeRequests(7001);
  if (ping === undefined) throw new Error("no ping");
  ring.answerPing(ping);
  const [told] = ring.takeRequests(7001);
  if (told?.message.kind !== "view") throw new Error("no view");
  assertEquals(told.message.view.full, true);
  assertEquals(
    told.message.view.members.find(({ address }) => address === at(7001))?.status,
    "Dead",
  );
  ring.answerView(told, { members: [member(7001, { status: "Joining", epoch: 2 })] });
  assertEquals(ring.statusOf(7001), "Joining 2");
  assertEquals(ring.takeEffects("respawn"), []);
});

Deno.test("Healing has one respawn of a member under way, whatever happens meanwhile", pure, () => {
  const ring = bereft();
  ring.refuse(7001);
  assertEquals(ring.takeEffects("respawn").length, 1);
  // Somebody else brings it back, and it dies again, before the outcome is known.
  ring.view({ from: at(7001), members: [member(7001, { epoch: 2 })] });
  assertEquals(ring.statusOf(7001), "Alive 2");
  ring.step({ kind: "mark-dead", id: 98, address: at(7001), reason: "again" });
  for (let tries = 0; tries < 5; tries++) {
    ring.refuse(7001);
    ring.advance(500);
  }
  assertEquals(ring.takeEffects("respawn"), []);
  ring.step({ kind: "respawned", address: at(7001), outcome: { kind: "failed", reason: "test" } });
  for (let tries = 0; tries < 5; tries++) {
    ring.advance(500);
    ring.refuse(7001);
  }
  assertEquals(ring.takeEffects("respawn").length, 1);
});

Deno.test("Healing waits longer after each respawn that failed, up to a limit", pure, () => {
  const ring = bereft();
  const at0 = ring.nowMs;
  const times: number[] = [];
  while (times.length < 9) {
    ring.refuse(7001);
    if (ring.takeEffects("respawn").length > 0) {
      times.push(ring.nowMs - at0);
      const outcome = { kind: "failed", reason: "test" } as const;
      ring.step({ kind: "respawned", address: at(7001), outcome });
    }
    ring.answerAll();
    ring.advance(50);
  }
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  assertEquals(pauses, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
});

Deno.test("Healing takes 'still there' for no failure, and looks again only later", pure, () => {
  const ring = bereft();
  ring.refuse(7001);
  ring.takeEffects();
  ring.step({ kind: "respawned", address: at(7001), outcome: { kind: "still-there" } });
  ring.advance(1_900);
  ring.refuse(7001);
  assertEquals(ring.takeEffects("respawn"), []);
  ring.advance(200);
  ring.refuse(7001);
  assertEquals(ring.takeEffects("respawn"), [respawnOf7001]);
});

Deno.test("Healing hands over to a node that was respawned", pure, () => {
  const ring = bereft();
  ring.refuse(7001);
  ring.step({ kind: "respawned", address: at(7001), outcome: { kind: "started" } });
  assertEquals(ring.takeRequests(7001).map(describe), ["view"]);
});

Deno.test(
  "Healing works on all neighbours that died at once, a few processes at a time",
  pure,
  () => {
    const ports = Array.from({ length: 12 }, (_, index) => 7000 + index);
    const ring = MachineFixture.ready({ ports });
    ring.advance(1_000);
    for (let round = 0; round < 12; round++) ring.refuse(...ports.slice(1));
    const respawned = ring.takeEffects("respawn");
    assertEquals(respawned.length, 4);
    for (const effect of respawned) {
      if (effect.kind !== "respawn") continue;
      ring.view({
        from: effect.address,
        members: [member(Number(effect.address.slice(-4)), { epoch: 2 })],
      });
      ring.step({ kind: "respawned", address: effect.address, outcome: { kind: "started" } });
    }
    ring.advance(300);
    ring.refuse(...ports.slice(1));
    assertEquals(ring.takeEffects("respawn").length, 4);
  },
);

Deno.test(
  "Healing leaves to others what died before this node came back, for one interval",
  pure,
  () => {
    const ring = new MachineFixture();
    ring.step({
      kind: "start",
      saved: {
        full: true,
        shape: { version: 1, order: [7000, 7001, 7002].map(at) },
        members: [member(7000), member(7001, { status: "Dead" }), member(7002)],
      },
    });
    for (const request of ring.takeRequests(7002)) ring.answerView(request, { isReady: true });
    ring.refuse(7001);
    ring.caughtUp();
    ring.advance(1_500);
    ring.refuse(7001);
    assertEquals(ring.takeEffects("respawn"), []);
    ring.advance(1_000);
    ring.refuse(7001);
    assertEquals(ring.takeEffects("respawn"), [respawnOf7001]);
  },
);

Deno.test("Healing is left to NODE HEAL when the gossip interval is 0", pure, () => {
  const ring = bereft({ gossipIntervalMs: 0 });
  ring.advance(60_000);
  ring.refuse(7001);
  assertEquals(ring.takeEffects("respawn"), []);
  ring.command({ kind: "node-heal" });
  ring.refuse(7001);
  assertEquals(ring.takeEffects("respawn"), [respawnOf7001]);
});

Deno.test("Healing respawns nobody while the ring is being stopped", pure, () => {
  const ring = bereft();
  ring.command({ kind: "ring-stopping", seconds: 10 });
  ring.refuse(7001);
  ring.advance(9_000);
  ring.refuse(7001);
  assertEquals(ring.takeEffects("respawn").length <= 1, true);
  ring.takeEffects();
  assertEquals(ring.requests.filter(({ to }) => to === at(7001)), []);
});

Deno.test("Healing cannot respawn a node whose options nobody knows", pure, () => {
  const ring = MachineFixture.ready();
  ring.view({ members: [member(7001, { epoch: 5, options: "" })] });
  ring.advance(1_000);
  ring.refuse(7001);
  ring.advance(5_000);
  ring.refuse(7001);
  assertEquals(ring.statusOf(7001), "Dead 5");
  assertEquals(ring.takeEffects("respawn"), []);
});

Deno.test("Healing respawns no original, and hands its ring over when it is back", pure, () => {
  const ring = MachineFixture.ready({ ports: [7000, 7001, 7002] });
  ring.advance(1_000);
  for (const request of ring.takeRequests(7001)) {
    ring.answer(request, { kind: "error", error: "unknown RING command" });
  }
  assertEquals(ring.machine.view.member(at(7001))?.program, "original");
  ring.answerAll();
  ring.advance(1_000);
  assertEquals(ring.requests.filter(({ to }) => to === at(7001)).map(describe), ["node-ping"]);
  ring.refuse(7001);
  assertEquals(ring.statusOf(7001), "Dead 1");
  ring.refuse(7001);
  ring.answerAll();
  assertEquals(ring.takeEffects("respawn"), []);
  ring.advance(1_000);
  for (const request of ring.takeRequests(7001)) {
    ring.answer(request, { kind: "line", line: "PONG" });
  }
  assertEquals(ring.statusOf(7001), "Alive 2");
  const sent: string[] = [];
  for (let more = ring.takeRequests(7001); more.length > 0; more = ring.takeRequests(7001)) {
    for (const request of more) {
      sent.push(describe(request));
      ring.answer(request, { kind: "line", line: "OK" });
    }
  }
  const handedOver = sent.slice(sent.indexOf("node-next")).filter((kind) => kind !== "node-ping");
  assertEquals(handedOver.filter((kind) => kind !== "netmap-set"), ["node-next", "topology-set"]);
  assertEquals(handedOver.at(-1), "netmap-set");
  assertEquals(ring.takeEffects("send-tags"), [{ kind: "send-tags", to: at(7001) }]);
});
