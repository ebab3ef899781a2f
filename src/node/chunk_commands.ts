import type { Command } from "../protocol/command.ts";
import { errors } from "../protocol/errors.ts";
import { chunkHeader, encodeChunkLength } from "../protocol/file_replies.ts";
import { countedReply } from "../protocol/peer_replies.ts";
import type { ChunkReader } from "../store/chunk_reader.ts";
import { ServedChunk } from "./chunk_service.ts";
import type { NodeContext } from "./context.ts";
import { openForOriginal } from "./part_for_original.ts";
import { pump } from "./pump.ts";
import type { Session } from "./session.ts";

/** `FILE OPEN`: opens exactly the bytes of one push, in whatever place this node has them. */
export async function serveOpen(
  context: NodeContext,
  session: Session,
  command: Extract<Command, { kind: "file-open" }>,
): Promise<void> {
  session.closeChunk();
  const reader = await context.chunks.open(command.pushId, command.part);
  if (reader === undefined) {
    context.repair.enqueue(command.name);
    throw new Error(errors.chunkNotFound);
  }
  session.chunk = new ServedChunk(context, command.name, reader);
  await session.reply(countedReply("PART", reader.length));
}

/** `FILE READ`: bytes of the open part; after the last one it is closed, which ends its lease. */
export async function serveRead(
  session: Session,
  command: Extract<Command, { kind: "file-read" }>,
): Promise<void> {
  const { chunk } = session;
  if (chunk === undefined) throw new Error(errors.noOpenPart);
  const end = command.offset + command.count;
  if (end > chunk.length) {
    throw new Error(`the part ends at ${chunk.length}, not at ${end}`);
  }
  const { offset, count } = command;
  const header = new TextEncoder().encode(countedReply("DATA", count));
  await chunk.sendTo(session, { header, offset, count });
  if (end === chunk.length) session.closeChunk();
}

/** `FILE FETCH`: parts of a small file, in one answer. */
export async function serveFetch(
  context: NodeContext,
  session: Session,
  command: Extract<Command, { kind: "file-fetch" }>,
): Promise<void> {
  if (!await context.smallFiles.serve(session, command)) throw new Error(errors.chunkNotFound);
}

/**
 * `FILE GET-CHUNK` and `FILE GET-BACKUP-CHUNK`: a whole chunk by its name; to an original also one that
 * lies elsewhere.
 */
export async function serveChunk(
  context: NodeContext,
  session: Session,
  chunk: string,
  place: "content" | "backup",
): Promise<void> {
  const next = context.ring.next() ?? context.self;
  const headerOf = (size: number) => new TextEncoder().encode(chunkHeader({ next, size, chunk }));
  const reader = await context.chunks.openByChunkName(chunk, place);
  if (reader !== undefined) {
    return await sendWhole(context, session, { chunk, reader, header: headerOf(reader.length) });
  }
  using body = await openForOriginal(context, chunk);
  if (body === undefined) throw new Error(errors.chunkNotFound);
  using lease = await context.buffers.clientPair(body.remaining);
  await session.write(headerOf(body.remaining));
  const { clock } = context;
  await pump(body, body.remaining, { sinks: [session], buffers: lease.buffers, clock });
}

/** `FILE GET-CHUNK-FOR-BACKUP`: the length in 8 bytes, big-endian, then the chunk; 0 when missing. */
export async function serveChunkForBackup(
  context: NodeContext,
  session: Session,
  chunk: string,
): Promise<void> {
  const reader = await context.chunks.openByChunkName(chunk, "content");
  if (reader === undefined) return await session.write(encodeChunkLength(0));
  await sendWhole(context, session, { chunk, reader, header: encodeChunkLength(reader.length) });
}

async function sendWhole(
  context: NodeContext,
  session: Session,
  { chunk, reader, header }: { chunk: string; reader: ChunkReader; header: Uint8Array },
): Promise<void> {
  using served = new ServedChunk(context, chunk, reader);
  await served.sendTo(session, { header, offset: 0, count: served.length });
}
