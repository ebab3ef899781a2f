import type { Cell } from "./cell.ts";
import type { Machine } from "./machine.ts";
import type { BenchOptions, Durability } from "./options.ts";
import type { RingProcess, Usage } from "./process_usage.ts";
import type { Spread } from "./statistics.ts";
import type { RowReport } from "./table/table_row.ts";

/** Everything that a run of the benchmark found out; what `--json` prints and `--compare` reads. */
export interface BenchReport {
  /** Of this form; another one is another number. */
  readonly schema: 2;
  /** When it began, ISO 8601. */
  readonly began: string;
  /** How long it took. */
  readonly seconds: number;
  readonly machine: Machine;
  readonly options: BenchOptions;
  readonly rings: readonly RingReport[];
  /** The figures that have a bound; none where they were not asked for. */
  readonly table: readonly RowReport[];
}

/** What was measured of one ring. */
export interface RingReport {
  /** Of the ring that was started; `undefined` of a `--peer`. */
  readonly nodes: number | undefined;
  readonly durability: Durability;
  /** From the start of the program to the word that the ring is ready, in ms. */
  readonly startMs: number | undefined;
  /** From SIGKILL until every node has the node as Alive, in ms, of each node killed. */
  readonly healMs: Spread | undefined;
  /**
   * What the push of a small file takes at least in a ring whose nodes sync, in ms: a file for each copy,
   * written and synced side by side, then two syncs of a catalog. The median of each round.
   */
  readonly syncMs: Spread | undefined;
  /** Rounds that there was time for. */
  readonly rounds: number;
  readonly cells: readonly CellReport[];
  /** What happened that nobody asked for: processes that ended, warnings in the logs. */
  readonly notes: readonly string[];
  /** Before any was killed. */
  readonly processes: readonly (RingProcess & Usage)[];
}

/** What was measured of one cell in all rounds. */
export type CellReport = Cell & (CellFigures | CellFailure);

/** A cell that went well. */
export interface CellFigures {
  readonly kind: "measured";
  /** Of each round: millions of bytes a second, all clients together. */
  readonly megabytesPerSecond: Spread;
  /** Of each round: calls a second, all clients together. */
  readonly callsPerSecond: Spread;
  /** Of all calls of all rounds, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly calls: number;
  /** How many times faster the floor's best round was than this cell's median; 1 or less: no ring is. */
  readonly timesFloor: number | undefined;
  /** CPU seconds of all processes of the ring, or of the floor's, for all calls. */
  readonly cpuSeconds: number;
  /** The largest peak of any process of the ring during the cell, in bytes. */
  readonly peakBytes: number;
}

/** A cell that failed; it was not measured again after that. */
export interface CellFailure {
  readonly kind: "failed";
  readonly reason: string;
}
