import type { SimNode } from "./sim_node.ts";
import type { NetworkFaults } from "./sim_network.ts";
import type { SimRing } from "./sim_ring.ts";

/** A kind of fault that is thrown at a ring. */
export type Fault =
  | "kill"
  | "kill-neighbours"
  | "kill-all"
  | "kill-again"
  | "wipe"
  | "pause"
  | "partition"
  | "one-way"
  | "bad-network"
  | "clock";

/** All of them. */
export const allFaults: readonly Fault[] = [
  "kill",
  "kill-neighbours",
  "kill-all",
  "kill-again",
  "wipe",
  "pause",
  "partition",
  "one-way",
  "bad-network",
  "clock",
];

/** Those after which no node of the ring can be wrong about who heard what: no message gets lost. */
export const processFaults: readonly Fault[] = [
  "kill",
  "kill-neighbours",
  "kill-again",
  "wipe",
  "pause",
  "clock",
];

/** How a run of faults goes. */
export interface FaultOptions {
  readonly kinds: readonly Fault[];
  /** For how long faults are thrown. */
  readonly durationMs: number;
  /** The mean time between two. */
  readonly everyMs: number;
}

/** What loses, delays, reorders and duplicates. */
const badNetwork: NetworkFaults = {
  delayMinMs: 1,
  delayMaxMs: 400,
  lossRate: 0.1,
  duplicateRate: 0.1,
};

/**
 * Nodes that one cut, or a bad stretch of network, sets apart in a ring larger than twice that. A ring
 * of a thousand in halves sends millions of messages, each found Dead told to all, and back.
 */
const apartMax = 50;

/** Throws faults at a ring, then takes all of them back; what they did to it is left to heal. */
export function throwFaults(ring: SimRing, options: FaultOptions): Map<Fault, number> {
  const { scheduler } = ring;
  const thrown = new Map<Fault, number>();
  const endMs = scheduler.nowMs + options.durationMs;
  // Dealt, not drawn: every kind comes before one comes again, also in a run of a few faults.
  let hand: Fault[] = [];
  while (scheduler.nowMs < endMs) {
    scheduler.runFor(scheduler.between(0, 2 * options.everyMs));
    if (hand.length === 0) hand = [...options.kinds];
    const [dealt = "kill"] = hand.splice(scheduler.random.integer(hand.length), 1);
    const fault = lighter(ring, dealt, thrown);
    thrown.set(fault, (thrown.get(fault) ?? 0) + 1);
    ring.trace?.push(`${(scheduler.nowMs / 1_000).toFixed(3).padStart(9)} FAULT ${fault}`);
    throwFault(ring, fault);
  }
  ring.network.mend();
  ring.network.heal();
  for (const node of ring.nodes) {
    node.resume();
    node.clockSkewMs = 0;
  }
  return thrown;
}

/**
 * What comes instead of a fault: a wipe waits until the last is repaired, and in a large ring a fault of
 * all its nodes is one the first time, and seldom again.
 */
function lighter(ring: SimRing, fault: Fault, thrown: ReadonlyMap<Fault, number>): Fault {
  if (fault === "wipe") return ring.hasAllCopies() ? "wipe" : "kill";
  if (fault !== "kill-all") return fault;
  const isSpared = ring.scheduler.random.integer(ring.nodes.length) >= 100;
  return isSpared && thrown.has("kill-all") ? "kill-neighbours" : fault;
}

function throwFault(ring: SimRing, fault: Fault): void {
  const { random } = ring.scheduler;
  const node = random.pick(ring.nodes);
  switch (fault) {
    case "kill":
      return node.kill();
    case "kill-neighbours":
      return killNeighbours(ring);
    case "kill-all":
      for (const each of ring.nodes) each.kill();
      return;
    case "kill-again":
      return killAgain(ring, node);
    case "wipe":
      node.kill();
      node.wipe();
      return ring.wiped();
    case "pause":
      return pause(ring, node);
    case "partition":
      return partition(ring, true);
    case "one-way":
      return partition(ring, false);
    case "bad-network":
      ring.network.spoil(someNodes(ring).map(({ address }) => address), badNetwork);
      ring.scheduler.after(ring.scheduler.between(0, 20_000), () => ring.network.heal());
      return;
    case "clock":
      node.clockSkewMs = random.pick([-3_600_000, 3_600_000, -90_000, 90_000, 0]);
      return;
  }
}

/** Some nodes, anywhere in the ring: few as likely as many, up to half of it. */
function someNodes(ring: SimRing): SimNode[] {
  const { random } = ring.scheduler;
  const half = Math.max(1, Math.floor(ring.nodes.length / 2));
  const most = Math.min(half, apartMax);
  const count = Math.max(1, Math.round(most ** (random.integer(1_001) / 1_000)));
  const chosen = new Set<SimNode>();
  while (chosen.size < count) chosen.add(random.pick(ring.nodes));
  return [...chosen];
}

/** Kills some nodes that follow each other in the ring. */
function killNeighbours(ring: SimRing): void {
  const { random } = ring.scheduler;
  const first = random.integer(ring.nodes.length);
  const count = 2 + random.integer(3);
  for (let at = 0; at < Math.min(count, ring.nodes.length - 1); at++) {
    ring.nodes[(first + at) % ring.nodes.length]?.kill();
  }
}

/** Kills a node, and again while it heals. */
function killAgain(ring: SimRing, node: SimNode): void {
  node.kill();
  for (const seconds of [0.5, 1.1, 1.7]) {
    ring.scheduler.after(1_000 * seconds, () => node.kill());
  }
}

function pause(ring: SimRing, node: SimNode): void {
  node.pause();
  ring.scheduler.after(ring.scheduler.between(500, 40_000), () => node.resume());
}

/** Cuts some nodes off the others, both ways or one, for a while. */
function partition(ring: SimRing, isFull: boolean): void {
  const near = new Set(someNodes(ring));
  const isOutward = ring.scheduler.random.integer(2) === 0;
  for (const node of near) {
    for (const other of ring.nodes) {
      if (near.has(other)) continue;
      if (isFull || isOutward) ring.network.cut(node.address, other.address);
      if (isFull || !isOutward) ring.network.cut(other.address, node.address);
    }
  }
  ring.scheduler.after(ring.scheduler.between(1_000, 30_000), () => ring.network.mend());
}
