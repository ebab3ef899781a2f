/** Some of the bytes of a file. */
export interface ByteRange {
  /** Where they begin. */
  readonly offset: number;
  /** How many there are; none beyond the end of the file. */
  readonly count: number;
}

/** What a range takes of one part; empty when `begin` is `end`. */
export interface PartRange {
  /** Within the part. */
  readonly begin: number;
  /** Within the part, one past the last byte. */
  readonly end: number;
}

/**
 * What a range takes of each part of a file.
 *
 * @param lengths of the parts, in bytes.
 *
 * @example
 * ```ts
 * import { partRanges } from "./byte_range.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(partRanges([3, 3, 2], { offset: 2, count: 3 }), [
 *   { begin: 2, end: 3 },
 *   { begin: 0, end: 2 },
 *   { begin: 0, end: 0 },
 * ]);
 * ```
 */
export function partRanges(lengths: readonly number[], { offset, count }: ByteRange): PartRange[] {
  let partBegin = 0;
  return lengths.map((length) => {
    const within = (at: number) => Math.min(Math.max(at - partBegin, 0), length);
    const range = { begin: within(offset), end: within(offset + count) };
    partBegin += length;
    return range.begin < range.end ? range : { begin: 0, end: 0 };
  });
}
