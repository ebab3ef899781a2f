import type { NodeAddress } from "../protocol/address.ts";
import { partLengths } from "../protocol/names.ts";
import type { PushTicket } from "../protocol/record.ts";
import { formatTicket } from "../protocol/ticket.ts";
import type { StagingWriter } from "../store/staging_writer.ts";
import type { Body } from "./body.ts";
import type { NodeContext } from "./context.ts";
import { openPeerSink, type PeerSink } from "./peer_sink.ts";
import { pump, type Sink } from "./pump.ts";
import { TaskGroup } from "./task_group.ts";

/** One push as a node of its placement sees it. */
export interface PartStreamOptions {
  readonly ticket: PushTicket;
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

/**
 * Takes the parts from `position` to the last off a body and brings them where the ticket says.
 *
 * 1. This node's own part goes to staging; the parts that it backs up are kept from the bytes that
 *    pass by; everything behind its own part goes on to the next node while it comes in.
 * 2. The backups of the first parts belong to predecessors of the coordinator, which the stream
 *    does not pass after those parts: the coordinator sends them on connections of their own.
 * 3. It returns when every copy from here on is staged and, unless durability is relaxed, synced:
 *    a node answers only after the nodes behind it have.
 * 4. When it throws, no half-written copy is left; a complete one stays staged until the coordinator
 *    says that the push is aborted.
 */
export async function streamParts(
  context: NodeContext,
  body: Body,
  options: PartStreamOptions,
): Promise<void> {
  const { ticket, size, position, buffers } = options;
  const lengths = partLengths(size, ticket.nodes.length);
  const local = new LocalCopies(context, options, lengths);
  const remote = new RemoteCopies(context, options, lengths);
  using room = context.admission.reserve(local.bytes);
  try {
    await remote.open();
    for (let part = position; part < lengths.length; part++) {
      const sinks: Sink[] = [...remote.sinksOf(part)];
      const copy = await local.open(part);
      if (copy !== undefined) sinks.push(copy);
      await pump(body, lengths[part] ?? 0, {
        sinks,
        buffers,
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
  readonly #writers = new Map<number, StagingWriter>();
  readonly #finishing = new TaskGroup();

  constructor(context: NodeContext, options: PartStreamOptions, lengths: readonly number[]) {
    this.#context = context;
    this.#options = options;
    this.#lengths = lengths;
  }

  /** Bytes of all copies that this node keeps. */
  get bytes(): number {
    const { ticket, position } = this.#options;
    const kept = this.#lengths.slice(position, position + ticket.copies);
    return kept.reduce((sum, length) => sum + length, 0);
  }

  /** Opens the copy of a part, or gives nothing when this node keeps none of it. */
  async open(part: number): Promise<StagingWriter | undefined> {
    const { ticket, name, position } = this.#options;
    const copy = part - position;
    if (copy >= ticket.copies) return undefined;
    const writer = await this.#context.chunks.stage({
      pushId: ticket.pushId,
      name,
      parts: ticket.nodes.length,
      part,
      copy,
      length: this.#lengths[part] ?? 0,
      coordinator: ticket.coordinator,
      incarnation: ticket.incarnation,
    });
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

/** The copies that go to other nodes: the relay, and the first parts' backups. */
class RemoteCopies {
  readonly #context: NodeContext;
  readonly #options: PartStreamOptions;
  readonly #lengths: readonly number[];
  readonly #answers = new TaskGroup();
  readonly #backups: { part: number; sink: PeerSink }[] = [];
  #relay: PeerSink | undefined;

  constructor(context: NodeContext, options: PartStreamOptions, lengths: readonly number[]) {
    this.#context = context;
    this.#options = options;
    this.#lengths = lengths;
  }

  /** Reaches every node that this one sends to before a byte of the body is read. */
  async open(): Promise<void> {
    const { ticket, position } = this.#options;
    const opening = new TaskGroup();
    if (position + 1 < ticket.nodes.length) opening.add(this.#openRelay(position + 1));
    if (position === 0) {
      for (let part = 0; part < ticket.copies - 1; part++) {
        for (let copy = part + 1; copy < ticket.copies; copy++) {
          opening.add(this.#openBackup(part, copy));
        }
      }
    }
    await opening.all();
  }

  /** The sinks of one part on other nodes. */
  *sinksOf(part: number): Iterable<Sink> {
    if (this.#relay !== undefined && part > this.#options.position) yield this.#relay;
    for (const backup of this.#backups) if (backup.part === part) yield backup.sink;
  }

  /** Starts to wait for the answers to what is complete after this part. */
  finish(part: number): void {
    for (const backup of this.#backups) {
      if (backup.part === part) this.#answers.add(backup.sink.acknowledged());
    }
    if (part === this.#lengths.length - 1 && this.#relay !== undefined) {
      this.#answers.add(this.#relay.acknowledged());
    }
  }

  settled(): Promise<void> {
    return this.#answers.all();
  }

  /** Ends the connections; what was half sent must not be mistaken for more. */
  cut(): void {
    this.#relay?.cut();
    for (const { sink } of this.#backups) sink.cut();
  }

  async #openRelay(index: number): Promise<void> {
    const { ticket, name, size } = this.#options;
    this.#relay = await openPeerSink(this.#context, this.#node(index), {
      kind: "file-relay-stream",
      token: formatTicket(ticket),
      start: ticket.coordinator,
      fileBytes: size,
      parts: ticket.nodes.length,
      index,
      name,
      bodyBytes: this.#lengths.slice(index).reduce((sum, length) => sum + length, 0),
    });
  }

  async #openBackup(part: number, copy: number): Promise<void> {
    const { ticket, name } = this.#options;
    const count = ticket.nodes.length;
    const holder = this.#node((part - copy + count) % count);
    // An original keeps its backups its own way, after `FILE NOTIFY-CHUNK-SAVED`.
    if (this.#context.ring.programOf(holder) === "original") return;
    const sink = await openPeerSink(this.#context, holder, {
      kind: "file-stage",
      token: formatTicket(ticket),
      part,
      copy,
      bodyBytes: this.#lengths[part] ?? 0,
      name,
    });
    this.#backups.push({ part, sink });
  }

  #node(position: number): NodeAddress {
    const node = this.#options.ticket.nodes[position];
    if (node === undefined) throw new RangeError(`No node at position ${position}`);
    return node;
  }
}
