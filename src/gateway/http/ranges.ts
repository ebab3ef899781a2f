import { parseCount } from "../../protocol/count.ts";

/** Bytes of a file, both ends counted in, as `Content-Range` has them. */
export interface RangeOfBytes {
  readonly first: number;
  readonly last: number;
}

/** What a `Range` header comes to. */
export type RangeRequest =
  | { readonly kind: "whole" }
  | { readonly kind: "unsatisfiable" }
  | { readonly kind: "ranges"; readonly ranges: readonly [RangeOfBytes, ...RangeOfBytes[]] };

/**
 * Reads a `Range` header (RFC 9110, 14.1.2 and 14.2). What is malformed or in another unit is as if
 * it were not there. So is what asks for more than {@linkcode rangesMax} pieces, or for more bytes
 * than there are: it serves nobody but who wants to keep a server busy.
 *
 * @param size of the file, in bytes.
 *
 * @example
 * ```ts
 * import { parseRange } from "./ranges.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseRange("bytes=2-", 9), { kind: "ranges", ranges: [{ first: 2, last: 8 }] });
 * assertEquals(parseRange("bytes=-2", 9), { kind: "ranges", ranges: [{ first: 7, last: 8 }] });
 * assertEquals(parseRange("bytes=9-", 9), { kind: "unsatisfiable" });
 * assertEquals(parseRange("lines=1-2", 9), { kind: "whole" });
 * ```
 */
export function parseRange(header: string | null, size: number): RangeRequest {
  const whole: RangeRequest = { kind: "whole" };
  const list = /^bytes[ \t]*=(.*)$/i.exec(header?.trim() ?? "")?.[1];
  if (list === undefined) return whole;
  const specs = list.split(",", rangesMax + 1).map((spec) => spec.trim()).filter((s) => s !== "");
  if (specs.length === 0 || specs.length > rangesMax) return whole;
  const ranges: RangeOfBytes[] = [];
  for (const spec of specs) {
    const range = parseSpec(spec, size);
    if (range === undefined) return whole;
    if (range !== "unsatisfiable") ranges.push(range);
  }
  const [head, ...others] = ranges;
  if (head === undefined) return { kind: "unsatisfiable" };
  const asked = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return asked > size ? whole : { kind: "ranges", ranges: [head, ...others] };
}

/** One range; `undefined` when it is none. */
function parseSpec(spec: string, size: number): RangeOfBytes | "unsatisfiable" | undefined {
  const [from, to, ...others] = spec.split("-");
  if (from === undefined || to === undefined || others.length > 0) return undefined;
  if (from === "") {
    const count = parseCount(to);
    if (count === undefined) return undefined;
    if (count === 0 || size === 0) return "unsatisfiable";
    return { first: Math.max(0, size - count), last: size - 1 };
  }
  const first = parseCount(from);
  const last = to === "" ? Number.MAX_SAFE_INTEGER : parseCount(to);
  if (first === undefined || last === undefined || last < first) return undefined;
  return first >= size ? "unsatisfiable" : { first, last: Math.min(last, size - 1) };
}

/** How `Content-Range` says which bytes these are. */
export function contentRange({ first, last }: RangeOfBytes, size: number): string {
  return `bytes ${first}-${last}/${size}`;
}

/** Pieces of one answer. */
export const rangesMax = 32;
