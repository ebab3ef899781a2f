import type { NodeAddress } from "../protocol/address.ts";
import type { StoredFile } from "../protocol/record.ts";
import { PeerUnreachable } from "../net/peer_errors.ts";
import type { Body } from "./body.ts";
import type { PartRange } from "./byte_range.ts";
import type { NodeContext } from "./context.ts";
import { type OpenPart, openPart, PartUnavailableError } from "./part_source.ts";

/** How often a part may change to another copy while it is being read. */
const switchesMax = 8;

/** How long a node whose copy failed may take to show that it is there, in ms. */
const goneMs = 2_000;

/**
 * How long the next bytes of a copy may take before another one is opened as well, in ms. Sooner opens more
 * copies in vain on a busy machine; later lets a client wait for a node that hangs.
 */
const slowMs = 500;

/**
 * Some bytes of one part, from one copy and, when that fails, from where it failed on from another.
 *
 * A copy whose next bytes are long in coming is raced by another one, once a part: if that is open before
 * they have come, reading goes on there. Once, as two slow ones would else take turns for ever.
 */
export class PartBody implements Body, Disposable {
  readonly #context: NodeContext;
  readonly #record: StoredFile;
  readonly #part: number;
  readonly #end: number;
  #open: OpenPart | undefined;
  #offset: number;
  #switches = 0;
  /** Since when a read is under way, on the machine's clock; `undefined` while none is. */
  #readingMs: number | undefined;
  #hasRaced = false;
  /** The copy that won the race, and where it begins. */
  #faster: { readonly open: OpenPart; readonly offset: number } | undefined;
  #isDisposed = false;

  constructor(
    context: NodeContext,
    { record, part, range }: { record: StoredFile; part: number; range: PartRange },
    open: OpenPart | undefined,
  ) {
    this.#context = context;
    this.#record = record;
    this.#part = part;
    this.#offset = range.begin;
    this.#end = range.end;
    this.#open = open;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  async read(buffer: Uint8Array): Promise<number> {
    // A copy goes on to the end of the part.
    const room = buffer.length > this.remaining ? buffer.subarray(0, this.remaining) : buffer;
    for (;;) {
      const open = this.#open ?? await this.#reopen(undefined);
      this.#open = open;
      this.#readingMs = this.#context.clock.nowMs();
      try {
        const count = await open.read(this.#offset, room);
        this.#offset += count;
        return count;
      } catch (error) {
        this.#open = undefined;
        open[Symbol.dispose]();
        this.#open = this.#takeFaster() ?? await this.#replace(open, error);
      } finally {
        this.#readingMs = undefined;
      }
    }
  }

  /** Looks whether the read that is under way is slow; to be called now and then. */
  look(): void {
    const { clock, self } = this.#context;
    const open = this.#open;
    if (this.#hasRaced || open === undefined || open.node === self) return;
    if (this.#readingMs === undefined || clock.nowMs() - this.#readingMs < slowMs) return;
    this.#hasRaced = true;
    this.#context.background("race a slow copy", () => this.#race(open));
  }

  async #race(slow: OpenPart): Promise<void> {
    const offset = this.#offset;
    let other: OpenPart;
    try {
      other = await this.#reopen(slow);
    } catch (error) {
      // The slow one is the only one, then.
      if (error instanceof PartUnavailableError) return;
      throw error;
    }
    const isLate = this.#isDisposed || this.#open !== slow || this.#offset !== offset;
    if (isLate || other.node === slow.node) return other[Symbol.dispose]();
    this.#faster = { open: other, offset };
    // That ends its read, which then goes on at the other one.
    slow[Symbol.dispose]();
  }

  /** The winner of a race, which is no failure of the one that lost. */
  #takeFaster(): OpenPart | undefined {
    const faster = this.#faster;
    this.#faster = undefined;
    if (faster === undefined) return undefined;
    const { offset, open } = faster;
    if (offset !== this.#offset) {
      // The bytes came after all, in the moment of the end.
      open[Symbol.dispose]();
      return undefined;
    }
    const { log } = this.#context;
    log.info("slow copy left", { name: this.#record.name, part: this.#part + 1, to: open.node });
    return open;
  }

  /** Another copy for one that has failed. */
  async #replace(failed: OpenPart, error: unknown): Promise<OpenPart> {
    if (++this.#switches > switchesMax) throw error;
    this.#context.log.warn("copy failed while being read", {
      name: this.#record.name,
      part: this.#part + 1,
      node: failed.node,
      reason: error instanceof Error ? error.message : String(error),
    });
    this.#context.background("look after a copy", () => tellIfGone(this.#context, failed.node));
    return await this.#reopen(failed);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#open?.[Symbol.dispose]();
    this.#faster?.open[Symbol.dispose]();
  }

  #reopen(failed: OpenPart | undefined): Promise<OpenPart> {
    return openPart(this.#context, {
      record: this.#record,
      part: this.#part,
      offset: this.#offset,
      end: this.#end,
      ...(failed && { avoid: failed.node }),
    });
  }
}

/**
 * Marks a node Dead if it refuses or breaks a connection of its own; one that found damage has ended
 * only that of the transfer. A process that is being killed may still seem to accept one.
 */
async function tellIfGone(context: NodeContext, node: NodeAddress): Promise<void> {
  if (node === context.self) return;
  try {
    using peer = await context.peers.borrow(node, { timeoutMs: goneMs, fresh: true });
    await peer.request({ kind: "node-ping" }, { deadlineMs: goneMs });
    peer.release();
  } catch (error) {
    if (!(error instanceof PeerUnreachable)) throw error;
    if (error.kind !== "refused" && error.kind !== "broken") return;
    await context.ring.markDead(node, error.message);
  }
}
