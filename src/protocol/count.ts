/**
 * Reads a decimal number of the wire: digits and nothing else, at most `max`, which is a safe
 * integer; `undefined` otherwise.
 *
 * @example
 * ```ts
 * import { parseCount } from "./count.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseCount("1024"), 1024);
 * assertEquals(parseCount("1e3"), undefined);
 * assertEquals(parseCount("11", 10), undefined);
 * assertEquals(parseCount("9007199254740992"), undefined);
 * ```
 */
export function parseCount(
  text: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  if (!/^[0-9]{1,16}$/.test(text)) return undefined;
  const count = Number(text);
  return count <= max ? count : undefined;
}
