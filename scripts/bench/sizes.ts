const units = new Map([["", 1], ["k", 1024], ["m", 1024 ** 2], ["g", 1024 ** 3]]);

/**
 * Reads a number of bytes as people write it: `1000`, `64K`, `1 KiB`, `512MiB`; `undefined` when it is
 * none. The units are powers of 1024.
 *
 * @example
 * ```ts
 * import { parseSize } from "./sizes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(["0", "64k", "1 KiB", "1.5MiB", "x"].map(parseSize), [0, 65536, 1024, undefined, undefined]);
 * ```
 */
export function parseSize(text: string): number | undefined {
  const match = /^([0-9]{1,15}) ?(?:([kmg])(?:i?b)?)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const size = Number(match[1]) * (units.get((match[2] ?? "").toLowerCase()) ?? 1);
  return Number.isSafeInteger(size) ? size : undefined;
}

/**
 * Writes a number of bytes in the largest unit that leaves no fraction.
 *
 * @example
 * ```ts
 * import { showSize } from "./sizes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([100, 1024, 64 * 1024 ** 2].map(showSize), ["100 B", "1 KiB", "64 MiB"]);
 * ```
 */
export function showSize(bytes: number): string {
  const fits = [["GiB", 1024 ** 3], ["MiB", 1024 ** 2], ["KiB", 1024]] as const;
  const unit = fits.find(([, size]) => bytes >= size && bytes % size === 0);
  return unit === undefined ? `${bytes} B` : `${bytes / unit[1]} ${unit[0]}`;
}
