import { assert, assertEquals } from "@std/assert";
import { runSeeds } from "./run_seeds.ts";
import { allFaults, type Fault, throwFaults } from "./sim_faults.ts";
import { SimRing } from "./sim_ring.ts";

const pure = { permissions: "none" } as const;

/** A ring in which all is well. */
function wellRing(seed: number, nodes: number, trace?: string[]): SimRing {
  const ring = new SimRing({ seed, nodes }, trace);
  ring.start();
  assert(ring.runUntilWell(30_000) !== undefined, `no start: ${ring.faults()}`);
  return ring;
}

Deno.test(
  "A ring starts, and then sends two pings an interval and node, whatever its size",
  pure,
  () => {
    for (const nodes of [1, 2, 3, 5, 20, 100]) {
      const ring = wellRing(1, nodes);
      const sent = [...ring.network.sent.values()].reduce((sum, count) => sum + count, 0);
      assert(sent <= 1.6 * nodes * nodes, `${sent} requests to start ${nodes} nodes`);
      assertEquals(ring.counts.respawns, 0);
      ring.scheduler.runFor(5_000);
      const { most } = ring.measure(10 * ring.gossipIntervalMs);
      assert(most <= 20, `${nodes} nodes: one sends ${most} requests in 10 intervals`);
    }
  },
);

Deno.test("A killed node is back within the interval and 2 s, each node of the ring", pure, () => {
  runSeeds({ first: 1, count: 5 }, (seed, trace) => {
    const ring = wellRing(seed, 5, trace);
    for (const node of ring.nodes) {
      ring.scheduler.runFor(ring.scheduler.between(3_000, 5_000));
      node.kill();
      const tookMs = ring.runUntilWell(10_000);
      assert(tookMs !== undefined && tookMs <= ring.gossipIntervalMs + 2_000, `${tookMs} ms`);
    }
    assertEquals(ring.counts.stillThere, 0);
    assertEquals(ring.counts.bySupervisor, 0);
  });
});

Deno.test(
  "Any number of neighbours that die at once are back within the interval and 4 s",
  pure,
  () => {
    runSeeds({ first: 1, count: 5 }, (seed, trace) => {
      const ring = wellRing(seed, 8, trace);
      for (let count = 2; count < ring.nodes.length; count++) {
        ring.scheduler.runFor(5_000);
        const first = ring.scheduler.random.integer(ring.nodes.length);
        for (let at = 0; at < count; at++) ring.nodes[(first + at) % ring.nodes.length]?.kill();
        const tookMs = ring.runUntilWell(20_000);
        assert(tookMs !== undefined && tookMs <= ring.gossipIntervalMs + 4_000, `${tookMs} ms`);
      }
      assertEquals(ring.counts.bySupervisor, 0);
    });
  },
);

Deno.test("A node that is killed again while it heals is healed again", pure, () => {
  runSeeds({ first: 1, count: 10 }, (seed, trace) => {
    const ring = wellRing(seed, 5, trace);
    const node = ring.scheduler.random.pick(ring.nodes);
    for (let times = 0; times < 6; times++) {
      node.kill();
      ring.scheduler.runFor(ring.scheduler.between(200, 2_500));
    }
    const tookMs = ring.runUntilWell(20_000);
    assert(tookMs !== undefined && tookMs <= ring.gossipIntervalMs + 4_000, `${tookMs} ms`);
  });
});

Deno.test(
  "A ring of which all nodes are killed comes back, as does one whose node was wiped",
  pure,
  () => {
    runSeeds({ first: 1, count: 5 }, (seed, trace) => {
      const ring = wellRing(seed, 5, trace);
      ring.scheduler.runFor(1_000);
      for (const node of ring.nodes) node.kill();
      ring.nodes[seed % 5]?.wipe();
      const tookMs = ring.runUntilWell(20_000);
      assert(tookMs !== undefined && tookMs <= 8_000, `${tookMs} ms`);
      assertEquals(ring.counts.respawns, 0, "the first must not respawn the last");
    });
  },
);

Deno.test(
  "A stopped node is dead for the ring, no second process is started, and it comes back",
  pure,
  () => {
    runSeeds({ first: 1, count: 5 }, (seed, trace) => {
      const ring = wellRing(seed, 5, trace);
      const node = ring.scheduler.random.pick(ring.nodes);
      ring.scheduler.runFor(500);
      node.pause();
      ring.scheduler.runFor(30_000);
      for (const other of ring.nodes) {
        if (other === node) continue;
        assertEquals(other.machine?.view.member(node.address)?.status, "Dead");
      }
      node.resume();
      assertEquals(node.isReady, false, "it may lack what was committed meanwhile");
      const tookMs = ring.runUntilWell(5_000);
      assert(tookMs !== undefined && tookMs <= ring.gossipIntervalMs, `${tookMs} ms`);
      assertEquals(ring.counts.respawns, 0);
    });
  },
);

Deno.test(
  "A change costs messages in proportion to the ring, and no node more than its share",
  pure,
  () => {
    for (const nodes of [10, 100]) {
      const ring = wellRing(3, nodes);
      ring.scheduler.runFor(3_000);
      ring.network.sent.clear();
      ring.nodes[1]?.kill();
      const tookMs = ring.runUntilWell(10_000) ?? Infinity;
      const counts = ring.nodes.map((node) => ring.network.sent.get(node.address) ?? 0);
      const sum = counts.reduce((total, count) => total + count, 0);
      const pings = 2 * nodes * (1 + tookMs / ring.gossipIntervalMs);
      // Once told that it is dead, once by itself that it is joining, once that it is alive.
      assert(sum <= pings + 5 * nodes, `${nodes} nodes: ${sum} requests`);
      const most = counts.toSorted((a, b) => b - a)[1] ?? 0;
      assert(most <= 50, `${nodes} nodes: a node other than the one that joins sends ${most}`);
    }
  },
);

Deno.test("A ring cut in two is one again, and nobody was respawned for it", pure, () => {
  runSeeds({ first: 1, count: 5 }, (seed, trace) => {
    const ring = wellRing(seed, 10, trace);
    const cutAt = 1 + ring.scheduler.random.integer(9);
    for (const near of ring.nodes.slice(0, cutAt)) {
      for (const far of ring.nodes.slice(cutAt)) {
        ring.network.cut(near.address, far.address);
        ring.network.cut(far.address, near.address);
      }
    }
    ring.scheduler.runFor(40_000);
    ring.network.mend();
    const tookMs = ring.runUntilWell(60_000);
    assert(tookMs !== undefined && tookMs <= 10 * ring.gossipIntervalMs, `${tookMs} ms`);
    assertEquals(ring.counts.respawns, 0);
  });
});

/** Throws faults at a ring, then checks that it is well in time, and stays so. */
function survive(ring: SimRing, kinds: readonly Fault[], durationMs: number): void {
  throwFaults(ring, { kinds, durationMs, everyMs: 2_500 });
  const tookMs = ring.runUntilWell(60_000);
  assert(tookMs !== undefined, `not well after quiet time: ${ring.faults()}`);
  ring.scheduler.runFor(5_000);
  const { respawns } = ring.counts;
  const { most } = ring.measure(10 * ring.gossipIntervalMs);
  assertEquals(ring.faults(), []);
  assertEquals(ring.counts.respawns, respawns, "respawns in a ring that is well");
  assert(most <= 20, `one node sends ${most} requests in 10 quiet intervals`);
}

const sizes = [[2, 50, 60], [3, 50, 60], [5, 40, 60], [20, 6, 60], [100, 1, 30]] as const;

for (const [nodes, count, seconds] of sizes) {
  Deno.test(`A ring of ${nodes} survives every kind of fault, ${count} seeds`, pure, () => {
    runSeeds({ first: 1_000, count }, (seed, trace) => {
      const ring = new SimRing({ seed, nodes, respawnFailureRate: 0.1 }, trace);
      ring.start();
      survive(ring, allFaults, 1_000 * seconds);
    });
  });
}

Deno.test("A minute deals a large ring every kind of fault, the dearest once", pure, () => {
  for (let seed = 1; seed <= 10; seed++) {
    // Its nodes never start, so that nothing but the faults happens.
    const ring = new SimRing({ seed, nodes: 1_000 });
    const thrown = throwFaults(ring, { kinds: allFaults, durationMs: 60_000, everyMs: 4_000 });
    assertEquals(allFaults.filter((kind) => !thrown.has(kind)), [], `seed ${seed}`);
  }
  const ring = new SimRing({ seed: 1, nodes: 1_000 });
  const thrown = throwFaults(ring, { kinds: ["kill-all"], durationMs: 400_000, everyMs: 1_000 });
  const all = thrown.get("kill-all") ?? 0;
  assert(all > 10 && 5 * all < (thrown.get("kill-neighbours") ?? 0), `${all} of about 400`);
});

Deno.test("A simulation with one seed is the same twice", pure, () => {
  const traces = [1, 2].map(() => {
    const trace: string[] = [];
    const ring = new SimRing({ seed: 42, nodes: 7, respawnFailureRate: 0.1 }, trace);
    ring.start();
    throwFaults(ring, { kinds: allFaults, durationMs: 30_000, everyMs: 1_000 });
    return trace;
  });
  assert((traces[0]?.length ?? 0) > 100);
  assertEquals(traces[0], traces[1]);
});
