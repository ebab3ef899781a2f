import type { Command } from "./command.ts";
import { Fields } from "./fields.ts";
import { lineBytesMax, listLineBytesMax } from "./limits.ts";
import type { ListOptions } from "./lists.ts";
import { quote } from "./names.ts";
import { nouns, verbs } from "./verbs.ts";

/** A parsed line, or why it is refused. */
export type ParseResult =
  | { readonly ok: true; readonly command: Command }
  | ParseFailure;

/** A line that is no command. */
export interface ParseFailure {
  readonly ok: false;
  /** The text of the answer after `ERR `. */
  readonly error: string;
  /**
   * How many bytes follow the line as the body of the refused command; 0 when it has none.
   * `undefined` when it has one but its length cannot be read: the connection must be closed after
   * the answer, as a body is never parsed as commands.
   */
  readonly bodyBytes: number | undefined;
}

/**
 * Reads one line of the protocol, given without its line end. Never throws, and costs time in
 * proportion to the line.
 *
 * 1. Noun and verb are case-insensitive; parameters are separated by single spaces.
 * 2. The last parameter, if it is a name, a message or a list, takes the rest of the line. Spaces at
 *    the end of a line are part of a name or a message and ignored elsewhere.
 * 3. `NODE PING` is answered whatever follows it; every other command refuses parameters it does
 *    not know.
 * 4. Names come out normalised, numbers are bounded (`limits.ts`).
 *
 * @example
 * ```ts
 * import { parseCommand } from "./parse.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseCommand("file push 5 my file.txt"), {
 *   ok: true,
 *   command: { kind: "file-push", bodyBytes: 5, name: "my file.txt" },
 * });
 * assertEquals(parseCommand("FILE PUSH 5"), {
 *   ok: false,
 *   error: "missing file name for FILE PUSH",
 *   bodyBytes: 5,
 * });
 * assertEquals(parseCommand("FOO BAR"), {
 *   ok: false,
 *   error: "unknown command namespace: 'FOO'",
 *   bodyBytes: 0,
 * });
 * ```
 */
export function parseCommand(line: string, options: ListOptions = {}): ParseResult {
  const verbEnd = endOfWord(line, endOfWord(line, 0) + 1);
  const sent = verbEnd > commandCharsMax ? "" : line.slice(0, verbEnd);
  let name = sent;
  let verb = verbs.get(name);
  if (verb === undefined) {
    name = sent.toUpperCase();
    verb = verbs.get(name);
  }
  if (verb === undefined) return { ok: false, error: unknownCommand(line), bodyBytes: 0 };
  const rest = verbEnd < line.length ? line.slice(verbEnd + 1) : undefined;
  const fields = new Fields(name, rest, options);
  const command = verb(fields);
  fields.end();
  if (fields.error === undefined) return { ok: true, command };
  return { ok: false, error: fields.error, bodyBytes: fields.bodyBytes };
}

/**
 * Decodes a line's bytes; `undefined` when they are not UTF-8. A byte order mark at the start, as
 * shells of Windows write one, is dropped.
 */
export function decodeLine(bytes: Uint8Array): string | undefined {
  const text = decodeAscii(bytes);
  if (text !== undefined) return text;
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * The longest line, in bytes, that may go on from these first ones: {@linkcode listLineBytesMax}
 * for lists of nodes or files, {@linkcode lineBytesMax} for all else.
 *
 * @example
 * ```ts
 * import { lineBytesCap } from "./parse.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const encode = (text: string) => new TextEncoder().encode(text);
 * assertEquals(lineBytesCap(encode("file tags-set a:7000:1:1;…")), 16 * 1024 * 1024);
 * assertEquals(lineBytesCap(encode("FILE PULL a…")), 64 * 1024);
 * ```
 */
export function lineBytesCap(prefix: Uint8Array): number {
  const start = String.fromCharCode(...prefix.subarray(0, 16)).toUpperCase();
  const isList = listCommands.some((command) => start.startsWith(command));
  return isList ? listLineBytesMax : lineBytesMax;
}

/** Decodes a short line of ASCII, which nearly all are, in a fraction of the time. */
function decodeAscii(bytes: Uint8Array): string | undefined {
  if (bytes.length > asciiBytesMax) return undefined;
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] ?? 0x80) >= 0x80) return undefined;
  return String.fromCharCode(...bytes);
}

/** Beyond it, the decoder is as fast. */
const asciiBytesMax = 64;

const listCommands = ["NETMAP ", "TOPOLOGY ", "FILE TAGS-SET "];

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Characters of a noun and a verb; the longest has 27. */
const commandCharsMax = 40;

/** The first space at or after `from`, or the end of the line. */
function endOfWord(line: string, from: number): number {
  const space = line.indexOf(" ", from);
  return space < 0 ? line.length : space;
}

/** What is wrong with a line that names no command, without `ERR `. */
function unknownCommand(line: string): string {
  const noun = line.slice(0, endOfWord(line, 0));
  const known = noun.length < commandCharsMax ? noun.toUpperCase() : "";
  if (nouns.has(known)) return `unknown ${known} command`;
  if (line.trim() === "") return "empty command";
  return `unknown command namespace: ${quote(noun)}`;
}
