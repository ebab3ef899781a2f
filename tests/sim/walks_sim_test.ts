import { assert, assertEquals } from "@std/assert";
import { formatAddress, type NodeAddress } from "../../src/protocol/address.ts";
import { parseNetmapReply, parseTopologyReply } from "../../src/protocol/replies.ts";
import type { RingCommand } from "../../src/ring/machine.ts";
import { runSeeds } from "./run_seeds.ts";
import type { SimNode } from "./sim_node.ts";
import { SimRing } from "./sim_ring.ts";

const pure = { permissions: "none" } as const;

/** Sends a command and lets time pass until it is answered. */
function ask(ring: SimRing, node: SimNode | undefined, command: RingCommand): string {
  const replies: string[] = [];
  node?.command(command, (text) => replies.push(text));
  for (let waitedMs = 0; waitedMs < 70_000 && replies.length === 0; waitedMs += 10) {
    ring.scheduler.runFor(10);
  }
  return replies[0] ?? "no answer";
}

/** Nodes that run and that nobody has told of each other. */
function strangers(
  seed: number,
  nodes: number,
  gossipIntervalMs: number,
  trace?: string[],
): SimRing {
  const ring = new SimRing({ seed, nodes, gossipIntervalMs }, trace);
  for (const node of ring.nodes) node.start(100);
  ring.scheduler.runFor(1_000);
  return ring;
}

function wireByHand(ring: SimRing): void {
  for (const [index, node] of ring.nodes.entries()) {
    const address = ring.nodes[(index + 1) % ring.nodes.length]?.address ?? node.address;
    assertEquals(ask(ring, node, { kind: "node-next", address }), `OK next=${address}\n`);
  }
}

Deno.test(
  "A ring that is wired by NODE NEXT and NETMAP DISCOVER knows itself on every node",
  pure,
  () => {
    for (const nodes of [1, 2, 5, 12]) {
      runSeeds({ first: 1, count: 3 }, (seed, trace) => {
        const ring = strangers(seed, nodes, 0, trace);
        wireByHand(ring);
        assertEquals(ask(ring, ring.nodes[0], { kind: "netmap-discover" }), "OK\n");
        ring.scheduler.runFor(2_000);
        assertEquals(ring.faults(), []);
        for (const node of ring.nodes) {
          const netmap = parseNetmapReply(ask(ring, node, { kind: "netmap-get" }));
          assertEquals(netmap?.length, nodes);
          assert(netmap?.every(({ status }) => status === "Alive"));
          assertEquals(node.machine?.view.member(node.address)?.options, "{}");
        }
      });
    }
  },
);

Deno.test("TOPOLOGY WALK answers the edges from its start, dead nodes included", pure, () => {
  const ring = new SimRing({ seed: 1, nodes: 5, gossipIntervalMs: 0 });
  ring.start();
  ring.runUntilWell(10_000);
  const walk = { kind: "topology-walk" } as const;
  assertEquals(
    ask(ring, ring.nodes[3], walk),
    "7003->7004\n7004->7000\n7000->7001\n7001->7002\n7002->7003\nOK\n",
  );
  ring.nodes[0]?.kill();
  ring.nodes[1]?.kill();
  assertEquals(parseTopologyReply(ask(ring, ring.nodes[3], walk))?.length, 5);
});

Deno.test("A node that was inserted by hand is in the ring after the next walk", pure, () => {
  const ring = strangers(1, 4, 1_000);
  const address = (port: number): NodeAddress => formatAddress("127.0.0.1", port);
  const wire = (order: readonly number[]) => {
    for (const [index, from] of order.entries()) {
      const to = order[(index + 1) % order.length] ?? from;
      ask(ring, ring.node(address(from)), { kind: "node-next", address: address(to) });
    }
    return ask(ring, ring.node(address(order[0] ?? 0)), { kind: "topology-walk" });
  };
  wire([7000, 7001, 7002]);
  assertEquals(
    wire([7000, 7003, 7001, 7002]),
    "7000->7003\n7003->7001\n7001->7002\n7002->7000\nOK\n",
  );
  assert(ring.runUntilWell(10_000) !== undefined, `${ring.faults()}`);
  for (const node of ring.nodes) assertEquals(node.machine?.view.fromSelf.length, 4);
});

Deno.test("NODE HEAL returns when the ring is healed, though nobody gossips", pure, () => {
  runSeeds({ first: 1, count: 10 }, (seed, trace) => {
    const ring = new SimRing(
      { seed, nodes: 6, gossipIntervalMs: 0, respawnFailureRate: 0.2 },
      trace,
    );
    ring.start();
    assert(ring.runUntilWell(10_000) !== undefined);
    const dead = 1 + ring.scheduler.random.integer(5);
    for (let count = 0; count < dead; count++) {
      ring.scheduler.random.pick(ring.nodes.slice(1)).kill();
    }
    ring.scheduler.runFor(ring.scheduler.between(0, 3_000));
    assertEquals(ask(ring, ring.nodes[0], { kind: "node-heal" }), "OK network healed\n");
    assertEquals(ring.faults(), [], "at the moment of the answer");
  });
});

Deno.test(
  "NODE HEAL of a healthy ring, of a ring of one, and of a lone node is quick",
  pure,
  () => {
    for (const nodes of [1, 2, 20]) {
      const ring = new SimRing({ seed: 1, nodes, gossipIntervalMs: 0 });
      ring.start();
      ring.runUntilWell(10_000);
      const startMs = ring.scheduler.nowMs;
      assertEquals(ask(ring, ring.nodes[0], { kind: "node-heal" }), "OK network healed\n");
      assert(ring.scheduler.nowMs - startMs < 500);
    }
    const alone = strangers(1, 1, 0);
    assertEquals(ask(alone, alone.nodes[0], { kind: "node-heal" }), "OK network healed\n");
  },
);

Deno.test("NODE HEAL goes on when a node dies while it walks", pure, () => {
  runSeeds({ first: 1, count: 10 }, (seed, trace) => {
    const ring = new SimRing({ seed, nodes: 6, gossipIntervalMs: 0 }, trace);
    ring.start();
    ring.runUntilWell(10_000);
    ring.nodes[2]?.kill();
    const victim = ring.scheduler.random.pick(ring.nodes.slice(1));
    ring.scheduler.after(ring.scheduler.between(0, 1_000), () => victim.kill());
    const answer = ask(ring, ring.nodes[0], { kind: "node-heal" });
    // A walk that was at the victim is lost with it, and says so after its time.
    assert(answer === "OK network healed\n" || answer === "ERR heal walk timeout\n", answer);
    if (answer.startsWith("OK")) assertEquals(ring.faults(), []);
  });
});

Deno.test("NODE HEAL says so when a node cannot be healed", pure, () => {
  const ring = new SimRing({ seed: 1, nodes: 3, gossipIntervalMs: 0 });
  ring.start();
  ring.runUntilWell(10_000);
  ring.nodes[1]?.pause();
  assertEquals(ask(ring, ring.nodes[0], { kind: "node-heal" }), "ERR heal walk timeout\n");
  assertEquals(ring.counts.respawns, 0);
});

Deno.test("RING STOPPING keeps a ring from healing for as long as it says", pure, () => {
  const ring = new SimRing({ seed: 1, nodes: 5 });
  ring.start();
  ring.runUntilWell(10_000);
  for (const node of ring.nodes) node.command({ kind: "ring-stopping", seconds: 10 });
  ring.nodes[1]?.kill();
  ring.nodes[2]?.kill();
  ring.scheduler.runFor(9_000);
  assertEquals(ring.counts.respawns, 0);
  assert(ring.runUntilWell(5_000) !== undefined, "it goes on afterwards");
});
