import { listFiles, listFilesText } from "../client/list.ts";
import { fileListHeader, type FileListRow, fileListRow } from "../protocol/file_list.ts";
import { splitAddress } from "../protocol/address.ts";
import { formatNode } from "../protocol/lists.ts";
import { askRing } from "./ask_ring.ts";
import type { CliContext } from "./cli_context.ts";
import { clientContext } from "./client_context.ts";
import type { ListOptions } from "./client_options.ts";
import { exitCodes } from "./exit_codes.ts";
import { selectFiles } from "./expand_names.ts";
import { print, printError, showBytes, showCount, showName } from "./output.ts";
import { table } from "./table.ts";
import { type Paint, terminalOf } from "./terminal.ts";
import { shorten } from "./text_width.ts";

/** `ouroboros list`: a table on a terminal, else the CSV as the ring answers it. */
export async function list(options: ListOptions, context: CliContext): Promise<number> {
  const { names, form } = options;
  const stdout = terminalOf("stdout");
  const isTable = form === "auto" && stdout.isTerminal;
  using client = clientContext(options, context);
  if (!isTable && form !== "json" && names.length === 0) {
    print(await askRing(client, "list the files", listFilesText));
    return exitCodes.ok;
  }
  const { files, hostname } = await askRing(client, "list the files", async (peer) => ({
    files: await listFiles(peer),
    // The host that bare ports mean, as in the list itself.
    hostname: splitAddress(peer.address).hostname,
  }));
  const rows = selectFiles(files, names);
  if (form === "json") print(listJson(rows));
  else if (isTable) print(listTable(rows, { ...stdout, hostname }));
  else print(fileListHeader + rows.map((row) => fileListRow(row, { hostname })).join(""));
  if (names.length === 0 || rows.length > 0) return exitCodes.ok;
  printError(`error: no stored file is called ${names.map(showName).join(" or ")}`);
  return exitCodes.notFound;
}

/** One array, one file a line; nodes by host and port. */
export function listJson(rows: readonly FileListRow[]): string {
  if (rows.length === 0) return "[]\n";
  const lines = rows.map(({ name, start, size }) => JSON.stringify({ name, start, size }));
  return `[\n  ${lines.join(",\n  ")}\n]\n`;
}

/** How {@linkcode listTable} looks. */
export interface ListTableLook {
  /** Characters a line. */
  readonly columns: () => number;
  readonly paint: Paint;
  /** Whose nodes are shown by their port. */
  readonly hostname: string;
}

/** What the other columns and the spaces between them need. */
const otherColumns = 34;

/** The least columns of names: shorter ones cannot be told apart. */
const nameColumnsMin = 20;

/** A table with a line that sums up; long names are shortened to the width of the terminal. */
export function listTable(
  rows: readonly FileListRow[],
  { columns, paint, hostname }: ListTableLook,
): string {
  if (rows.length === 0) return "no files\n";
  const nameColumns = Math.max(nameColumnsMin, columns() - otherColumns);
  const [title = "", ...lines] = table(
    [{ title: "SIZE", align: "right" }, { title: "PART 1 ON" }, { title: "NAME" }],
    rows.map(({ name, start, size }) => [
      showBytes(size),
      formatNode(start, { hostname }),
      shorten(showName(name).slice(1, -1), nameColumns),
    ]),
  );
  const bytes = rows.reduce((sum, { size }) => sum + size, 0);
  const sum = `${showCount(rows.length, "file")}, ${showBytes(bytes)}`;
  return [paint("bold", title), ...lines, paint("dim", sum)].join("\n") + "\n";
}
