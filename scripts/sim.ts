/**
 * Simulates a ring: the ring machines and catalogs of many nodes on a virtual clock and network, with
 * messages lost, late, twice and out of order, partitions, crashes, pauses and wiped disks. Afterwards
 * there must be one view, no node dead, equal catalogs, and no process started twice.
 *
 *     deno task sim --nodes 1000 --seed 1 --minutes 2
 *
 * The same seed gives the same run. Exit code 0 when all holds, 1 when something does not.
 */
import { parseArgs } from "@std/cli/parse-args";
import { runSeeds } from "../tests/sim/run_seeds.ts";
import { SimCatalog } from "../tests/sim/sim_catalog.ts";
import { allFaults, throwFaults } from "../tests/sim/sim_faults.ts";
import type { SimNode } from "../tests/sim/sim_node.ts";
import { SimRing } from "../tests/sim/sim_ring.ts";

/** Records that are committed a simulated minute. */
const commitsPerMinute = 300;

/** Time between two faults, in simulated ms. */
const faultEveryMs = 4_000;

/** How long a ring may take to start, and to be well again after the last fault, in simulated ms. */
const settleMs = 120_000;

/** Intervals over which messages are counted in a ring that has nothing to do. */
const quietIntervals = 10;

/** What a run is asked for. */
interface SimOptions {
  readonly nodes: number;
  readonly seed: number;
  /** Simulated minutes of faults. */
  readonly minutes: number;
}

/** Starts a ring, breaks it for some minutes while records are committed, and checks what is left. */
function simulate({ nodes, seed, minutes }: SimOptions, trace?: string[]): void {
  const application = (node: SimNode) => new SimCatalog(node);
  const ring = new SimRing({ seed, nodes, application }, trace);
  ring.start();
  const startMs = settle(ring, "the ring does not start");
  print(`${nodes} nodes, seed ${seed}: ready after ${seconds(startMs)} of simulated time`);
  let acknowledged = 0;
  const commits = Math.round(commitsPerMinute * minutes);
  for (let record = 1; record <= commits; record++) {
    ring.scheduler.after(record * 60_000 / commitsPerMinute, () => {
      const node = ring.scheduler.random.pick(ring.nodes);
      if (node.isReady) catalogOf(node)?.commit(record, () => void acknowledged++);
    });
  }
  const durationMs = minutes * 60_000;
  const thrown = throwFaults(ring, { kinds: allFaults, durationMs, everyMs: faultEveryMs });
  const kinds = [...thrown].map(([kind, count]) => `${kind} ${count}`).join(", ");
  print(`faults in ${minutes} simulated minutes: ${kinds}`);
  const healMs = settle(ring, "the ring does not heal");
  print(`well again ${seconds(healMs)} after the last fault`);
  ring.scheduler.runFor(quietIntervals * ring.gossipIntervalMs);
  checkCatalogs(ring);
  const { respawns, started, stillThere, bySupervisor } = ring.counts;
  print(
    `records acknowledged: ${acknowledged} of ${commits}; respawns: ${respawns}, of these started ` +
      `${started}, found running ${stillThere}; left to the supervisor: ${bySupervisor}`,
  );
}

function settle(ring: SimRing, failure: string): number {
  const tookMs = ring.runUntilWell(settleMs);
  if (tookMs === undefined) throw new Error(`${failure}: ${ring.faults().slice(0, 5).join("; ")}`);
  return tookMs;
}

/** Every node must have the same records. */
function checkCatalogs(ring: SimRing): void {
  const digests = new Set(ring.nodes.map((node) => catalogOf(node)?.catalogDigest()));
  if (digests.size !== 1) throw new Error(`there are ${digests.size} different catalogs`);
}

function catalogOf(node: SimNode): SimCatalog | undefined {
  return node.application instanceof SimCatalog ? node.application : undefined;
}

/** Says how many requests a node of a well ring sends an interval, as the ring grows. */
function printMessageGrowth(nodesMax: number): void {
  print("requests a node and gossip interval in a ring that has nothing to do:");
  for (const nodes of [10, 100, 1_000].filter((count) => count <= nodesMax)) {
    const ring = new SimRing({ seed: 1, nodes });
    ring.start();
    settle(ring, "the ring does not start");
    ring.scheduler.runFor(quietIntervals * ring.gossipIntervalMs);
    const { mean, most } = ring.measure(quietIntervals * ring.gossipIntervalMs);
    const rates = [mean, most].map((count) => (count / quietIntervals).toFixed(2));
    print(`  ${String(nodes).padStart(5)} nodes: ${rates[0]} on average, ${rates[1]} at most`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function print(line: string): void {
  console.log(line);
}

function readOptions(args: readonly string[]): SimOptions {
  const parsed = parseArgs([...args], {
    string: ["nodes", "seed", "minutes"],
    default: { nodes: "1000", seed: "1", minutes: "2" },
    unknown: (arg) => usage(`unknown argument '${arg}'`),
  });
  const count = (name: "nodes" | "seed" | "minutes", max: number) => {
    const value = Number(parsed[name]);
    if (!(value > 0 && value <= max)) usage(`--${name} takes a number up to ${max}`);
    return value;
  };
  return {
    nodes: Math.floor(count("nodes", 2_000)),
    seed: Math.floor(count("seed", 2 ** 31)),
    minutes: count("minutes", 1_000),
  };
}

function usage(problem: string): never {
  console.error(`error: ${problem}; usage: sim [--nodes 1000] [--seed 1] [--minutes 2]`);
  Deno.exit(2);
}

if (import.meta.main) {
  const options = readOptions(Deno.args);
  try {
    runSeeds({ first: options.seed, count: 1 }, (_seed, trace) => simulate(options, trace));
    printMessageGrowth(options.nodes);
  } catch (error) {
    console.error(`FAILED, replay it with --seed ${options.seed}: ${error}`);
    Deno.exit(1);
  }
}
