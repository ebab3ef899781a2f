/**
 * The path of a request as it was sent, percent signs and dots included: only who reads a name out
 * of it may decode it, or `a%2Fb` would be two names.
 *
 * @example
 * ```ts
 * import { rawPath } from "./raw_path.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rawPath({ url: "http://host/files/a%2Fb?stat" }), "/files/a%2Fb");
 * ```
 */
export function rawPath({ url }: { readonly url: string }): string {
  const begin = url.indexOf("/", url.indexOf("://") + 3);
  if (begin < 0) return "/";
  const length = url.slice(begin).search(/[?#]/);
  return length < 0 ? url.slice(begin) : url.slice(begin, begin + length);
}
