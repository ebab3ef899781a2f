import type { Operation } from "./load_job.ts";
import { sum } from "./statistics.ts";
import type { BenchOptions, Path } from "./options.ts";

/** One thing that is measured, in every round once. */
export interface Cell {
  readonly operation: Operation;
  /** Of each file, in bytes. */
  readonly size: number;
  /** At once. */
  readonly clients: number;
  /** `floor`: no ring at all, but what the machine could do at best. */
  readonly path: Path | "floor";
}

/** Up to this size a run is many files rather than one, and latency is of interest. In bytes. */
export const smallBytesMax = 1024 ** 2;

/** How often a floor is measured at least: it is the best of these. */
export const floorRunsMin = 5;

/** The most that all clients of a cell have under way, in bytes: more measures the disk alone. */
const parallelBytesMax = 256 * 1024 ** 2;

/** The most that one run of a cell with small files moves, in bytes. */
const runBytesMax = 64 * 1024 ** 2;

/** How many different small files are pulled in turn. */
const smallNames = 16;

/**
 * Everything that a round measures of one ring: each floor is followed by what is compared with it.
 *
 * @example
 * ```ts
 * import { parseBenchOptions } from "./options.ts";
 * import { planCells } from "./cell.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const options = parseBenchOptions(["--sizes=64MiB", "--clients=1,16"]);
 * assertEquals(planCells(options!).map(({ operation, path }) => `${operation} ${path}`), [
 *   ...["push floor", "push direct", "push gateway", "store direct"],
 *   ...["pull floor", "pull direct", "pull other", "pull gateway"],
 * ]);
 * ```
 */
export function planCells(options: BenchOptions): Cell[] {
  const cells: Cell[] = [];
  for (const size of options.sizes) {
    for (const clients of options.clients) {
      if (clients > 1 && clients * size > parallelBytesMax) continue;
      for (const operation of operationsOf(size)) {
        const paths = options.paths.filter((path) => isMeasured(operation, path, options));
        if (paths.length === 0) continue;
        // What a push until OK has as its floor is that of a push until every copy is there.
        const floors = operation === "store" ? [] : ["floor"] as const;
        for (const path of [...floors, ...paths]) cells.push({ operation, size, clients, path });
      }
    }
  }
  return cells;
}

/**
 * A connection a call or one for all makes a difference where the call is short; looking for the copies
 * takes no time to speak of where it is long.
 */
function operationsOf(size: number): Operation[] {
  return size <= smallBytesMax ? ["push", "pull", "get"] : ["push", "store", "pull"];
}

function isMeasured(
  operation: Operation,
  ...[path, { peers, peerDirectory }]: [path: Path, options: BenchOptions]
): boolean {
  if (operation === "push") return path !== "other";
  if (operation !== "store") return true;
  return path === "direct" && (peers.length === 0 || peerDirectory !== undefined);
}

/** The calls of each client in one run of a cell, at most. */
export function callsMaxOf({ size, clients }: Cell): number {
  if (size > smallBytesMax) return 1;
  return Math.max(1, Math.floor(runBytesMax / Math.max(size, 1024) / clients));
}

/** How many files of a size there are to be pulled. */
export function nameCountOf(size: number): number {
  return size <= smallBytesMax ? smallNames : 1;
}

/** Bytes of disk that a ring and its floor take in the course of all rounds, at most. */
export function diskBytesOf(options: BenchOptions): number {
  const cells = planCells(options);
  const copies = 2;
  const runs = Math.max(options.runs, floorRunsMin);
  const pushed = cells.map((cell) => {
    if (cell.operation !== "push" && cell.operation !== "store") return 0;
    const bytes = callsMaxOf(cell) * cell.clients * cell.size * copies;
    // The large files of a floor are deleted at once; the rest stays, also that of the warm-up.
    return cell.path === "floor" && cell.size > smallBytesMax ? 0 : bytes * (runs + 1);
  });
  const largest = Math.max(...options.sizes);
  const prepared = options.sizes.map((size) => 2 * copies * size * nameCountOf(size));
  // Beside those, what a floor writes and what is written to touch memory.
  return sum([...pushed, ...prepared]) + 2 * copies * largest;
}
