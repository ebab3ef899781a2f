import type { Spread } from "../statistics.ts";
import type { Rig } from "./rig.ts";

/** What the figures of a row are: times and bytes are the better the less, rates the more. */
export type Unit = "s" | "ms" | "/s" | "MiB" | "%";

/** What one measurement of a row found. */
export interface Sample {
  /** In the row's unit. */
  readonly measured: number;
  /** What it is compared with, measured beside it, in the same unit; none where the bound is absolute. */
  readonly floors?: readonly number[];
}

/** One line of the table "what must come out". */
export interface TableRow {
  /** What `--rows` calls it. */
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  /**
   * The most that it may be, or of a rate the least: times the floor where it has one and is not
   * {@linkcode isAbsolute}, else in its unit.
   */
  readonly bound: number;
  /** The bound is in the row's unit, and a floor only tells what there is to be had on this machine. */
  readonly isAbsolute?: boolean;
  /** What is compared with: the best that was measured (a floor), or the median (another way). */
  readonly against?: "best" | "median";
  /** Measured in so many rounds at most, as one takes long. */
  readonly runsMax?: number;
  /** Left out unless it is asked for, as it takes minutes. */
  readonly isLong?: boolean;
  /** A flag of the program that it cannot be measured without. */
  readonly flag?: string;
  /** Bytes of disk that each run of it takes, where these are many. */
  readonly diskBytes?: number;
  /** Measured some times without counting it, so that no runtime is cold when it counts. */
  readonly isWarmedUp?: boolean;
  /** Measures it once. */
  measure(rig: Rig): Promise<Sample>;
}

/** What came of a row. */
export type RowReport =
  & Pick<TableRow, "id" | "title" | "unit" | "bound">
  & (RowFigures | { readonly kind: "failed" | "unavailable"; readonly reason: string });

/** A row that was measured. */
export interface RowFigures {
  readonly kind: "measured";
  readonly measured: Spread;
  readonly runs: number;
  /** What it is compared with, in the row's unit. */
  readonly floor: number | undefined;
  /** The median by the floor; `undefined` where the bound is absolute. */
  readonly ratio: number | undefined;
  readonly passes: boolean;
}
