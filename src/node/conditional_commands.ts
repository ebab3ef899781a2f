import type { Command } from "../protocol/command.ts";
import { holds, type WriteCondition } from "../protocol/condition.ts";
import { fileTooLarge, preconditionFailed } from "../protocol/errors.ts";
import { storedReply } from "../protocol/transfer_replies.ts";
import { okReply } from "../protocol/replies.ts";
import type { NodeContext } from "./context.ts";
import { deleteFile, tellStored } from "./file_commands.ts";
import { pushFile } from "./push.ts";
import { planPush } from "./push_plan.ts";
import { requireReady } from "./readiness.ts";
import type { Session } from "./session.ts";

/**
 * `FILE PUT`: a push that says beforehand whether its bytes may come, compares their SHA-256, and
 * replaces only what its condition allows.
 */
export async function servePut(
  context: NodeContext,
  session: Session,
  command: Extract<Command, { kind: "file-put" }>,
): Promise<void> {
  const { name, size, condition, sha256 } = command;
  try {
    const limit = context.options.fileBytesMax;
    if (limit > 0 && size > limit) throw new Error(fileTooLarge(size, limit));
    requireReady(context);
    requireCondition(context, name, condition);
    const { copies, parts } = planPush(context, size).placement;
    // What this node would keep of it: the others look at their disks when the bytes come.
    context.admission.reserve(Math.ceil(size / parts) * Math.min(copies, parts))[Symbol.dispose]();
  } catch (error) {
    // Who does not wait for CONTINUE has sent bytes that must not be read as commands.
    session.end();
    throw error;
  }
  const replaced = context.catalog.record(name)?.kind === "file";
  const body = await session.expectBody(size);
  const record = await pushFile(context, body, {
    name,
    size,
    ...(sha256 !== undefined && { sha256 }),
    condition: () => requireCondition(context, name, condition),
  });
  context.log.info("stored", { name, size, version: record.version });
  tellStored(context, record);
  await context.testHooks?.reach("before-ok");
  await session.reply(storedReply({ ...record, replaced }));
}

/** `FILE DELETE-IF`: a delete of what its condition allows. */
export async function serveDeleteIf(
  context: NodeContext,
  session: Session,
  command: Extract<Command, { kind: "file-delete-if" }>,
): Promise<void> {
  const { name, condition } = command;
  requireReady(context);
  requireCondition(context, name, condition);
  await deleteFile(context, name, () => requireCondition(context, name, condition));
  await session.reply(okReply);
}

/** @throws {Error} `precondition failed …` unless the condition holds for what this node knows. */
function requireCondition(context: NodeContext, name: string, condition: WriteCondition): void {
  const record = context.catalog.record(name);
  const current = record?.kind === "file" ? record.version : undefined;
  if (!holds(condition, current)) throw new Error(preconditionFailed(name, current));
}
