import type { NodeAddress } from "../protocol/address.ts";
import { formatTicket } from "../protocol/ticket.ts";
import type { NodeContext } from "./context.ts";
import type { PartStreamOptions, RemoteCopies } from "./part_stream.ts";
import { openPeerSink, type PeerSink } from "./peer_sink.ts";
import type { Sink } from "./pump.ts";
import { nextStage, stageCommand } from "./stage_chain.ts";
import { TaskGroup } from "./task_group.ts";

/**
 * The copies of a push that goes round the ring: everything behind a node's own part goes on to the
 * next node, which keeps the backups from the bytes that pass by.
 *
 * The backups of the first parts belong to predecessors of the coordinator, which the stream does not
 * pass after those parts: the coordinator sends them on chains of their own, as with direct placement.
 */
export class RelayCopies implements RemoteCopies {
  readonly #context: NodeContext;
  readonly #options: PartStreamOptions;
  readonly #lengths: readonly number[];
  readonly #answers = new TaskGroup();
  readonly #backups = new Map<number, PeerSink>();
  #relay: PeerSink | undefined;

  constructor(context: NodeContext, options: PartStreamOptions, lengths: readonly number[]) {
    this.#context = context;
    this.#options = options;
    this.#lengths = lengths;
  }

  async open(): Promise<void> {
    const { ticket, position } = this.#options;
    const opening = new TaskGroup();
    if (position + 1 < ticket.parts) opening.add(this.#openRelay(position + 1));
    if (position === 0) {
      const firstParts = Math.min(ticket.copies - 1, ticket.parts);
      for (let part = 0; part < firstParts; part++) opening.add(this.#openBackups(part));
    }
    await opening.all();
  }

  begin(part: number): Promise<readonly Sink[]> {
    const sinks: Sink[] = [];
    if (this.#relay !== undefined && part > this.#options.position) sinks.push(this.#relay);
    const backups = this.#backups.get(part);
    if (backups !== undefined) sinks.push(backups);
    return Promise.resolve(sinks);
  }

  finish(part: number): void {
    const backups = this.#backups.get(part);
    if (backups !== undefined) this.#answers.add(backups.acknowledged());
    if (part === this.#lengths.length - 1 && this.#relay !== undefined) {
      this.#answers.add(this.#relay.acknowledged());
    }
  }

  settled(): Promise<void> {
    return this.#answers.all();
  }

  cut(): void {
    this.#relay?.cut();
    for (const sink of this.#backups.values()) sink.cut();
  }

  async #openRelay(index: number): Promise<void> {
    const { ticket, name, size } = this.#options;
    this.#relay = await openPeerSink(this.#context, this.#node(index), {
      command: {
        kind: "file-relay-stream",
        token: formatTicket(ticket),
        start: ticket.coordinator,
        fileBytes: size,
        parts: ticket.parts,
        index,
        name,
        bodyBytes: this.#lengths.slice(index).reduce((sum, length) => sum + length, 0),
      },
    });
  }

  /** Opens the chain of the copies of a part that the relay does not bring. */
  async #openBackups(part: number): Promise<void> {
    const { ticket, name } = this.#options;
    // The holder of part 0 is the coordinator itself; those between it and a later part's holder keep
    // theirs from the relay.
    const stage = nextStage(this.#context, ticket, { part, copy: part });
    if (stage === undefined) return;
    const length = this.#lengths[part] ?? 0;
    const command = stageCommand(ticket, { name, part, copy: stage.copy, length });
    this.#backups.set(part, await openPeerSink(this.#context, stage.node, { command }));
  }

  #node(position: number): NodeAddress {
    const node = this.#options.ticket.nodes[position];
    if (node === undefined) throw new RangeError(`No node at position ${position}`);
    return node;
  }
}
