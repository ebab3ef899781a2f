/** One entity tag of a header. */
export interface EntityTag {
  /** `W/"…"`: promises the same meaning, not the same bytes. */
  readonly weak: boolean;
  /** What is between the quotes. */
  readonly value: string;
}

/** What `If-Match` and `If-None-Match` hold: anything there is, or one of these. */
export type EntityTags = "*" | readonly EntityTag[];

/** The strong entity tag of a version: the bytes of a version never change. */
export function entityTag(version: string): string {
  return `"${version}"`;
}

/**
 * Reads `If-Match` or `If-None-Match` (RFC 9110, 8.8.3 and 13.1); `undefined` when it is malformed.
 *
 * @example
 * ```ts
 * import { parseEntityTags } from "./entity_tags.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseEntityTags("*"), "*");
 * assertEquals(parseEntityTags('"a", W/"b,c"'), [
 *   { weak: false, value: "a" },
 *   { weak: true, value: "b,c" },
 * ]);
 * assertEquals(parseEntityTags("a"), undefined);
 * ```
 */
export function parseEntityTags(header: string): EntityTags | undefined {
  if (header.trim() === "*") return "*";
  const tags: EntityTag[] = [];
  let rest = header.trim();
  while (rest !== "") {
    const match = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,[ \t,]*|$)/.exec(rest);
    if (match === null || tags.length === tagsMax) return undefined;
    tags.push({ weak: match[1] !== undefined, value: match[2] ?? "" });
    rest = rest.slice(match[0].length);
  }
  return tags.length === 0 ? undefined : tags;
}

/** Whether a version is among the tags, compared as `If-Match` does: weak ones never match. */
export function matchesStrongly(tags: EntityTags, version: string): boolean {
  return tags === "*" || tags.some(({ weak, value }) => !weak && value === version);
}

/** Whether a version is among the tags, compared as `If-None-Match` does. */
export function matchesWeakly(tags: EntityTags, version: string): boolean {
  return tags === "*" || tags.some(({ value }) => value === version);
}

/** Tags in one header. */
const tagsMax = 64;
