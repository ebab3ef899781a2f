import type { Clock } from "../runtime/clock.ts";
import type { Body } from "./body.ts";

/** Where pumped bytes go: a staged copy, a connection to another node. */
export interface Sink {
  /** Takes all of `bytes`; the buffer is the caller's again when the promise settles. */
  write(bytes: Uint8Array): Promise<void>;
}

/** How {@linkcode pump} moves bytes. */
export interface PumpOptions {
  /** Every sink gets every byte, and the slowest sets the pace. */
  readonly sinks: readonly Sink[];
  /** Two buffers: reading the next overlaps writing the last. */
  readonly buffers: readonly [Uint8Array, Uint8Array];
  /**
   * With a clock, a buffer that a fast sender fills in a moment goes on as a whole: for bodies that come off
   * a connection. Without one, what each read brings goes on.
   */
  readonly clock?: Pick<Clock, "nowMs">;
  /** Sees each run of bytes, in order, before it is written; must not keep the array. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/**
 * A read that brings fewer bytes than this is passed on at once: its sender is slow, and the next byte
 * may be long in coming.
 */
const briskBytes = 16 * 1024;

/**
 * How long a buffer is filled before it is passed on, in ms. Longer holds a slow sender's bytes back; much
 * shorter, and a busy machine passes on many small runs, each of which costs it a thread's turn.
 */
const fillMs = 20;

/**
 * Moves exactly `count` bytes of a body into all sinks, cut-through: bytes are passed on as they
 * come, never gathered first, but for a buffer that a fast sender fills in a moment. When it returns or
 * throws, no write is under way and the buffers are the caller's.
 */
export async function pump(body: Body, count: number, options: PumpOptions): Promise<void> {
  const { sinks, buffers, clock, onBytes } = options;
  let writing: Promise<void> | undefined;
  let turn: 0 | 1 = 0;
  let left = count;
  try {
    while (left > 0) {
      const buffer = buffers[turn];
      const room = left < buffer.length ? buffer.subarray(0, left) : buffer;
      const filled = clock === undefined ? await body.read(room) : await fill(body, room, clock);
      left -= filled;
      turn = turn === 0 ? 1 : 0;
      const bytes = filled === room.length ? room : room.subarray(0, filled);
      onBytes?.(bytes);
      if (writing !== undefined) await writing;
      writing = writeToAll(sinks, bytes);
      // It is awaited a turn later; until then a failure must not count as unhandled.
      writing.catch(() => {});
    }
  } finally {
    if (writing !== undefined) await writing;
  }
}

/** Reads what comes in a moment, at least a byte; says how many. */
async function fill(body: Body, room: Uint8Array, clock: Pick<Clock, "nowMs">): Promise<number> {
  let came = await body.read(room);
  if (came === room.length || came < briskBytes) return came;
  const untilMs = clock.nowMs() + fillMs;
  let filled = came;
  while (filled < room.length && came >= briskBytes && clock.nowMs() < untilMs) {
    came = await body.read(room.subarray(filled));
    filled += came;
  }
  return filled;
}

/** Writes to every sink and waits for all of them, so that the buffer is free even after a failure. */
async function writeToAll(sinks: readonly Sink[], bytes: Uint8Array): Promise<void> {
  const only = sinks.length === 1 ? sinks[0] : undefined;
  if (only !== undefined) return await only.write(bytes);
  const settled = await Promise.allSettled(sinks.map((sink) => sink.write(bytes)));
  for (const result of settled) if (result.status === "rejected") throw result.reason;
}
