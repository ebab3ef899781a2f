import { errors, fileTooLarge } from "../protocol/errors.ts";
import type { Command } from "../protocol/command.ts";
import { fileListHeader, fileListRow } from "../protocol/file_list.ts";
import { fileHeader, filePushedReply, fileStoredLocallyReply } from "../protocol/file_replies.ts";
import type { StoredFile, Tombstone } from "../protocol/record.ts";
import { errorReply, okReply } from "../protocol/replies.ts";
import type { Body } from "./body.ts";
import { commitRecord } from "./commit.ts";
import { Continuity } from "./continuity.ts";
import type { NodeContext } from "./context.ts";
import { OpenFile } from "./pull.ts";
import { pushFile } from "./push.ts";
import { fileNotFound, requireReady } from "./readiness.ts";
import type { Session } from "./session.ts";
import { statFile } from "./stat.ts";

/** Rows of the list that are read from the catalog and sent at a time. */
const listPageRows = 500;

/** `FILE PUSH`. */
export async function servePush(
  context: NodeContext,
  session: Session,
  command: Extract<Command, { kind: "file-push" }>,
  body: Body,
): Promise<void> {
  const { name, bodyBytes: size } = command;
  const limit = context.options.fileBytesMax;
  if (limit > 0 && size > limit) throw new Error(fileTooLarge(size, limit));
  requireReady(context);
  const record = await pushFile(context, body, { name, size });
  const parts = record.placement.length;
  const isAlone = context.ring.members().length === 1;
  context.log.info("stored", { name, size, parts, version: record.version });
  tellStored(context, record);
  await context.testHooks?.reach("before-ok");
  await session.reply(
    isAlone ? fileStoredLocallyReply(size, name) : filePushedReply(size, parts),
  );
}

/** `FILE PULL`: the bytes and nothing else, then the end of the connection. */
export async function servePull(
  context: NodeContext,
  session: Session,
  name: string,
): Promise<void> {
  session.end();
  requireReady(context);
  if (await context.smallFiles.send(session, { name, isHeaded: false })) return session.endNow();
  using file = await OpenFile.open(context, name);
  if (file === undefined) return await session.reply(errorReply(fileNotFound(context).message));
  await file.sendTo(session, new Uint8Array(0));
}

/** `FILE GET`: a header with size, version and SHA-256, then the bytes. */
export async function serveGet(
  context: NodeContext,
  session: Session,
  name: string,
): Promise<void> {
  requireReady(context);
  if (await context.smallFiles.send(session, { name, isHeaded: true })) return;
  using file = await OpenFile.open(context, name);
  if (file === undefined) throw fileNotFound(context);
  await file.sendTo(session, new TextEncoder().encode(fileHeader(file.record)));
}

/**
 * `FILE LIST`: CSV, then the end of the connection. A list that fails midway ends within a row, as the
 * last line end of a page goes out with the next page: it is not to look whole.
 */
export async function serveList(
  context: Pick<NodeContext, "catalog" | "hostname" | "options" | "ring">,
  session: Pick<Session, "end" | "write">,
): Promise<void> {
  session.end();
  const { catalog, hostname } = context;
  const { losses } = catalog;
  const encoder = new TextEncoder();
  let text = fileListHeader;
  let after = "";
  for (;;) {
    requireReady(context);
    // An empty catalog in the place of a lost one knows nothing of what is left of the list.
    if (catalog.losses !== losses) throw new Error(errors.catchingUp);
    const rows = catalog.list(after, listPageRows);
    for (const row of rows) text += fileListRow(row, { hostname });
    const last = rows.at(-1);
    if (last === undefined || rows.length < listPageRows) {
      return await session.write(encoder.encode(text));
    }
    await session.write(encoder.encode(text.slice(0, -1)));
    text = "\n";
    after = last.name;
  }
}

/** `FILE STAT`. */
export async function serveStat(
  context: NodeContext,
  session: Session,
  name: string,
): Promise<void> {
  requireReady(context);
  const answer = await statFile(context, name);
  requireReady(context);
  await session.reply(answer);
}

/** `FILE DELETE`. */
export async function serveDelete(
  context: NodeContext,
  session: Session,
  name: string,
): Promise<void> {
  requireReady(context);
  await deleteFile(context, name);
  await session.reply(okReply);
}

/**
 * Commits a tombstone above every version of the name that any member knows.
 *
 * @param condition throws when what would be replaced is not what the client means; called in one step
 * with the commit.
 */
export async function deleteFile(
  context: NodeContext,
  name: string,
  condition?: () => void,
): Promise<void> {
  if (context.catalog.record(name)?.kind !== "file") throw new Error(errors.fileNotFound);
  await commitRecord<Tombstone>(context, {
    kind: "tombstone",
    name,
    pushId: context.newPushId(),
    timeMs: context.clock.wallMs(),
  }, new Continuity(context, name, condition));
  context.log.info("deleted", { name });
  context.events.tell({ kind: "file-deleted", node: context.self, name });
}

/** Tells that a client's file is stored. */
export function tellStored({ events, self }: NodeContext, record: StoredFile): void {
  const { name, size, version } = record;
  events.tell({ kind: "file-stored", node: self, name, size, version });
}
