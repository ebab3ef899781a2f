import { partLengths } from "../protocol/names.ts";
import type { PushTicket } from "../protocol/record.ts";
import { keptCopies } from "../ring/placement.ts";
import type { StagingWriter } from "../store/staging_writer.ts";
import type { Body } from "./body.ts";
import type { NodeContext } from "./context.ts";
import { DirectCopies } from "./direct_copies.ts";
import { pump, type Sink } from "./pump.ts";
import { RelayCopies } from "./relay_copies.ts";
import { stagedChunk } from "./staged_chunk.ts";
import { TaskGroup } from "./task_group.ts";

/** Which way the copies of a push go that this node does not keep. */
export type Route = "direct" | "relay";

/** One push as a node of its placement sees it. */
export interface PartStreamOptions {
  readonly ticket: PushTicket;
  readonly route: Route;
  /** The file's name, normalized. */
  readonly name: string;
  /** The file's size in bytes. */
  readonly size: number;
  /** This node's position in the placement; the body holds the parts from this one to the last. */
  readonly position: number;
  readonly buffers: readonly [Uint8Array, Uint8Array];
  /** Sees the bytes of each part in order. */
  readonly onBytes?: (part: number, bytes: Uint8Array) => void;
}

/** The copies that a node sends to others while parts pass, whichever {@linkcode Route} they take. */
export interface RemoteCopies {
  /** Reaches every node that this one sends to, before a byte of the body is read. */
  open(): Promise<void>;
  /** Where the bytes of a part go that passes next. */
  begin(part: number): Promise<readonly Sink[]>;
  /** A part has passed: starts to wait for the answers to what is complete. */
  finish(part: number): void;
  /** Resolves when every copy is confirmed. */
  settled(): Promise<void>;
  /** Ends the connections; what was half sent must not be mistaken for more. */
  cut(): void;
}

/**
 * Takes the parts from `position` to the last off a body and brings them where the ticket says.
 *
 * 1. This node's own part goes to staging, and the parts that it backs up are kept from the bytes that
 *    pass by. The rest goes on while it comes in, never gathered first: round the ring
 *    ({@linkcode RelayCopies}), or from the coordinator to each holder ({@linkcode DirectCopies}).
 * 2. It returns when every copy from here on is staged and, unless durability is relaxed, synced:
 *    a node answers only after the nodes behind it have.
 * 3. When it throws, no half-written copy is left; a complete one stays staged until the coordinator
 *    says that the push is aborted.
 */
export async function streamParts(
  context: NodeContext,
  body: Body,
  options: PartStreamOptions,
): Promise<void> {
  const { ticket, size, position, buffers } = options;
  const lengths = partLengths(size, ticket.parts);
  const local = new LocalCopies(context, options, lengths);
  const remote: RemoteCopies = options.route === "direct"
    ? new DirectCopies(context, options, lengths)
    : new RelayCopies(context, options, lengths);
  using room = context.admission.reserve(local.bytes);
  try {
    await remote.open();
    for (let part = position; part < lengths.length; part++) {
      const sinks: Sink[] = [...await remote.begin(part)];
      const copy = await local.open(part);
      if (copy !== undefined) sinks.push(copy);
      await pump(body, lengths[part] ?? 0, {
        sinks,
        buffers,
        clock: context.clock,
        ...(options.onBytes && { onBytes: (bytes) => options.onBytes?.(part, bytes) }),
      });
      local.finish(part);
      remote.finish(part);
      room.written(copy?.written ?? 0);
      if (part === position) await context.testHooks?.reach("streaming");
    }
    await Promise.all([local.settled(), remote.settled()]);
  } catch (error) {
    remote.cut();
    await local.abandon();
    throw error;
  }
}

/** The copies that this node itself keeps of the parts that pass. */
class LocalCopies {
  readonly #context: NodeContext;
  readonly #options: PartStreamOptions;
  readonly #lengths: readonly number[];
  /** Which copy of a part is this node's, by part. */
  readonly #kept: ReadonlyMap<number, number>;
  readonly #writers = new Map<number, StagingWriter>();
  readonly #finishing = new TaskGroup();

  constructor(context: NodeContext, options: PartStreamOptions, lengths: readonly number[]) {
    const { ticket, position } = options;
    this.#context = context;
    this.#options = options;
    this.#lengths = lengths;
    this.#kept = new Map(
      keptCopies(ticket, position)
        .filter(({ part }) => part >= position)
        .map(({ part, copy }) => [part, copy]),
    );
  }

  /** Bytes of all copies that this node keeps. */
  get bytes(): number {
    let bytes = 0;
    for (const part of this.#kept.keys()) bytes += this.#lengths[part] ?? 0;
    return bytes;
  }

  /** Opens the copy of a part, or gives nothing when this node keeps none of it. */
  async open(part: number): Promise<StagingWriter | undefined> {
    const copy = this.#kept.get(part);
    if (copy === undefined) return undefined;
    const length = this.#lengths[part] ?? 0;
    const chunk = stagedChunk(this.#options, { part, copy, length });
    const writer = await this.#context.chunks.stage(chunk);
    this.#writers.set(part, writer);
    return writer;
  }

  /** Starts to make a finished copy durable, while later parts still pass. */
  finish(part: number): void {
    const writer = this.#writers.get(part);
    if (writer !== undefined) this.#finishing.add(writer.finish());
  }

  settled(): Promise<void> {
    return this.#finishing.all();
  }

  async abandon(): Promise<void> {
    await this.#finishing.all().catch(() => {
      // The failure that led here is already on its way to the caller.
    });
    for (const writer of this.#writers.values()) await writer.abandon();
  }
}
