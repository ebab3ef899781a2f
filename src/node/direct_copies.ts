import type { NodeContext } from "./context.ts";
import type { PartStreamOptions, RemoteCopies } from "./part_stream.ts";
import { openPeerSink, type PeerSink, reachPeer } from "./peer_sink.ts";
import type { Sink } from "./pump.ts";
import { nextStage, type Stage, stageCommand } from "./stage_chain.ts";
import { TaskGroup } from "./task_group.ts";

/**
 * The copies of a push that goes straight from its coordinator to the holders: each part is sent to its
 * holder alone, which passes it on to its backup holder while it stores it (`FILE STAGE`). Every byte
 * travels as often as it has copies, however large the ring is.
 */
export class DirectCopies implements RemoteCopies {
  readonly #context: NodeContext;
  readonly #options: PartStreamOptions;
  readonly #lengths: readonly number[];
  readonly #answers = new TaskGroup();
  readonly #sinks = new Map<number, PeerSink>();

  /** Only the coordinator sends parts. */
  constructor(context: NodeContext, options: PartStreamOptions, lengths: readonly number[]) {
    this.#context = context;
    this.#options = options;
    this.#lengths = lengths;
  }

  /**
   * Looks whether the first node of every chain is there. The commands are sent as the parts come: a
   * node would not wait through all parts of a long push before its own.
   */
  async open(): Promise<void> {
    const reaching = new TaskGroup();
    for (const part of this.#lengths.keys()) {
      const stage = this.#firstStage(part);
      if (stage !== undefined) reaching.add(reachPeer(this.#context, stage.node));
    }
    await reaching.all();
  }

  async begin(part: number): Promise<readonly Sink[]> {
    const { ticket, name } = this.#options;
    const stage = this.#firstStage(part);
    if (stage === undefined) return [];
    const length = this.#lengths[part] ?? 0;
    const command = stageCommand(ticket, { name, part, copy: stage.copy, length });
    const sink = await openPeerSink(this.#context, stage.node, { command });
    this.#sinks.set(part, sink);
    return [sink];
  }

  finish(part: number): void {
    const sink = this.#sinks.get(part);
    if (sink !== undefined) this.#answers.add(sink.acknowledged());
  }

  settled(): Promise<void> {
    return this.#answers.all();
  }

  cut(): void {
    for (const sink of this.#sinks.values()) sink.cut();
  }

  /** Where the coordinator sends a part: to the first that keeps a copy and is not itself. */
  #firstStage(part: number): Stage | undefined {
    return nextStage(this.#context, this.#options.ticket, { part, copy: -1 });
  }
}
