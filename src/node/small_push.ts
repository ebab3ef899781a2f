import { setImmediate } from "node:timers";
import type { NodeAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import { partLength, partOffset } from "../protocol/names.ts";
import type { PushTicket } from "../protocol/record.ts";
import { okReply } from "../protocol/replies.ts";
import { formatTicket, parseTicket } from "../protocol/ticket.ts";
import { keptCopies } from "../ring/placement.ts";
import type { WholeCopy } from "../store/staging.ts";
import type { StagedChunk } from "../store/staging_writer.ts";
import { type Body, readFull } from "./body.ts";
import type { NodeContext } from "./context.ts";
import { openPeerSink } from "./peer_sink.ts";
import { pump } from "./pump.ts";
import type { Session } from "./session.ts";
import { stagedChunk } from "./staged_chunk.ts";
import { TaskGroup } from "./task_group.ts";

/** A small file that is to be staged. */
export interface SmallFile {
  readonly ticket: PushTicket;
  /** Normalized. */
  readonly name: string;
  /** All of it. */
  readonly bytes: Uint8Array;
}

/**
 * Stages every copy of a small file: one message to each node of the placement with all that it keeps.
 * Durable when it resolves.
 *
 * @throws {PeerLostError} when a node is gone; what others have staged waits for an abort.
 */
export async function stageSmall(context: NodeContext, file: SmallFile): Promise<void> {
  const { ticket, bytes } = file;
  const token = formatTicket(ticket);
  const staged = new TaskGroup();
  for (const [position, node] of ticket.nodes.entries()) {
    const chunks = chunksAt(file, position, bytes.length);
    if (position === 0) staged.add(messagesSent().then(() => stageHere(context, file, chunks)));
    else if (chunks.length > 0) staged.add(stageThere(context, file, { node, token, chunks }));
  }
  await staged.all();
}

/** Resolves when what can be sent at once has been: others are to have work while this node does its own. */
export function messagesSent(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The chunks that the node at a position of the placement keeps of a file of `size` bytes. */
function chunksAt(
  { ticket, name }: Omit<SmallFile, "bytes">,
  position: number,
  size: number,
): StagedChunk[] {
  return keptCopies(ticket, position).map(({ part, copy }) =>
    stagedChunk({ ticket, name }, { part, copy, length: partLength(size, ticket.parts, part) })
  );
}

async function stageHere(
  context: NodeContext,
  { bytes }: SmallFile,
  chunks: readonly StagedChunk[],
): Promise<void> {
  using _room = context.admission.reserve(sumOf(chunks));
  await context.chunks.stageAll(
    chunks.map((chunk) => ({ chunk, bytes: bytesOf(bytes, chunk) })),
  );
}

/** What one node is to keep of a small file. */
interface SmallShare {
  readonly node: NodeAddress;
  /** The ticket as it is sent. */
  readonly token: string;
  readonly chunks: readonly StagedChunk[];
}

async function stageThere(
  context: NodeContext,
  { name, bytes }: SmallFile,
  { node, token, chunks }: SmallShare,
): Promise<void> {
  const command = {
    kind: "file-stage-all",
    token,
    fileBytes: bytes.length,
    bodyBytes: sumOf(chunks),
    name,
  } as const;
  const body = chunks.map((chunk) => bytesOf(bytes, chunk));
  // The bytes are at hand: nobody has to wait for a node that the ring has given up.
  const sent = await openPeerSink(context, node, { command, body, untilDead: true });
  await sent.acknowledged();
}

/** `FILE STAGE-ALL`: all copies that this node keeps of a small file. */
export async function serveStageAll(
  context: NodeContext,
  session: Session,
  command: Extract<Command, { kind: "file-stage-all" }>,
  body: Body,
): Promise<void> {
  const ticket = parseTicket(command.token);
  if (ticket === undefined) throw new Error("invalid token for FILE STAGE-ALL");
  const position = ticket.nodes.indexOf(context.self);
  const chunks = chunksAt({ ticket, name: command.name }, position, command.fileBytes);
  if (position < 1 || sumOf(chunks) !== body.remaining) {
    throw new Error("these parts belong to another node");
  }
  using _room = context.admission.reserve(body.remaining);
  using lease = await context.buffers.relayPair(body.remaining);
  const slots = slotsFor(chunks, lease.buffers);
  if (slots === undefined) {
    for (const chunk of chunks) {
      await using writer = context.chunks.stage(chunk);
      await pump(body, chunk.length, { sinks: [writer], buffers: lease.buffers });
      await writer.finish();
    }
  } else {
    for (const { bytes } of slots) await readFull(body, bytes);
    await context.chunks.stageAll(slots);
  }
  await session.reply(okReply);
}

/** Room for each chunk in one of the buffers, one behind the other; nothing if they do not fit. */
function slotsFor(
  chunks: readonly StagedChunk[],
  buffers: readonly Uint8Array[],
): WholeCopy[] | undefined {
  const rooms = buffers.map((buffer) => ({ buffer, at: 0 }));
  const slots: WholeCopy[] = [];
  for (const chunk of chunks) {
    const room = rooms.find(({ buffer, at }) => at + chunk.length <= buffer.length);
    if (room === undefined) return undefined;
    slots.push({ chunk, bytes: room.buffer.subarray(room.at, room.at += chunk.length) });
  }
  return slots;
}

/** The bytes of a chunk within those of its file. */
function bytesOf(file: Uint8Array, { part, parts, length }: StagedChunk): Uint8Array {
  const offset = partOffset(file.length, parts, part);
  return file.subarray(offset, offset + length);
}

function sumOf(chunks: readonly StagedChunk[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
