import type { CellReport } from "./bench_report.ts";
import type { Cell } from "./cell.ts";
import type { LoadResult } from "./load_pool.ts";
import type { Used } from "./usage_meter.ts";
import { quantile, spreadOf, sum } from "./statistics.ts";

/** One run of a cell, and what the processes that served it used. */
export interface CellRun extends Used {
  readonly result: LoadResult;
}

/** Keeps the runs of all cells, and makes the figures of them. */
export class Recorder {
  readonly #runs = new Map<Cell, CellRun[]>();
  readonly #failures = new Map<Cell, string>();

  /** Keeps a run. */
  add(cell: Cell, run: CellRun): void {
    const runs = this.#runs.get(cell) ?? [];
    runs.push(run);
    this.#runs.set(cell, runs);
  }

  /** Keeps that a cell cannot be measured. */
  fail(cell: Cell, reason: string): void {
    this.#failures.set(cell, reason);
  }

  /** Whether it is known that a cell cannot be measured. */
  hasFailed(cell: Cell): boolean {
    return this.#failures.has(cell);
  }

  /** The figures of some cells, in their order; those that were never measured are left out. */
  report(cells: readonly Cell[]): CellReport[] {
    return cells.flatMap((cell): CellReport[] => {
      const reason = this.#failures.get(cell);
      if (reason !== undefined) return [{ ...cell, kind: "failed", reason }];
      const runs = this.#runs.get(cell);
      return runs === undefined ? [] : [this.#figures(cell, runs)];
    });
  }

  #figures(cell: Cell, runs: readonly CellRun[]): CellReport {
    const callsMs = runs.flatMap(({ result }) => result.callsMs);
    const calls = spreadOf(callRates(runs));
    const floor = cell.path === "floor" ? undefined : this.#floorOf(cell);
    return {
      ...cell,
      kind: "measured",
      megabytesPerSecond: spreadOf(callRates(runs).map((rate) => rate * cell.size / 1e6)),
      callsPerSecond: calls,
      p50Ms: quantile(callsMs, 0.5),
      p99Ms: quantile(callsMs, 0.99),
      calls: callsMs.length,
      timesFloor: floor === undefined ? undefined : floor / calls.median,
      cpuSeconds: sum(runs.map(({ cpuSeconds }) => cpuSeconds)),
      peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)),
    };
  }

  /** The best round of the floor that a cell is measured by, in calls a second. */
  #floorOf({ operation, size, clients }: Cell): number | undefined {
    const wanted = operation === "store" ? "push" : operation;
    for (const [cell, runs] of this.#runs) {
      const isSame = cell.operation === wanted && cell.size === size &&
        cell.clients === clients;
      if (cell.path === "floor" && isSame) return Math.max(...callRates(runs));
    }
    return undefined;
  }
}

function callRates(runs: readonly CellRun[]): number[] {
  return runs.map(({ result }) => result.callsMs.length / (result.elapsedMs / 1000));
}
