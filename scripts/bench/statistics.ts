/** What is told of a few runs of one measurement. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The median, the least and the most of some numbers.
 *
 * @throws {RangeError} When there is none.
 *
 * @example
 * ```ts
 * import { spreadOf } from "./statistics.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
 * assertEquals(spreadOf([4, 1]), { median: 2.5, min: 1, max: 4 });
 * ```
 */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = at(sorted, Math.ceil(middle) - 1);
  const high = at(sorted, Math.floor(middle));
  return { median: (low + high) / 2, min: at(sorted, 0), max: at(sorted, sorted.length - 1) };
}

/**
 * The number that a share of some numbers does not exceed, by the nearest rank.
 *
 * @param share From 0 to 1.
 * @throws {RangeError} When there is none.
 *
 * @example
 * ```ts
 * import { quantile } from "./statistics.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const numbers = Array.from({ length: 200 }, (_, index) => index + 1);
 * assertEquals([quantile(numbers, 0.5), quantile(numbers, 0.99), quantile(numbers, 1)], [100, 198, 200]);
 * ```
 */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return at(sorted, Math.max(0, Math.ceil(share * sorted.length) - 1));
}

/** The sum of some numbers. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function at(sorted: readonly number[], index: number): number {
  const number = sorted[index];
  if (number === undefined) throw new RangeError("nothing was measured");
  return number;
}
