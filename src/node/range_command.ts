import type { Command } from "../protocol/command.ts";
import { errors } from "../protocol/errors.ts";
import type { StoredFile } from "../protocol/record.ts";
import { rangeHeader } from "../protocol/transfer_replies.ts";
import type { ByteRange } from "./byte_range.ts";
import type { NodeContext } from "./context.ts";
import { OpenFile } from "./pull.ts";
import { fileNotFound, requireReady } from "./readiness.ts";
import type { Session } from "./session.ts";

/** `FILE RANGE`: a header that tells of the file, then the bytes asked for; opens only their parts. */
export async function serveRange(
  context: NodeContext,
  session: Session,
  command: Extract<Command, { kind: "file-range" }>,
): Promise<void> {
  requireReady(context);
  const choose = (record: StoredFile): ByteRange => {
    if (command.version !== undefined && record.version !== command.version) {
      throw new Error(errors.versionGone);
    }
    const offset = Math.min(command.offset, record.size);
    const left = record.size - offset;
    return { offset, count: Math.min(command.count ?? left, left) };
  };
  using file = await OpenFile.open(context, command.name, choose);
  if (file === undefined) throw fileNotFound(context);
  const header = rangeHeader({ ...file.record, ...file.range });
  await file.sendTo(session, new TextEncoder().encode(header));
}
