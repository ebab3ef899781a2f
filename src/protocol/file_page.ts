import { type NodeAddress, parseAddress } from "./address.ts";
import { normalizeName } from "./names.ts";
import { isUlid } from "./ulid.ts";

/** What `FILE PAGE` tells of a file. */
export interface FilePageRow {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** A ULID. */
  readonly version: string;
  /** Lower-case hex; empty where an original node pushed it. */
  readonly sha256: string;
  /** When it was committed, in ms since the epoch. */
  readonly timeMs: number;
  readonly parts: number;
  /** The node that holds part 1. */
  readonly start: NodeAddress;
}

/** Files of one page at most. */
export const pageRowsMax = 10_000;

/** Bytes of one page at most: {@linkcode pageRowsMax} rows with names that JSON escapes. */
export const pageBytesMax = 16 * 1024 * 1024;

/** Writes the rows of a page, a JSON object a line. */
export function formatFilePage(rows: readonly FilePageRow[]): string {
  return rows.map(({ name, size, version, sha256, timeMs, parts, start }) =>
    `${JSON.stringify({ name, size, version, sha256, timeMs, parts, start })}\n`
  ).join("");
}

/**
 * Reads the rows of a page; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { formatFilePage, parseFilePage } from "./file_page.ts";
 * import { formatAddress } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const row = {
 *   name: "a.txt",
 *   size: 5,
 *   version: "01HF7YAT000000000000000000",
 *   sha256: "",
 *   timeMs: 7,
 *   parts: 3,
 *   start: formatAddress("127.0.0.1", 7000),
 * };
 * assertEquals(parseFilePage(formatFilePage([row])), [row]);
 * assertEquals(parseFilePage("{}\n"), undefined);
 * ```
 */
export function parseFilePage(text: string): FilePageRow[] | undefined {
  const rows: FilePageRow[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const row = parseRow(line);
    if (row === undefined) return undefined;
    rows.push(row);
  }
  return text === "" || text.endsWith("\n") ? rows : undefined;
}

function parseRow(line: string): FilePageRow | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { name, size, version, sha256, timeMs, parts, start } = value as Record<string, unknown>;
  if (typeof name !== "string" || !normalizeName(name).ok) return undefined;
  if (typeof version !== "string" || !isUlid(version)) return undefined;
  if (typeof sha256 !== "string" || !/^([0-9a-f]{64})?$/.test(sha256)) return undefined;
  const address = typeof start === "string" ? parseAddress(start) : undefined;
  if (!isCount(size) || !isCount(timeMs) || !isCount(parts) || address === undefined) {
    return undefined;
  }
  return { name, size, version, sha256, timeMs, parts, start: address };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
