import type { NodeAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import type { PushTicket } from "../protocol/record.ts";
import { okReply } from "../protocol/replies.ts";
import { formatTicket, parseTicket } from "../protocol/ticket.ts";
import { type KeptCopy, partHolders } from "../ring/placement.ts";
import type { Body } from "./body.ts";
import type { NodeContext } from "./context.ts";
import { openPeerSink } from "./peer_sink.ts";
import { pump, type Sink } from "./pump.ts";
import type { Session } from "./session.ts";
import { stagedChunk } from "./staged_chunk.ts";
import { TaskGroup } from "./task_group.ts";

/** A node that keeps a copy of a part. */
export interface Stage {
  readonly node: NodeAddress;
  /** 0: the holder's; k: the k-th backup. */
  readonly copy: number;
}

/**
 * Who gets the bytes of a part after the node that keeps `copy` of it: the next backup holder. The
 * coordinator is passed over, as it keeps its copies from the bytes that the client sends, and so are
 * originals, which copy their backups by themselves after `FILE NOTIFY-CHUNK-SAVED`.
 *
 * @returns `undefined` at the end of the chain.
 */
export function nextStage(
  context: NodeContext,
  ticket: PushTicket,
  { part, copy }: KeptCopy,
): Stage | undefined {
  const holders = partHolders(ticket, part);
  for (let next = copy + 1; next < holders.length; next++) {
    const node = holders[next];
    if (node === undefined || node === ticket.coordinator) continue;
    if (context.ring.programOf(node) !== "original") return { node, copy: next };
  }
  return undefined;
}

/** The command that brings a copy of a part, and what is behind it in the chain, to its node. */
export function stageCommand(
  ticket: PushTicket,
  { name, length, part, copy }: KeptCopy & { readonly name: string; readonly length: number },
): Extract<Command, { kind: "file-stage" }> {
  return { kind: "file-stage", token: formatTicket(ticket), part, copy, bodyBytes: length, name };
}

/**
 * `FILE STAGE`: stores a copy of a part and passes the bytes on to the next backup holder meanwhile.
 * The answer waits for everybody behind.
 */
export async function serveStage(
  context: NodeContext,
  session: Session,
  command: Extract<Command, { kind: "file-stage" }>,
  body: Body,
): Promise<void> {
  const { part, copy, name, bodyBytes: length } = command;
  const ticket = parseTicket(command.token);
  if (ticket === undefined) throw new Error("invalid token for FILE STAGE");
  if (part >= ticket.parts || partHolders(ticket, part)[copy] !== context.self) {
    throw new Error("this part belongs to another node");
  }
  using room = context.admission.reserve(length);
  const next = nextStage(context, ticket, { part, copy });
  const onward = next &&
    await openPeerSink(context, next.node, { command: { ...command, copy: next.copy } });
  try {
    await using writer = context.chunks.stage(
      stagedChunk({ ticket, name }, { part, copy, length }),
    );
    const sinks: Sink[] = onward === undefined ? [writer] : [writer, onward];
    using lease = await context.buffers.relayPair(length);
    await pump(body, length, { sinks, buffers: lease.buffers, clock: context.clock });
    await context.testHooks?.reach("streaming");
    const confirmed = new TaskGroup();
    if (onward !== undefined) confirmed.add(onward.acknowledged());
    confirmed.add(writer.finish());
    await confirmed.all();
    room.written(length);
  } finally {
    onward?.cut();
  }
  await session.reply(okReply);
}
