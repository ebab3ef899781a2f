/**
 * Simulates a ring: the ring machines and catalogs of many nodes on a virtual clock and network, with
 * messages lost, late, twice and out of order, partitions, crashes, pauses, wiped disks and wrong
 * clocks, while clients push, overwrite and delete. Afterwards there must be one view, no node dead,
 * equal catalogs, nothing lost that was acknowledged and nothing back that was deleted; and at no time
 * two processes of one node.
 *
 *     deno task sim --nodes 1000 --seed 1 --minutes 1
 *     deno task sim --nodes 20 --seed 1 --seeds 10
 *
 * The same seed gives the same run. Exit code 0 when all holds, 1 when something does not.
 */
import { parseArgs } from "@std/cli/parse-args";
import { runSeeds } from "../tests/sim/run_seeds.ts";
import { SimCatalog } from "../tests/sim/sim_catalog.ts";
import { SimClients } from "../tests/sim/sim_clients.ts";
import { allFaults, throwFaults } from "../tests/sim/sim_faults.ts";
import type { SimNode } from "../tests/sim/sim_node.ts";
import { SimRing } from "../tests/sim/sim_ring.ts";

/** Pushes and deletes that clients begin a simulated minute. */
const operationsPerMinute = 300;

/** Mean time between two faults, in simulated ms. */
const faultEveryMs = 4_000;

/** How long a ring may take to start, and to be well again after the last fault, in simulated ms. */
const settleMs = 120_000;

/** After so long with nothing to do catalogs have dropped the deletes that all have, in simulated ms. */
const collectMs = 40_000;

/** Intervals over which messages are counted in a ring that has nothing to do. */
const quietIntervals = 10;

/** The most requests that any node of such a ring may send an interval, whatever the ring's size. */
const quietRequestsMax = 4;

/** What a run is asked for. */
interface SimOptions {
  readonly nodes: number;
  readonly seed: number;
  /** How many seeds, from `seed` on. */
  readonly seeds: number;
  /** Simulated minutes of faults. */
  readonly minutes: number;
}

/** Starts a ring, breaks it for some minutes under load, and checks what is left. */
function simulate({ nodes, seed, minutes }: SimOptions, trace?: string[]): void {
  const application = (node: SimNode) => new SimCatalog(node);
  const ring = new SimRing({ seed, nodes, application, respawnFailureRate: 0.1 }, trace);
  const beganMs = performance.now();
  ring.start();
  const startMs = settle(ring, "the ring does not start");
  const clients = new SimClients(ring, { perMinute: operationsPerMinute });
  clients.start({ looks: false });
  const durationMs = minutes * 60_000;
  const thrown = throwFaults(ring, { kinds: allFaults, durationMs, everyMs: faultEveryMs });
  clients.stop();
  const healMs = settle(ring, "the ring does not heal");
  const faults = clients.settle();
  if (faults.length > 0) throw new Error(faults.slice(0, 5).join("; "));
  ring.scheduler.runFor(collectMs);
  const quiet = requestsAnInterval(ring);
  if (trace !== undefined) return;
  const { started, stillThere, bySupervisor } = ring.counts;
  print(
    `seed ${seed}: ${nodes} nodes, ${minutes} min, ${count(ring.scheduler.events)} events in ` +
      `${seconds(performance.now() - beganMs)}`,
  );
  print(`  ready after ${seconds(startMs)}, well again ${seconds(healMs)} after the last fault`);
  print(`  faults: ${listOf(thrown)}`);
  print(`  pushes and deletes: ${listOf(clients.counts())}`);
  print(
    `  respawns: ${started} started, ${stillThere} found running, ` +
      `${bySupervisor} left to the supervisor`,
  );
  print(`  then, with nothing to do: ${quiet}`);
}

function settle(ring: SimRing, failure: string): number {
  const tookMs = ring.runUntilWell(settleMs);
  if (tookMs === undefined) throw new Error(`${failure}: ${ring.faults().slice(0, 5).join("; ")}`);
  return tookMs;
}

/** Counts the requests of a ring that has nothing to do, and says how many a node sends. */
function requestsAnInterval(ring: SimRing): string {
  ring.scheduler.runFor(quietIntervals * ring.gossipIntervalMs);
  const { mean, most } = ring.measure(quietIntervals * ring.gossipIntervalMs);
  const [average, peak] = [mean / quietIntervals, most / quietIntervals];
  if (peak > quietRequestsMax) {
    throw new Error(`a node with nothing to do sends ${peak} requests an interval`);
  }
  return `${average.toFixed(2)} requests a node and interval, ${peak.toFixed(2)} at most`;
}

/** Says how many requests a node of a well ring sends an interval, as the ring grows. */
function printMessageGrowth(nodesMax: number): void {
  print("as the ring grows:");
  for (const nodes of [10, 100, 1_000].filter((size) => size <= nodesMax)) {
    const ring = new SimRing({ seed: 1, nodes });
    ring.start();
    settle(ring, "the ring does not start");
    print(`  ${String(nodes).padStart(5)} nodes: ${requestsAnInterval(ring)}`);
    ring.network.sent.clear();
    ring.nodes[1]?.kill();
    const healMs = settle(ring, "the ring does not heal");
    const sent = [...ring.network.sent.values()].reduce((sum, each) => sum + each, 0);
    print(
      `         one death and return: ${(sent / nodes).toFixed(2)} requests a node, ` +
        `in ${seconds(healMs)}`,
    );
  }
}

function listOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([kind, number]) => `${kind} ${number}`).join(", ");
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}

function print(line: string): void {
  console.log(line);
}

function readOptions(args: readonly string[]): SimOptions {
  const parsed = parseArgs([...args], {
    string: ["nodes", "seed", "seeds", "minutes"],
    default: { nodes: "1000", seed: "1", seeds: "1", minutes: "1" },
    unknown: (arg) => usage(`unknown argument '${arg}'`),
  });
  const number = (name: "nodes" | "seed" | "seeds" | "minutes", max: number) => {
    const value = Number(parsed[name]);
    if (!(value > 0 && value <= max)) usage(`--${name} takes a number up to ${max}`);
    return value;
  };
  return {
    nodes: Math.floor(number("nodes", 2_000)),
    seed: Math.floor(number("seed", 2 ** 31)),
    seeds: Math.floor(number("seeds", 100_000)),
    minutes: number("minutes", 1_000),
  };
}

function usage(problem: string): never {
  console.error(
    `error: ${problem}; usage: sim [--nodes 1000] [--seed 1] [--seeds 1] [--minutes 1]`,
  );
  Deno.exit(2);
}

if (import.meta.main) {
  const options = readOptions(Deno.args);
  try {
    runSeeds({ first: options.seed, count: options.seeds }, (seed, trace) => {
      simulate({ ...options, seed }, trace);
    });
    printMessageGrowth(options.nodes);
  } catch (error) {
    const seed = /^Error: seed ([0-9]+)/.exec(String(error))?.[1] ?? options.seed;
    const { nodes, minutes } = options;
    console.error(`${error}`);
    console.error(`FAILED, replay it: sim --nodes ${nodes} --minutes ${minutes} --seed ${seed}`);
    Deno.exit(1);
  }
}
