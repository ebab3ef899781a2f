import type { NodeAddress } from "./address.ts";
import { parseCount } from "./count.ts";
import { formatNode, type ListOptions, parseNode } from "./lists.ts";

/** A row of `FILE LIST`. */
export interface FileListRow {
  readonly name: string;
  /** The node that holds part 1. */
  readonly start: NodeAddress;
  /** Bytes. */
  readonly size: number;
}

/** The first line of `FILE LIST`. */
export const fileListHeader = "name,start,size\n";

/**
 * Writes a row of `FILE LIST` with its line end: CSV as in RFC 4180, but for the bare `\n`.
 *
 * @example
 * ```ts
 * import { fileListRow } from "./file_list.ts";
 * import { formatAddress } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const start = formatAddress("127.0.0.1", 7000);
 * assertEquals(fileListRow({ name: "a.txt", start, size: 12 }), "a.txt,7000,12\n");
 * assertEquals(fileListRow({ name: 'a "b", c', start, size: 0 }), '"a ""b"", c",7000,0\n');
 * ```
 */
export function fileListRow(row: FileListRow, options: ListOptions = {}): string {
  return `${quoteField(row.name)},${formatNode(row.start, options)},${row.size}\n`;
}

/**
 * Reads the whole answer to `FILE LIST`, of either program. `undefined` when it is none: cut short
 * within a row, or an error.
 *
 * @example
 * ```ts
 * import { parseFileList } from "./file_list.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const rows = parseFileList('name,start,size\n"a ""b"", c",7000,12\n');
 * assertEquals(rows?.map((row) => [row.name, row.size]), [['a "b", c', 12]]);
 * assertEquals(parseFileList("ERR busy\n"), undefined);
 * ```
 */
export function parseFileList(text: string, options: ListOptions = {}): FileListRow[] | undefined {
  const header = /^name,start,size\r?\n/.exec(text);
  if (header === null) return undefined;
  const rows: FileListRow[] = [];
  for (let at = header[0].length; at < text.length;) {
    const name = readField(text, at);
    if (name === undefined || text[name.end] !== ",") return undefined;
    const lineEnd = text.indexOf("\n", name.end);
    if (lineEnd < 0) return undefined;
    const [start, size, ...others] = text.slice(name.end + 1, lineEnd).trimEnd().split(",");
    const address = parseNode(start ?? "", options);
    const bytes = parseCount(size ?? "");
    if (address === undefined || bytes === undefined || others.length > 0) return undefined;
    rows.push({ name: name.value, start: address, size: bytes });
    at = lineEnd + 1;
  }
  return rows;
}

function quoteField(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** A field and the index after it; `undefined` when its quotes do not close. */
function readField(text: string, at: number): { value: string; end: number } | undefined {
  if (text[at] !== '"') {
    const comma = text.indexOf(",", at);
    return comma < 0 ? undefined : { value: text.slice(at, comma), end: comma };
  }
  for (let from = at + 1;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return undefined;
    if (text[quote + 1] !== '"') {
      return { value: text.slice(at + 1, quote).replaceAll('""', '"'), end: quote + 1 };
    }
    from = quote + 2;
  }
}
