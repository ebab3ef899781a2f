import type { NodeAddress } from "../protocol/address.ts";
import type { PartPlacement, StoredFile } from "../protocol/record.ts";
import { PeerUnreachable } from "../net/peer_errors.ts";
import { askPeer } from "./ask_peer.ts";
import type { NodeContext } from "./context.ts";
import { LocalPart } from "./local_part.ts";
import { OriginalPart } from "./original_part.ts";
import { PeerPart } from "./peer_part.ts";

/** One copy of one part, open and ready to be read from any offset. */
export interface OpenPart extends Disposable {
  /** The node that has it. */
  readonly node: NodeAddress;
  /**
   * Reads bytes at `offset`, at least one; calls go forward from where the first began. Every byte
   * has been checked against its checksum.
   */
  read(offset: number, buffer: Uint8Array): Promise<number>;
  /** Asks for the first bytes, so that they are on their way when their turn comes. */
  prefetch(offset: number): void;
  /** Shows the holder that somebody still waits for this copy. */
  keepAlive(): void;
}

/** Which copy of which part is wanted. */
export interface PartWish {
  readonly record: StoredFile;
  /** Counted from 0. */
  readonly part: number;
  /** Where reading will begin. */
  readonly offset: number;
  /** Where it will end; by default at the end of the part. */
  readonly end?: number;
  /** A copy that has just failed and is asked last. */
  readonly avoid?: NodeAddress;
  readonly signal?: AbortSignal;
}

/** How long one copy may take to open before the other one is tried as well, in ms. */
const openHedgeMs = 1_000;

/** How long a copy may take to open at all, in ms. */
const openDeadlineMs = 5_000;

/** How long all copies of a part may be away before a pull gives up, in ms: time to heal. */
const partAwayMs = 5_000;

/** Pause between two rounds of trying the copies, in ms. */
const partRetryMs = 200;

/** Thrown when no copy of a part can be had. */
export class PartUnavailableError extends Error {
  override readonly name = "PartUnavailableError";
}

/**
 * Opens a part on whichever copy answers: this node's own, else the holder, else a backup holder;
 * a copy that takes longer than a second is raced by the next one. A holder that refuses or breaks
 * the connection is marked Dead. While every copy is away, it tries again for a few seconds.
 *
 * @throws {PartUnavailableError} when there is none.
 */
export async function openPart(context: NodeContext, wish: PartWish): Promise<OpenPart> {
  const placement = placementOf(wish);
  const giveUpMs = context.clock.nowMs() + partAwayMs;
  let failures: string[] = [];
  do {
    wish.signal?.throwIfAborted();
    const race = new CopyRace(context, wish, orderCopies(context, placement, wish.avoid));
    const winner = await race.run();
    if (winner !== undefined) return winner;
    failures = race.failures;
    if (failures.length > 0 && race.final) break;
    await context.clock.sleep(partRetryMs, wish.signal);
  } while (context.clock.nowMs() < giveUpMs);
  const { record, part } = wish;
  throw new PartUnavailableError(
    `part ${part + 1} of ${record.placement.length} of '${record.name}' is not available: ` +
      failures.join("; "),
  );
}

function placementOf({ record, part }: PartWish): PartPlacement {
  const placement = record.placement[part];
  if (placement === undefined) throw new RangeError(`'${record.name}' has no part ${part}`);
  return placement;
}

/** This node first, then the Alive copies, then the Dead ones, and last the one that just failed. */
function orderCopies(
  context: NodeContext,
  placement: PartPlacement,
  avoid: NodeAddress | undefined,
): { node: NodeAddress; copy: number }[] {
  const alive = new Set(context.ring.aliveMembers());
  const rank = (node: NodeAddress) => {
    if (node === avoid) return 3;
    if (node === context.self) return 0;
    return alive.has(node) ? 1 : 2;
  };
  return placement.nodes
    .map((node, copy) => ({ node, copy }))
    .sort((a, b) => rank(a.node) - rank(b.node) || a.copy - b.copy);
}

/** Opens copies one after another, each when the one before failed or took too long. */
class CopyRace {
  readonly failures: string[] = [];
  readonly #context: NodeContext;
  readonly #wish: PartWish;
  readonly #copies: readonly { node: NodeAddress; copy: number }[];
  #won = false;
  #lackingCopies = 0;

  constructor(
    context: NodeContext,
    wish: PartWish,
    copies: readonly { node: NodeAddress; copy: number }[],
  ) {
    this.#context = context;
    this.#wish = wish;
    this.#copies = copies;
  }

  /** True when every copy's node answered that it has none: waiting would not bring one back. */
  get final(): boolean {
    return this.#lackingCopies === this.#copies.length;
  }

  async run(): Promise<OpenPart | undefined> {
    const running = new Set<Promise<OpenPart | undefined>>();
    for (const copy of this.#copies) {
      const attempt: Promise<OpenPart | undefined> = this.#attempt(copy).finally(() =>
        running.delete(attempt)
      );
      running.add(attempt);
      const slow = Promise.withResolvers<void>();
      using _hedge = this.#context.clock.every(openHedgeMs, slow.resolve);
      const first = await firstOpen(running, slow.promise);
      if (first !== undefined) {
        this.#won = true;
        return first;
      }
    }
    while (running.size > 0) {
      const last = await firstOpen(running);
      if (last !== undefined) {
        this.#won = true;
        return last;
      }
    }
    return undefined;
  }

  /** Opens one copy; gives nothing when it failed, and closes it when another one was faster. */
  async #attempt(copy: { node: NodeAddress; copy: number }): Promise<OpenPart | undefined> {
    try {
      const opened = await openCopy(this.#context, this.#wish, copy);
      if (!this.#won) return opened;
      opened[Symbol.dispose]();
    } catch (error) {
      if (error instanceof PeerUnreachable) {
        if (error.kind === "refused" || error.kind === "broken") {
          await this.#context.ring.markDead(copy.node, error.message);
        }
      } else {
        this.#lackingCopies++;
      }
      const reason = error instanceof Error ? error.message : String(error);
      this.failures.push(reason.includes(copy.node) ? reason : `${copy.node}: ${reason}`);
    }
    return undefined;
  }
}

/** The first attempt that succeeds; nothing when all running ones failed or `limit` came first. */
async function firstOpen(
  running: ReadonlySet<Promise<OpenPart | undefined>>,
  limit?: Promise<void>,
): Promise<OpenPart | undefined> {
  const late = Symbol("late");
  while (running.size > 0) {
    const race: Promise<OpenPart | undefined | typeof late>[] = [...running];
    if (limit !== undefined) race.push(limit.then(() => late));
    const result = await Promise.race(race);
    if (result === late) return undefined;
    if (result !== undefined) return result as OpenPart;
  }
  return undefined;
}

async function openCopy(
  context: NodeContext,
  wish: PartWish,
  { node, copy }: { node: NodeAddress; copy: number },
): Promise<OpenPart> {
  const { record, part, offset, end } = wish;
  if (node === context.self) return await LocalPart.open(context, record, part);
  const range = { offset, ...(end !== undefined && { end }) };
  const options = { record, part, copy, ...range, deadlineMs: openDeadlineMs };
  return await askPeer<OpenPart>(
    context,
    node,
    (peer, program) =>
      program === "original" || record.foreign
        ? OriginalPart.open(peer, options)
        : PeerPart.open(peer, options),
  );
}
