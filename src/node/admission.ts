import { notEnoughDiskSpace, tooMuchStaged } from "../protocol/errors.ts";
import type { NodeContext } from "./context.ts";
import { type Turn, TurnQueue } from "./turn_queue.ts";

/**
 * Pushes of clients that a node coordinates at once. More would finish no sooner, as they share the
 * disk; the buffers of so many leave some for pulls.
 */
const pushesMax = 16;

/**
 * Pushes beside them, let in as long as others wait for clients that send nothing or next to it. Each
 * takes some KiB, and a connection to two nodes if it is a large one.
 */
const pushesLentMax = 112;

/** Pushes that may wait for their turn: about what 1,024 connections can bring in earnest. */
const pushesWaitingMax = 512;

/** How long a push waits for its turn, in ms: as long as a client waits for progress. */
const pushWaitMs = 30_000;

/** What is left of a disk for the catalog, in bytes: a full one must still take deletes. */
const diskReserveBytes = 4 * 1024 * 1024;

/**
 * The part of the disk, out of what is free or so taken, that staged copies may take while their
 * coordinators are away: nobody can tell yet whether they are needed.
 */
const absentShareMax = 0.25;

/** How old the look at the disk may be that a push is admitted by, in ms. */
const lookAgeMs = 1_000;

/** Room on the disk for what is about to be stored. */
export interface Reservation extends Disposable {
  /** So many bytes of it have been written. */
  written(bytes: number): void;
}

/** What the disk was like. */
interface DiskLook {
  readonly atMs: number;
  /** Bytes; `undefined` where the system does not tell. */
  readonly freeBytes: number | undefined;
  /** Staged bytes of pushes whose coordinators are away. */
  readonly absentBytes: number;
}

/** Decides whether a node takes on more: pushes at once, and bytes on its disk. */
export class Admission {
  readonly #context: NodeContext;
  readonly #turns: TurnQueue;
  readonly #reservations = new Set<{ bytes: number }>();
  #look: DiskLook | undefined;
  /** Bytes promised that the last look at the disk does not show. */
  #promisedBytes = 0;

  constructor(context: NodeContext) {
    this.#context = context;
    this.#turns = new TurnQueue(context.clock, {
      turnsMax: pushesMax,
      lentMax: pushesLentMax,
      waitersMax: pushesWaitingMax,
      waitMs: pushWaitMs,
    });
  }

  /**
   * Waits until a client's push may begin; it ends when the result is disposed of.
   *
   * @throws {BusyError} when its turn does not come in time.
   */
  pushTurn(): Promise<Turn> {
    return this.#turns.take();
  }

  /**
   * Sets room aside on this node's disk. It is a promise among the pushes of this node only: a disk
   * that others fill meanwhile fails the write.
   *
   * @throws {Error} `Not enough disk space (<needed> > <free>)`, or when too much is staged for
   * coordinators that are away.
   */
  reserve(bytes: number): Reservation {
    const { freeBytes, absentBytes } = this.#lookAtDisk();
    if (freeBytes !== undefined && bytes > 0) {
      const limit = Math.floor((freeBytes + absentBytes) * absentShareMax);
      if (absentBytes > limit) throw new Error(tooMuchStaged(absentBytes, limit));
      const room = Math.max(0, freeBytes - diskReserveBytes - this.#promisedBytes);
      if (bytes > room) throw new Error(notEnoughDiskSpace(bytes, room));
    }
    const reservation = { bytes };
    this.#reservations.add(reservation);
    this.#promisedBytes += bytes;
    return {
      written: (count) => {
        reservation.bytes -= count;
      },
      [Symbol.dispose]: () => {
        this.#reservations.delete(reservation);
      },
    };
  }

  /** Looks at the disk, at most once in {@linkcode lookAgeMs}. */
  #lookAtDisk(): DiskLook {
    const { chunks, clock } = this.#context;
    const nowMs = clock.nowMs();
    if (this.#look !== undefined && nowMs - this.#look.atMs < lookAgeMs) return this.#look;
    this.#promisedBytes = 0;
    for (const { bytes } of this.#reservations) this.#promisedBytes += bytes;
    this.#look = { atMs: nowMs, freeBytes: chunks.freeBytes(), absentBytes: this.#absentBytes() };
    return this.#look;
  }

  #absentBytes(): number {
    const { chunks, ring, self } = this.#context;
    let sum = 0;
    for (const { coordinator, bytes } of chunks.stagedPushes()) {
      const isThere = coordinator === self ||
        coordinator !== undefined && ring.statusOf(coordinator) === "Alive";
      if (!isThere) sum += bytes;
    }
    return sum;
  }
}
