import type { Command } from "../protocol/command.ts";
import { type FilePageRow, formatFilePage } from "../protocol/file_page.ts";
import { compareNames } from "../protocol/names.ts";
import { countedReply } from "../protocol/peer_replies.ts";
import type { StoredFile } from "../protocol/record.ts";
import { joinBytes } from "../net/write_all.ts";
import type { NodeContext } from "./context.ts";
import { requireReady } from "./readiness.ts";
import type { Session } from "./session.ts";

/** Names that are read from the catalog at a time. */
const namesAtATime = 500;

/** `FILE PAGE`: what the catalog knows of some files, in the order of their names. */
export async function servePage(
  context: NodeContext,
  session: Session,
  command: Extract<Command, { kind: "file-page" }>,
): Promise<void> {
  requireReady(context);
  const encoder = new TextEncoder();
  const rows = encoder.encode(formatFilePage(pageRows(context, command)));
  await session.write(joinBytes(encoder.encode(countedReply("PAGE", rows.length)), rows));
}

function pageRows(
  { catalog }: NodeContext,
  { limit, after, prefix }: Extract<Command, { kind: "file-page" }>,
): FilePageRow[] {
  const rows: FilePageRow[] = [];
  const take = (name: string) => {
    const record = catalog.record(name);
    if (record?.kind === "file" && rows.length < limit) rows.push(toRow(record));
  };
  let last = after;
  if (compareNames(prefix, after) > 0) {
    // What begins with the prefix comes after the name that is the prefix, or is it.
    take(prefix);
    last = prefix;
  }
  while (rows.length < limit) {
    const names = catalog.list(last, namesAtATime).map(({ name }) => name);
    for (const name of names) {
      if (!name.startsWith(prefix)) return rows;
      take(name);
      last = name;
    }
    if (names.length < namesAtATime) break;
  }
  return rows;
}

function toRow(record: StoredFile): FilePageRow {
  const { name, size, version, sha256, timeMs, start, placement } = record;
  return { name, size, version, sha256, timeMs, start, parts: placement.length };
}
