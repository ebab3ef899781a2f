import { type Spread, spreadOf } from "../statistics.ts";
import type { RowFigures, Sample, TableRow } from "./table_row.ts";

/**
 * Makes the figures of a row of its samples: the median is what counts, of what it is compared with the
 * best or the median.
 *
 * @throws {RangeError} When there is no sample.
 *
 * @example
 * ```ts
 * import { judge } from "./judge.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { ratio, passes } = judge({ unit: "s", bound: 3 }, [
 *   { measured: 2.5, floors: [1, 1.5] },
 *   { measured: 3.5, floors: [2, 1.2] },
 * ]);
 * assertEquals([ratio, passes], [3, true]);
 * ```
 */
export function judge(
  { unit, bound, against = "best", isAbsolute = false }: Judged,
  samples: readonly Sample[],
): RowFigures {
  const measured = spreadOf(samples.map((sample) => sample.measured));
  const floors = samples.flatMap((sample) => sample.floors ?? []);
  const isRate = unit === "/s";
  const floor = floors.length === 0 ? undefined : pick(spreadOf(floors), against, isRate);
  const ratio = floor === undefined || isAbsolute ? undefined : measured.median / floor;
  const figure = ratio ?? measured.median;
  return {
    kind: "measured",
    measured,
    runs: samples.length,
    floor,
    ratio,
    passes: isRate ? figure >= bound : figure <= bound,
  };
}

type Judged = Pick<TableRow, "unit" | "bound" | "against" | "isAbsolute">;

function pick({ median, min, max }: Spread, which: "best" | "median", isRate: boolean): number {
  if (which === "median") return median;
  return isRate ? max : min;
}
