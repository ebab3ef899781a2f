import { parseCount } from "./count.ts";
import { echoCharsMax, nameBytesMax, partsMax } from "./limits.ts";

/** A name as this program keeps it, or why it is refused (the text after `ERR `). */
export type NameResult =
  | { readonly ok: true; readonly name: string }
  | { readonly ok: false; readonly error: string };

/** What a chunk's file name says. */
export interface ChunkName {
  /** The name of the file that the chunk is a part of. */
  readonly name: string;
  /** The part, counted from 0. */
  readonly part: number;
  /** How many parts the file has. */
  readonly parts: number;
}

/**
 * Turns what a user calls a file into the name it is kept under: only what follows the last `/`
 * counts, and each of `\`, NUL, `:`, `|`, `;` and the line ends becomes `_`. `.`, `..`, an empty
 * name and more than {@linkcode nameBytesMax} bytes of UTF-8 are refused. All else stays, spaces at
 * either end included. The result never leaves the directory it is stored in, and normalising it
 * again changes nothing.
 *
 * @example
 * ```ts
 * import { normalizeName } from "./names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(normalizeName("../etc/my file.txt"), { ok: true, name: "my file.txt" });
 * assertEquals(normalizeName("C:\\a;b"), { ok: true, name: "C__a_b" });
 * assertEquals(normalizeName("a/.."), { ok: false, error: "invalid file name 'a/..'" });
 * ```
 */
export function normalizeName(raw: string): NameResult {
  let name = raw.slice(raw.lastIndexOf("/") + 1);
  if (/[\\:|;\n\r\0]/.test(name)) name = name.replace(/[\\:|;\n\r\0]/g, "_");
  if (!name.isWellFormed()) name = name.toWellFormed();
  if (name === "" || name === "." || name === "..") {
    return { ok: false, error: `invalid file name ${quote(raw)}` };
  }
  // A UTF-16 unit is 1 to 3 bytes of UTF-8: most names need no count.
  if (name.length * 3 > nameBytesMax) {
    const bytes = utf8Bytes(name);
    if (bytes > nameBytesMax) {
      return { ok: false, error: `file name too long (${bytes} > ${nameBytesMax} bytes)` };
    }
  }
  return { ok: true, name };
}

/**
 * The file name of a chunk; part and parts have three digits at least. `part` counts from 0, the
 * name from 1.
 *
 * @example
 * ```ts
 * import { chunkName } from "./names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(chunkName("a.txt", 0, 5), "a.txt.part-001-of-005");
 * ```
 */
export function chunkName(name: string, part: number, parts: number): string {
  return `${name}.part-${threeDigits(part + 1)}-of-${threeDigits(parts)}`;
}

/**
 * Splits a chunk's file name, the inverse of {@linkcode chunkName}; `undefined` when it is none.
 * The name before the suffix is taken as it is, see {@linkcode normalizeChunk}.
 *
 * @example
 * ```ts
 * import { parseChunkName } from "./names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseChunkName("a.txt.part-002-of-005"), { name: "a.txt", part: 1, parts: 5 });
 * assertEquals(parseChunkName("a.txt.part-006-of-005"), undefined);
 * assertEquals(parseChunkName("a.txt"), undefined);
 * ```
 */
export function parseChunkName(chunk: string): ChunkName | undefined {
  const suffixAt = chunk.lastIndexOf(".part-");
  if (suffixAt < 1) return undefined;
  const match = /^\.part-([0-9]{3,5})-of-([0-9]{3,5})$/.exec(chunk.slice(suffixAt));
  if (match === null) return undefined;
  const number = parseCount(match[1] ?? "", partsMax) ?? 0;
  const parts = parseCount(match[2] ?? "", partsMax) ?? 0;
  if (number < 1 || number > parts) return undefined;
  const name = chunk.slice(0, suffixAt);
  // "0001" would be a second name of one chunk.
  if (chunkName(name, number - 1, parts) !== chunk) return undefined;
  return { name, part: number - 1, parts };
}

/**
 * Normalises the file name within a chunk's name by the rules of {@linkcode normalizeName}; what is
 * no chunk's name is refused.
 *
 * @example
 * ```ts
 * import { normalizeChunk } from "./names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(normalizeChunk("../a:b.part-001-of-002"), { ok: true, name: "a_b.part-001-of-002" });
 * assertEquals(normalizeChunk("a"), { ok: false, error: "invalid chunk name 'a'" });
 * ```
 */
export function normalizeChunk(raw: string): NameResult {
  const chunk = parseChunkName(raw);
  if (chunk === undefined) return { ok: false, error: `invalid chunk name ${quote(raw)}` };
  const base = normalizeName(chunk.name);
  return base.ok ? { ok: true, name: chunkName(base.name, chunk.part, chunk.parts) } : base;
}

/**
 * The bytes of each part: `floor(size / parts)`, and one more for the first `size mod parts`.
 *
 * @example
 * ```ts
 * import { partLengths } from "./names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(partLengths(12, 5), [3, 3, 2, 2, 2]);
 * ```
 */
export function partLengths(size: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, part) => partLength(size, parts, part));
}

/** The bytes of part `part` (from 0) of a file of `size` bytes. */
export function partLength(size: number, parts: number, part: number): number {
  return leastLength(size, parts) + (part < size % parts ? 1 : 0);
}

/**
 * Where part `part` (from 0) begins in a file of `size` bytes; `part === parts` is the file's end.
 *
 * @example
 * ```ts
 * import { partOffset } from "./names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(partOffset(12, 5, 2), 6);
 * assertEquals(partOffset(12, 5, 5), 12);
 * ```
 */
export function partOffset(size: number, parts: number, part: number): number {
  return part * leastLength(size, parts) + Math.min(part, size % parts);
}

/**
 * Orders names by their bytes in UTF-8, as every list of this program does: below 0, 0, or above 0.
 * JavaScript's own order differs beyond U+FFFF.
 *
 * @example
 * ```ts
 * import { compareNames } from "./names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(["b", "a", "\u{1F600}", "\uFF5E"].sort(compareNames), ["a", "b", "\uFF5E", "\u{1F600}"]);
 * ```
 */
export function compareNames(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA !== unitB) return utf8Rank(unitA) - utf8Rank(unitB);
  }
  return a.length - b.length;
}

/** The bytes of a text in UTF-8, without encoding it; a lone surrogate counts as U+FFFD. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A pair is 4 bytes: 3 for the first half so far, 1 for the second.
    if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) i++;
  }
  return bytes;
}

/**
 * Whether a text may stand for a push id, an incarnation or a digest: 1 to 64 of letters, digits,
 * `-` and `_`. Such a text is safe as a file name and as a parameter.
 *
 * @example
 * ```ts
 * import { isId } from "./names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isId("01J9ZK5Q2W8R6T4Y1V3X7B0N9M"), true);
 * assertEquals(isId("../x"), false);
 * ```
 */
export function isId(text: string): boolean {
  return /^[0-9A-Za-z_-]{1,64}$/.test(text);
}

/** Repeats refused input in an error: quoted, cut short, without control characters. */
export function quote(text: string): string {
  const shown = text.length > echoCharsMax ? `${text.slice(0, echoCharsMax)}…` : text;
  // deno-lint-ignore no-control-regex -- control characters are what must not reach a terminal
  return `'${shown.replace(/[\x00-\x1f\x7f-\x9f]/g, "?").toWellFormed()}'`;
}

/** `floor(size / parts)`, exact up to the largest safe integer, where the quotient is rounded up. */
function leastLength(size: number, parts: number): number {
  return (size - size % parts) / parts;
}

function threeDigits(count: number): string {
  return count < 10 ? `00${count}` : count < 100 ? `0${count}` : String(count);
}

/** Moves surrogates, which stand for the code points above U+FFFF, above all other units. */
function utf8Rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
