import { assertEquals } from "@std/assert";
import { NodeCounters } from "../../src/node/counters.ts";
import { EventFeed } from "../../src/node/event_feed.ts";
import type { RespawnOutcome } from "../../src/node/respawn.ts";
import { RingObserver } from "../../src/node/ring_observer.ts";
import type { EventLine } from "../../src/protocol/ring_event.ts";
import type { MemberStatus } from "../../src/ring/member.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { address } from "../support/fake_transport.ts";

const by = address("127.0.0.1:7000");
const node = address("127.0.0.1:7001");

/** An observer whose attempts to start a process end as the test says. */
class Scene {
  readonly clock = new FakeClock();
  readonly counters = new NodeCounters();
  readonly events = new EventFeed({ by, run: "k3f", clock: this.clock });
  readonly observer: RingObserver;
  outcome: RespawnOutcome = { kind: "started" };

  constructor() {
    const { clock, counters, events } = this;
    const respawner = { respawn: () => Promise.resolve(this.outcome) };
    this.observer = new RingObserver({ clock, counters, events, respawner });
  }

  becomes(status: MemberStatus, reason?: string): void {
    const member = { address: node, status, epoch: 4, program: "ouroboros", options: "" } as const;
    this.observer.changed({ kind: "status", member, reason });
  }

  async respawn(outcome: RespawnOutcome): Promise<void> {
    this.outcome = outcome;
    const { signal } = new AbortController();
    assertEquals(await this.observer.respawn(node, "{}", signal), outcome);
  }

  /** The kinds of the events so far, each with what is special about it. */
  async told(): Promise<string[]> {
    const pieces = this.events.listen("0", new AbortController().signal);
    const { value: lines = [] } = await pieces.next();
    await pieces.return(undefined);
    return lines.flatMap((line: EventLine) => {
      if (line.kind !== "event") return [];
      const { id: _id, timeMs: _timeMs, by: _by, kind, node: about, ...fields } = line.event;
      assertEquals(about, node);
      return [[kind, ...Object.values(fields)].join(" ")];
    });
  }
}

Deno.test("RingObserver tells and times how this node brings another one back", async () => {
  const scene = new Scene();
  scene.becomes("Dead", "refused the connection");
  await scene.respawn({ kind: "failed", reason: "no memory" });
  await scene.clock.advance(1_500);
  await scene.respawn({ kind: "started" });
  scene.becomes("Joining");
  await scene.clock.advance(500);
  scene.becomes("Alive");
  assertEquals(await scene.told(), [
    "node-died 4 refused the connection",
    "heal-started 1",
    "heal-failed no memory",
    "heal-started 2",
    "node-respawned",
    "node-joining 4",
    "node-alive 4",
    "heal-finished 2",
  ]);
  const { deaths, started, failed, durations } = scene.counters.healing;
  assertEquals({ deaths, started, failed }, { deaths: 1, started: 2, failed: 1 });
  assertEquals([durations.snapshot().count, durations.snapshot().sum], [1, 2]);
});

Deno.test("RingObserver counts no heal that others did, and no death that others noticed", async () => {
  const scene = new Scene();
  scene.becomes("Dead");
  scene.becomes("Alive");
  assertEquals(await scene.told(), ["node-died 4 another node says so", "node-alive 4"]);
  assertEquals(scene.counters.healing.deaths, 0);
  assertEquals(scene.counters.healing.durations.snapshot().count, 0);
});

Deno.test("RingObserver does not call a process that is still there a failed heal", async () => {
  const scene = new Scene();
  scene.becomes("Dead", "was silent twice");
  await scene.respawn({ kind: "still-there" });
  assertEquals(scene.counters.healing.failed, 0);
  assertEquals(await scene.told(), ["node-died 4 was silent twice", "heal-started 1"]);
});
