import { type NodeAddress, parseAddress } from "./address.ts";
import { parseCount } from "./count.ts";
import { normalizeName, parseChunkName } from "./names.ts";
import { okReply } from "./replies.ts";
import { isUlid } from "./ulid.ts";

/** The answer to a `FILE PUSH` that was spread over the ring. */
export function filePushedReply(size: number, parts: number): string {
  return `FILE ${size} bytes split into ${parts} chunks and distributed\n${okReply}`;
}

/** The answer to a `FILE PUSH` by a node that is alone in its ring. */
export function fileStoredLocallyReply(size: number, name: string): string {
  return `FILE ${size} bytes '${name}' stored locally\n${okReply}`;
}

/** The line before the bytes that `FILE GET` answers. */
export interface FileHeader {
  /** Bytes that follow the line. */
  readonly size: number;
  /** A ULID. */
  readonly version: string;
  /** Lower-case hex; empty where an original node pushed the file, `-` on the wire. */
  readonly sha256: string;
  readonly name: string;
}

/** Writes the line before the bytes that `FILE GET` answers, with its line end. */
export function fileHeader({ size, version, sha256, name }: FileHeader): string {
  return `FILE ${size} ${version} ${sha256 === "" ? "-" : sha256} ${name}\n`;
}

/**
 * Reads the line before the bytes that `FILE GET` answers, without its line end; `undefined` when it
 * is none.
 *
 * @example
 * ```ts
 * import { fileHeader, parseFileHeader } from "./file_replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const header = { size: 5, version: "01HF7YAT000000000000000000", sha256: "", name: "a b.txt" };
 * assertEquals(fileHeader(header), "FILE 5 01HF7YAT000000000000000000 - a b.txt\n");
 * assertEquals(parseFileHeader(fileHeader(header).trimEnd()), header);
 * ```
 */
export function parseFileHeader(line: string): FileHeader | undefined {
  const match = /^FILE ([0-9]{1,16}) ([0-9A-Z]{26}) (-|[0-9a-f]{64}) (.+)$/s.exec(line);
  if (match === null) return undefined;
  const [, count = "", version = "", sum = "", name = ""] = match;
  const size = parseCount(count);
  const normalized = normalizeName(name);
  if (size === undefined || !isUlid(version) || !normalized.ok) return undefined;
  return { size, version, sha256: sum === "-" ? "" : sum, name: normalized.name };
}

/** The line before the bytes that `FILE GET-CHUNK` and `FILE GET-BACKUP-CHUNK` answer. */
export interface ChunkHeader {
  /** The next hop of the node that answers. */
  readonly next: NodeAddress;
  /** Bytes that follow the line. An original node says 0 for a chunk that it does not have. */
  readonly size: number;
  readonly chunk: string;
}

/** Writes the line before the bytes of a chunk, with its line end. */
export function chunkHeader({ next, size, chunk }: ChunkHeader): string {
  return `FILE RESP-CHUNK ${next} ${size} ${chunk}\n`;
}

/**
 * Reads the line before the bytes of a chunk, without its line end; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { parseChunkHeader } from "./file_replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const header = parseChunkHeader("FILE RESP-CHUNK 127.0.0.1:7001 5 a.txt.part-001-of-003");
 * assertEquals([header?.next as string, header?.size], ["127.0.0.1:7001", 5]);
 * assertEquals(parseChunkHeader("ERR chunk not found"), undefined);
 * ```
 */
export function parseChunkHeader(line: string): ChunkHeader | undefined {
  const match = /^FILE RESP-CHUNK (\S+) ([0-9]{1,16}) (.+)$/s.exec(line);
  if (match === null) return undefined;
  const [, address = "", count = "", chunk = ""] = match;
  const next = parseAddress(address);
  const size = parseCount(count);
  if (next === undefined || size === undefined || parseChunkName(chunk) === undefined) {
    return undefined;
  }
  return { next, size, chunk };
}

/** Writes the 8 bytes before a chunk that `FILE GET-CHUNK-FOR-BACKUP` answers: its length, big-endian. */
export function encodeChunkLength(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length));
  return bytes;
}

/**
 * Reads the 8 bytes before a chunk that `FILE GET-CHUNK-FOR-BACKUP` answers; `undefined` for another
 * count of bytes or a length that no file has.
 *
 * @example
 * ```ts
 * import { decodeChunkLength, encodeChunkLength } from "./file_replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(encodeChunkLength(258), new Uint8Array([0, 0, 0, 0, 0, 0, 1, 2]));
 * assertEquals(decodeChunkLength(encodeChunkLength(258)), 258);
 * ```
 */
export function decodeChunkLength(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 8) return undefined;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
  return Number.isSafeInteger(length) ? length : undefined;
}

/**
 * What became of one copy of a part.
 *
 * - `ok`: it is there and has its length, whatever place the node keeps it in. Of a file of at most 1 MiB
 *   every byte was compared with its checksum just now; of a larger one that is for a scrub, or who reads it.
 * - `missing`: it is not there, or not in full length, or was damaged and is in quarantine: it is being
 *   fetched from another copy.
 * - `damaged`: its bytes were found just now to be others, or its node cannot read them.
 * - `unknown`: its node does not answer, runs the original program, or is too busy to tell.
 */
export type CopyState = "ok" | "missing" | "damaged" | "unknown";

/** One copy of a part. */
export interface CopyStat {
  readonly address: NodeAddress;
  readonly state: CopyState;
}

/** What `FILE STAT` answers. */
export interface FileStat {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  readonly version: string;
  /** The copies of each part, the holder's first. */
  readonly parts: readonly (readonly CopyStat[])[];
}

/**
 * The answer to `FILE STAT`: `key: value` lines, a line a part (from 1) with its holder and backup
 * holders, then `OK`.
 *
 * @example
 * ```ts
 * import { fileStatReply } from "./file_replies.ts";
 * import { formatAddress } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const parts = [[
 *   { address: formatAddress("127.0.0.1", 7000), state: "ok" },
 *   { address: formatAddress("127.0.0.1", 7001), state: "missing" },
 * ]] as const;
 * assertEquals(
 *   fileStatReply({ name: "a", size: 5, sha256: "", version: "01HF7YAT000000000000000000", parts }),
 *   "name: a\nsize: 5\nsha256: -\nversion: 01HF7YAT000000000000000000\nparts: 1\n" +
 *     "part 1: 127.0.0.1:7000 ok, 127.0.0.1:7001 missing\nOK\n",
 * );
 * ```
 */
export function fileStatReply({ name, size, sha256, version, parts }: FileStat): string {
  const head = `name: ${name}\nsize: ${size}\nsha256: ${sha256 === "" ? "-" : sha256}\n` +
    `version: ${version}\nparts: ${parts.length}\n`;
  const lines = parts.map((copies, part) => {
    const states = copies.map(({ address, state }) => `${address} ${state}`);
    return `part ${part + 1}: ${states.join(", ")}\n`;
  });
  return head + lines.join("") + okReply;
}

/**
 * Reads the whole answer to `FILE STAT`, its `OK` included or not; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { fileStatReply, parseFileStat } from "./file_replies.ts";
 * import { formatAddress } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const stat = {
 *   name: "a: b",
 *   size: 5,
 *   sha256: "",
 *   version: "01HF7YAT000000000000000000",
 *   parts: [[{ address: formatAddress("127.0.0.1", 7000), state: "ok" as const }]],
 * };
 * assertEquals(parseFileStat(fileStatReply(stat)), stat);
 * assertEquals(parseFileStat("ERR file not found\n"), undefined);
 * ```
 */
export function parseFileStat(text: string): FileStat | undefined {
  const lines = (text.endsWith(okReply) ? text.slice(0, -okReply.length) : text).split("\n");
  const values = lines.map((line) => line.slice(line.indexOf(": ") + 2));
  const [name = "", count = "", sum = "", version = "", partCount = ""] = values;
  const keys = lines.slice(0, 5).map((line) => line.slice(0, line.indexOf(": ")));
  if (keys.join() !== "name,size,sha256,version,parts" || !isUlid(version)) return undefined;
  const size = parseCount(count);
  const parts = values.slice(5, -1).map(parseCopies);
  if (size === undefined || parts.length !== parseCount(partCount)) return undefined;
  if (!/^(-|[0-9a-f]{64})$/.test(sum) || !parts.every((part) => part !== undefined)) {
    return undefined;
  }
  return { name, size, sha256: sum === "-" ? "" : sum, version, parts };
}

/** The copies of a part; `undefined` when they cannot be read. */
function parseCopies(text: string): CopyStat[] | undefined {
  const copies: CopyStat[] = [];
  for (const item of text.split(", ")) {
    const [host = "", state = ""] = item.split(" ");
    const address = parseAddress(host);
    if (address === undefined || !isCopyState(state)) return undefined;
    copies.push({ address, state });
  }
  return copies;
}

function isCopyState(state: string): state is CopyState {
  return state === "ok" || state === "missing" || state === "damaged" || state === "unknown";
}
