import { parseCount } from "./count.ts";
import { normalizeName } from "./names.ts";
import { isUlid } from "./ulid.ts";

/** The answer to a command that is about to be sent bytes: they may come. */
export const continueReply = "CONTINUE\n";

/** The line before the bytes that `FILE RANGE` answers. */
export interface RangeHeader {
  /** Where the bytes that follow begin in the file. */
  readonly offset: number;
  /** How many follow the line. */
  readonly count: number;
  /** Of the whole file, in bytes. */
  readonly size: number;
  /** A ULID. */
  readonly version: string;
  /** Of the whole file, lower-case hex; empty where an original node pushed it, `-` on the wire. */
  readonly sha256: string;
  /** When it was committed, in ms since the epoch. */
  readonly timeMs: number;
  readonly name: string;
}

/** Writes the line before the bytes that `FILE RANGE` answers, with its line end. */
export function rangeHeader(header: RangeHeader): string {
  const { offset, count, size, version, sha256, timeMs, name } = header;
  return `RANGE ${offset} ${count} ${size} ${version} ${
    sha256 === "" ? "-" : sha256
  } ${timeMs} ${name}\n`;
}

/**
 * Reads the line before the bytes that `FILE RANGE` answers, without its line end; `undefined` when
 * it is none.
 *
 * @example
 * ```ts
 * import { parseRangeHeader, rangeHeader } from "./transfer_replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const version = "01HF7YAT000000000000000000";
 * const header = { offset: 2, count: 3, size: 9, version, sha256: "", timeMs: 7, name: "a b" };
 * assertEquals(rangeHeader(header), `RANGE 2 3 9 ${version} - 7 a b\n`);
 * assertEquals(parseRangeHeader(rangeHeader(header).trimEnd()), header);
 * ```
 */
export function parseRangeHeader(line: string): RangeHeader | undefined {
  const match = /^RANGE ([0-9]+) ([0-9]+) ([0-9]+) ([0-9A-Z]{26}) (-|[0-9a-f]{64}) ([0-9]+) (.+)$/s
    .exec(line);
  if (match === null) return undefined;
  const [, from = "", length = "", whole = "", version = "", sum = "", time = "", raw = ""] = match;
  const [offset, count, size] = [parseCount(from), parseCount(length), parseCount(whole)];
  const timeMs = parseCount(time);
  const name = normalizeName(raw);
  if (offset === undefined || count === undefined || size === undefined) return undefined;
  if (timeMs === undefined || !isUlid(version) || !name.ok) return undefined;
  if (offset + count > size) return undefined;
  return { offset, count, size, version, sha256: sum === "-" ? "" : sum, timeMs, name: name.name };
}

/** What `FILE PUT` answers. */
export interface StoredReply {
  /** A ULID. */
  readonly version: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Whether it replaced a file, as far as the coordinator knew. */
  readonly replaced: boolean;
  readonly name: string;
}

/** Writes the answer to `FILE PUT`. */
export function storedReply({ version, sha256, size, replaced, name }: StoredReply): string {
  return `STORED ${version} ${sha256} ${size} ${replaced ? "replaced" : "new"} ${name}\n`;
}

/**
 * Reads the answer to `FILE PUT`, a line without its line end; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { parseStoredReply, storedReply } from "./transfer_replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const version = "01HF7YAT000000000000000000";
 * const stored = { version, sha256: "0".repeat(64), size: 9, replaced: false, name: "a b" };
 * assertEquals(parseStoredReply(storedReply(stored).trimEnd()), stored);
 * assertEquals(parseStoredReply("OK"), undefined);
 * ```
 */
export function parseStoredReply(line: string): StoredReply | undefined {
  const match = /^STORED ([0-9A-Z]{26}) ([0-9a-f]{64}) ([0-9]+) (new|replaced) (.+)$/s.exec(line);
  if (match === null) return undefined;
  const [, version = "", sha256 = "", bytes = "", kind = "", raw = ""] = match;
  const size = parseCount(bytes);
  const name = normalizeName(raw);
  if (size === undefined || !isUlid(version) || !name.ok) return undefined;
  return { version, sha256, size, replaced: kind === "replaced", name: name.name };
}
