import { createHash } from "node:crypto";
import { digestMismatch } from "../protocol/errors.ts";
import { smallFileBytesMax } from "../protocol/limits.ts";
import { partLengths } from "../protocol/names.ts";
import type { PartPlacement, PushTicket, StoredFile } from "../protocol/record.ts";
import { partHolders } from "../ring/placement.ts";
import { BlockChecksums } from "../store/block_checksums.ts";
import { type Body, MemoryBody, readWhole } from "./body.ts";
import { commitRecord, type RecordDraft, requireTakers } from "./commit.ts";
import type { NodeContext } from "./context.ts";
import { Continuity, OutcomeUnknownError } from "./continuity.ts";
import { type Route, streamParts } from "./part_stream.ts";
import { PeerLostError } from "./peer_sink.ts";
import { planPush } from "./push_plan.ts";
import { messagesSent, stageSmall } from "./small_push.ts";
import type { PushBuffers } from "./transfer_buffers.ts";

/** What a client wants stored. */
export interface PushRequest {
  /** Normalized. */
  readonly name: string;
  /** Bytes, the length of the body. */
  readonly size: number;
  /** What the body's SHA-256 must be, in lower-case hex; else nothing is committed. */
  readonly sha256?: string;
  /** Throws when what would be replaced is not what the client means; called again for the commit. */
  readonly condition?: () => void;
}

/** How often a push whose bytes are still at hand starts again after a node was lost. */
const pushAttemptsMax = 4;

/** Pause before it does, in ms: time to hear from the node that noticed which one is dead. */
const pushRetryMs = 50;

/**
 * Stores a file: stages every copy, then commits. When it returns, every copy and the record are
 * durable; when it throws, the earlier version of the name stands, unless the error says that the
 * outcome is unknown.
 *
 * A push starts again without the dead node when one is lost while its bytes are still at hand: a
 * small file is read first for that. A larger one streams, as does any for which there is no buffer that
 * holds it, and once it does it is lost with a node of its placement.
 */
export async function pushFile(
  context: NodeContext,
  body: Body,
  request: PushRequest,
): Promise<StoredFile> {
  using turn = await context.admission.pushTurn();
  using lease = await buffersFor(context, request.size);
  const { buffers, whole } = lease;
  const sent: Body = {
    get remaining() {
      return body.remaining;
    },
    read: (buffer) => turn.outside(() => body.read(buffer)),
  };
  const bytes = whole && await readWhole(sent, whole);
  for (let attempt = 1;; attempt++) {
    try {
      const source = bytes ?? sent;
      return await attemptPush(context, source, { ...request, buffers });
    } catch (error) {
      const isUntouched = bytes !== undefined || body.remaining === request.size;
      const isRepeatable = error instanceof PeerLostError && isUntouched;
      if (!isRepeatable || attempt === pushAttemptsMax) throw error;
      context.log.info("push starts again", { name: request.name, reason: error.message });
      await context.clock.sleep(pushRetryMs);
    }
  }
}

async function buffersFor({ buffers }: NodeContext, size: number): Promise<PushBuffers> {
  return await (size <= smallFileBytesMax ? buffers.forSmallPush(size) : buffers.clientPair(size));
}

/** A push with the buffers that it streams through. */
interface PushAttempt extends PushRequest {
  readonly buffers: readonly [Uint8Array, Uint8Array];
}

/** @param source the bytes themselves, or where they come from. */
async function attemptPush(
  context: NodeContext,
  source: Uint8Array | Body,
  { name, size, buffers, ...terms }: PushAttempt,
): Promise<StoredFile> {
  const continuity = new Continuity(context, name, terms.condition);
  // It will be before the commit; here it spares the client the way of its bytes, if they are yet to come.
  if (!(source instanceof Uint8Array)) await requireTakers(context, continuity.seenVersion);
  const { ticket, route } = issueTicket(context, size);
  const sums = new PartSums(partLengths(size, ticket.parts));
  context.pushes.add(ticket.pushId);
  try {
    await context.testHooks?.reach("ticket-issued");
    if (source instanceof Uint8Array && route === "direct") {
      // Others have work while this node makes its sums.
      const staged = stageSmall(context, { ticket, name, bytes: source });
      const summed = messagesSent().then(() => sums.updateAll(source));
      await Promise.all([staged, summed]);
      await context.testHooks?.reach("streaming");
    } else {
      await streamParts(context, source instanceof Uint8Array ? new MemoryBody(source) : source, {
        ticket,
        route,
        name,
        size,
        position: 0,
        buffers,
        onBytes: (part, bytes) => sums.update(part, bytes),
      });
    }
    await context.testHooks?.reach("staged");
    const sha256 = sums.sha256();
    if (terms.sha256 !== undefined && terms.sha256 !== sha256) {
      throw new Error(digestMismatch(terms.sha256, sha256));
    }
    const draft: RecordDraft<StoredFile> = {
      kind: "file",
      name,
      pushId: ticket.pushId,
      size,
      sha256,
      start: context.self,
      timeMs: context.clock.wallMs(),
      foreign: false,
      placement: sums.placement(ticket),
    };
    const record = await commitRecord(context, draft, continuity);
    context.originals.stored(record);
    return record;
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError)) abortEverywhere(context, ticket);
    throw error;
  } finally {
    context.pushes.delete(ticket.pushId);
  }
}

/** Chooses where the parts of a new push go, and which way. */
function issueTicket(context: NodeContext, size: number): { ticket: PushTicket; route: Route } {
  const { placement, route } = planPush(context, size);
  const { incarnation, self: coordinator } = context;
  return { ticket: { pushId: context.newPushId(), coordinator, incarnation, ...placement }, route };
}

/**
 * Tells every node of a failed push to drop what it staged. Nothing depends on the message: a node
 * that misses it asks the coordinator later.
 */
function abortEverywhere(context: NodeContext, ticket: PushTicket): void {
  for (const node of ticket.nodes) {
    if (node === context.self) continue;
    context.background(`abort of ${ticket.pushId} at ${node}`, async () => {
      await context.peers.request(node, { kind: "file-abort", pushId: ticket.pushId }, {
        deadlineMs: abortDeadlineMs,
        idempotent: true,
      });
    });
  }
  context.background(`abort of ${ticket.pushId}`, () => context.chunks.abort(ticket.pushId));
}

/** How long a node may take to answer an abort, in ms. */
const abortDeadlineMs = 5_000;

/** The checksums of a file and of its parts, taken from the bytes as they pass. */
class PartSums {
  readonly #file = createHash("sha256");
  readonly #parts: readonly { readonly length: number; readonly blocks: BlockChecksums }[];

  constructor(lengths: readonly number[]) {
    this.#parts = lengths.map((length) => ({ length, blocks: new BlockChecksums() }));
  }

  update(part: number, bytes: Uint8Array): void {
    this.#file.update(bytes);
    this.#parts[part]?.blocks.update(bytes);
  }

  sha256(): string {
    return this.#file.digest("hex");
  }

  /** Takes all of a file at once. */
  updateAll(bytes: Uint8Array): void {
    this.#file.update(bytes);
    let at = 0;
    for (const { length, blocks } of this.#parts) {
      blocks.update(bytes.subarray(at, at + length));
      at += length;
    }
  }

  placement(ticket: PushTicket): PartPlacement[] {
    return this.#parts.map(({ length, blocks }, part) => ({
      nodes: partHolders(ticket, part),
      length,
      checksums: blocks.finish(),
    }));
  }
}
