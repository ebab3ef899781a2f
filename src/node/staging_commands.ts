import type { Command } from "../protocol/command.ts";
import { errors } from "../protocol/errors.ts";
import { recordBytesMax } from "../protocol/limits.ts";
import { type PushState, pushStateReply } from "../protocol/peer_replies.ts";
import { parseRecord } from "../protocol/record_codec.ts";
import { okReply } from "../protocol/replies.ts";
import { parseTicket } from "../protocol/ticket.ts";
import { type Body, readWhole } from "./body.ts";
import { acceptRecords } from "./commit.ts";
import type { NodeContext } from "./context.ts";
import { streamParts } from "./part_stream.ts";
import { tellStored } from "./file_commands.ts";
import { pushFile } from "./push.ts";
import type { Session } from "./session.ts";

/** `FILE RELAY-STREAM`: this node's part and every later one, on the way round the ring. */
export async function serveRelayStream(
  context: NodeContext,
  session: Session,
  command: Extract<Command, { kind: "file-relay-stream" }>,
  body: Body,
): Promise<void> {
  const ticket = parseTicket(command.token);
  if (ticket === undefined) {
    await context.originals.acceptRelay(command, body);
    return await session.reply(okReply);
  }
  if (ticket.nodes[command.index] !== context.self || ticket.parts !== command.parts) {
    throw new Error("this part belongs to another node");
  }
  using lease = await context.buffers.relayPair(body.remaining);
  await streamParts(context, body, {
    ticket,
    route: "relay",
    name: command.name,
    size: command.fileBytes,
    position: command.index,
    buffers: lease.buffers,
  });
  await session.reply(okReply);
}

/** `FILE RELAY-BLOB`: a whole file from a node of the original; it is stored as a push would be. */
export async function serveRelayBlob(
  context: NodeContext,
  session: Session,
  command: Extract<Command, { kind: "file-relay-blob" }>,
  body: Body,
): Promise<void> {
  tellStored(
    context,
    await pushFile(context, body, { name: command.name, size: command.bodyBytes }),
  );
  await session.reply(okReply);
}

/** `FILE COMMIT`: records of pushes and deletes that their coordinator has committed. */
export async function serveCommit(
  context: NodeContext,
  session: Session,
  body: Body,
): Promise<void> {
  if (body.remaining > recordBytesMax) throw new Error(errors.lineTooLong);
  const bytes = await readWhole(body, new Uint8Array(body.remaining));
  const texts = new TextDecoder().decode(bytes).split("\n");
  const commits = texts.map((text) => ({ record: parseRecord(text), text }));
  await session.reply(await acceptRecords(context, commits));
}

/** `FILE ABORT`: the coordinator has given the push up. */
export async function serveAbort(
  context: NodeContext,
  session: Session,
  pushId: string,
): Promise<void> {
  await context.chunks.abort(pushId);
  await session.reply(okReply);
}

/**
 * `FILE PUSH-STATE`: what became of a push that this node coordinated. Once a push without a record
 * is no longer under way here it can never be committed, so `aborted` is final. While the catalog
 * may lack records nothing is final yet.
 */
export async function servePushState(
  context: NodeContext,
  session: Session,
  pushId: string,
): Promise<void> {
  const { incarnation } = context;
  await session.reply(pushStateReply({ state: pushState(context, pushId), incarnation }));
}

/** The answer to `FILE PUSH-STATE` without the incarnation. */
export function pushState(context: NodeContext, pushId: string): PushState {
  if (context.catalog.pushOf(pushId) !== undefined) return "committed";
  const unsure = context.pushes.has(pushId) || context.ring.state() !== "ready";
  return unsure ? "pending" : "aborted";
}
