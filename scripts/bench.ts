/**
 * The benchmark: starts rings, pushes and pulls files through them, and measures beside each what the
 * machine could do at best. `deno task bench --help` tells the options; see scripts/bench/.
 *
 * @module
 */
import type { BenchReport, RingReport } from "./bench/bench_report.ts";
import { diskBytesOf, floorRunsMin } from "./bench/cell.ts";
import { parseReport, renderComparison } from "./bench/compare.ts";
import { Floor } from "./bench/floor.ts";
import { LoadError, LoadPool } from "./bench/load_pool.ts";
import { assertEnough, describeMachine, NotEnoughError } from "./bench/machine.ts";
import {
  benchHelp,
  type BenchOptions,
  BenchUsageError,
  type Durability,
  parseBenchOptions,
} from "./bench/options.ts";
import { Progress } from "./bench/progress.ts";
import { renderReport } from "./bench/render.ts";
import { Ring } from "./bench/ring.ts";
import { RingError } from "./bench/ring_questions.ts";
import { spreadOf } from "./bench/statistics.ts";
import { IdentityError, Suite, type SuiteContext } from "./bench/suite.ts";
import { Rig } from "./bench/table/rig.ts";
import { runTable, selectRows, tableDiskBytes } from "./bench/table/run_table.ts";
import type { RowReport } from "./bench/table/table_row.ts";
import { peerTarget, ringTarget } from "./bench/target.ts";

/** What a process of the ring, and a load process, may have resident, in bytes; a node has a bound. */
const processBytes = 150 * 1024 ** 2;

/** Nodes of all rings that the table is measured with at the same time, about. */
const tableNodes = 40;

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs the benchmark and tells its exit code. */
async function main(args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort(new DOMException("interrupted", "AbortError"));
  const signals = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const name of signals) Deno.addSignalListener(name as Deno.Signal, onSignal);
  const { signal } = interrupt;
  try {
    const options = parseBenchOptions(args);
    if (options === undefined) {
      console.log(benchHelp);
      return 0;
    }
    const before = options.compareFile === undefined
      ? undefined
      : parseReport(await Deno.readTextFile(options.compareFile));
    const report = await bench(options, signal);
    console.log(options.json ? JSON.stringify(report, null, 2) : renderReport(report));
    if (before !== undefined && !options.json) console.log(renderComparison(report, before));
    const hasFailed = report.rings.some(({ cells }) => cells.some(({ kind }) => kind === "failed"));
    return hasFailed ? 1 : 0;
  } catch (error) {
    if (signal.aborted) return 130;
    if (!isForUser(error)) throw error;
    console.error(`bench: ${error.message}`);
    return error instanceof BenchUsageError ? 2 : 1;
  } finally {
    for (const name of signals) Deno.removeSignalListener(name as Deno.Signal, onSignal);
  }
}

/** Whether an error is no fault of the benchmark, so that its message says it all. */
function isForUser(error: unknown): error is Error {
  const kinds = [BenchUsageError, NotEnoughError, RingError, LoadError, IdentityError];
  return kinds.some((kind) => error instanceof kind) || error instanceof Deno.errors.NotFound ||
    error instanceof SyntaxError;
}

/** Measures everything; whatever happens, nothing of it is left running or lying about. */
async function bench(options: BenchOptions, signal: AbortSignal): Promise<BenchReport> {
  const began = new Date();
  const machine = await describeMachine();
  const makeOptions = { prefix: "ouroboros-bench-", ...maybe("dir", options.directory) };
  const directory = await Deno.makeTempDir(makeOptions);
  using progress = new Progress();
  const say = (text: string) => progress.say(text);
  try {
    await assertEnough({ directory, ...needsOf(options) });
    await using load = new LoadPool(signal);
    const table = options.only.includes("table")
      ? await benchTable(load, { options, signal, say, directory })
      : [];
    const rings: RingReport[] = [];
    for (const durability of options.only.includes("matrix") ? options.durabilities : []) {
      for (const nodes of options.peers.length > 0 ? [undefined] : options.nodeCounts) {
        const context = { load, options, signal, say, directory, durability };
        rings.push(await benchRing(nodes, context));
      }
    }
    const seconds = (Date.now() - began.getTime()) / 1000;
    return { schema: 2, began: began.toISOString(), seconds, machine, options, rings, table };
  } finally {
    say("cleaning up");
    await Deno.remove(directory, { recursive: true });
  }
}

/** What all that is to be measured takes. */
function needsOf(options: BenchOptions): { diskBytes: number; memoryBytes: number } {
  const { only, runs, nodeCounts, sizes } = options;
  const isTable = only.includes("table");
  const isMatrix = only.includes("matrix");
  const nodes = Math.max(isTable ? tableNodes : 0, ...(isMatrix ? nodeCounts : []));
  return {
    diskBytes: Math.max(
      isTable ? tableDiskBytes(selectRows(options), runs) : 0,
      isMatrix ? diskBytesOf(options) : 0,
    ),
    memoryBytes: processBytes * (nodes + 4) + (isMatrix ? Math.max(...sizes) : 0),
  };
}

/** Measures the figures that have a bound. */
async function benchTable(
  load: LoadPool,
  { options, ...context }: Pick<RingContext, "options" | "signal" | "say" | "directory">,
): Promise<RowReport[]> {
  const rows = selectRows(options);
  const { runs, lengthMs } = options;
  const floorsPerRound = Math.ceil(floorRunsMin / runs);
  const directory = `${context.directory}/table`;
  await Deno.mkdir(directory);
  await using owned = new AsyncDisposableStack();
  // The matrix needs the room.
  owned.defer(() => Deno.remove(directory, { recursive: true }));
  const rig = owned.use(
    new Rig({
      ...context,
      directory,
      load,
      lengthMs,
      floorsPerRound,
      manyFiles: options.manyFiles,
      ...maybe("manyDirectory", options.manyDirectory),
    }),
  );
  return await runTable(rig, { rows, runs });
}

interface RingContext extends Omit<SuiteContext, "target" | "floor" | "copyFiles"> {
  readonly directory: string;
  readonly durability: Durability;
}

/** Measures one ring: its start, its work, its healing. */
async function benchRing(nodes: number | undefined, context: RingContext): Promise<RingReport> {
  const { options, signal, say, durability } = context;
  const directory = `${context.directory}/${nodes ?? "peer"}-${durability}`;
  await Deno.mkdir(directory);
  try {
    await using floor = await Floor.start({ directory, durability, signal });
    say("starting the ring");
    await using ring = nodes === undefined ? undefined : await Ring.start({
      directory: `${directory}/ring`,
      nodeCount: nodes,
      durability,
      gossipIntervalMs: options.gossipIntervalMs,
      signal,
    });
    const target = ring === undefined
      ? await peerTarget(options.peers, options.peerDirectory)
      : ringTarget(ring);
    const suite = new Suite({
      ...context,
      floor,
      target,

      copyFiles: durability === "fsync" ? copyFilesOf(nodes) : 0,
    });
    await suite.prepare();
    await suite.warmUp();
    await suite.measure();
    const processes = await suite.processes();
    const notes = [...suite.notes, ...await ring?.logLines() ?? []];
    return {
      nodes,
      durability,
      startMs: ring?.startMs,
      healMs: ring === undefined ? undefined : await heal(ring, nodes ?? 1, context),
      syncMs: suite.syncMs,
      rounds: suite.rounds,
      cells: suite.report(),
      notes,
      processes,
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** How many files the push of a small file makes: two copies of each part, but one in a ring of one. */
function copyFilesOf(nodes: number | undefined): number {
  return nodes === undefined ? 0 : nodes === 1 ? 1 : 2 * nodes;
}

/** Kills one node after the other, but never the first, which the gateway uses, if there are more. */
async function heal(ring: Ring, nodes: number, { options, say }: RingContext) {
  const times: number[] = [];
  for (let count = 0; count < options.heals; count++) {
    say(`killing node ${count + 1} of ${options.heals}`);
    const time = await ring.heal(nodes === 1 ? 0 : 1 + count % (nodes - 1));
    if (time !== undefined) times.push(time);
  }
  return times.length === 0 ? undefined : spreadOf(times);
}

function maybe<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
