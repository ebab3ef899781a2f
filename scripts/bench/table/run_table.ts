import { LoadError } from "../load_pool.ts";
import { BenchUsageError } from "../options.ts";
import { knowsFlag } from "../ring.ts";
import { RingError } from "../ring_questions.ts";
import { sum } from "../statistics.ts";
import { judge } from "./judge.ts";
import { manyRows } from "./many_rows.ts";
import { largeRows } from "./large_rows.ts";
import type { Rig } from "./rig.ts";
import { ringRows } from "./ring_rows.ts";
import { smallRows } from "./small_rows.ts";
import type { RowReport, Sample, TableRow } from "./table_row.ts";

/** How often a row is measured to warm up: V8 is to have compiled most of what a push runs. */
const warmUpRuns = 10;

/** All rows, in the order of the table. */
export function tableRows(manyFiles: number): TableRow[] {
  return [...largeRows, ...smallRows, ...ringRows, ...manyRows(manyFiles)];
}

/** Which rows are wanted. */
export interface RowSelection {
  /** Their names; `undefined`: those that take no minutes. */
  readonly rows: readonly string[] | undefined;
  /** Files that a catalog of many has. */
  readonly manyFiles: number;
}

/**
 * The rows of some names: without names all that take no minutes, by `all` these too.
 *
 * @throws {BenchUsageError} When there is no row of a name.
 */
export function selectRows({ rows: names, manyFiles }: RowSelection): TableRow[] {
  const all = tableRows(manyFiles);
  if (names === undefined) return all.filter(({ isLong }) => isLong !== true);
  const unknown = names.find((name) => name !== "all" && !all.some(({ id }) => id === name));
  if (unknown !== undefined) {
    const known = all.map(({ id }) => id).join(", ");
    throw new BenchUsageError(`There is no row '${unknown}': ${known}`);
  }
  return all.filter(({ id }) => names.includes(id) || names.includes("all"));
}

/** Bytes of disk that so many rounds take, at most. */
export function tableDiskBytes(rows: readonly TableRow[], runs: number): number {
  return sum(rows.map(({ diskBytes = 0, runsMax = runs }) => diskBytes * Math.min(runs, runsMax)));
}

/** Measures the rows in so many rounds, one after the other in each. */
export async function runTable(
  rig: Rig,
  { rows, runs }: { rows: readonly TableRow[]; runs: number },
): Promise<RowReport[]> {
  const { signal, say } = rig.options;
  const samples = new Map<TableRow, Sample[]>(rows.map((row) => [row, []]));
  const reasons = new Map<TableRow, string>();
  const missing = await findMissing(rows);
  const measure = async (row: TableRow) => {
    if (reasons.has(row) || missing.has(row)) return undefined;
    signal.throwIfAborted();
    try {
      return await row.measure(rig);
    } catch (error) {
      if (!(error instanceof LoadError || error instanceof RingError)) throw error;
      reasons.set(row, error.message);
      return undefined;
    }
  };
  for (const row of rows) {
    if (row.isWarmedUp !== true) continue;
    for (let run = 0; run < warmUpRuns; run++) {
      say(`warming up: ${row.title}`);
      await measure(row);
    }
  }
  for (let round = 0; round < runs; round++) {
    rig.beginRound();
    for (const row of rows) {
      if (round >= (row.runsMax ?? runs)) continue;
      say(`round ${round + 1} of ${runs}: ${row.title}`);
      const sample = await measure(row);
      if (sample !== undefined) samples.get(row)?.push(sample);
    }
  }
  return rows.map((row) => {
    const { id, title, unit, bound, flag } = row;
    const head = { id, title, unit, bound };
    const reason = reasons.get(row);
    if (reason !== undefined) return { ...head, kind: "failed", reason };
    if (missing.has(row)) {
      return { ...head, kind: "unavailable", reason: `the program has no ${flag}` };
    }
    return { ...head, ...judge(row, samples.get(row) ?? []) };
  });
}

/** The rows that need a flag which the program lacks. */
async function findMissing(rows: readonly TableRow[]): Promise<Set<TableRow>> {
  const flags = [...new Set(rows.flatMap(({ flag }) => flag === undefined ? [] : [flag]))];
  const known = new Set<string>();
  for (const flag of flags) if (await knowsFlag(flag)) known.add(flag);
  return new Set(rows.filter(({ flag }) => flag !== undefined && !known.has(flag)));
}
