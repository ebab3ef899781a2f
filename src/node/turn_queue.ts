import { BusyError } from "../net/busy_error.ts";
import { errors } from "../protocol/errors.ts";
import type { Clock, Timer } from "../runtime/clock.ts";

/** The limits of a {@linkcode TurnQueue}. */
export interface TurnQueueOptions {
  /** How many have their turn at once. */
  readonly turnsMax: number;
  /** How many more may have one that is lent by somebody who does nothing with it. */
  readonly lentMax: number;
  /** How many may wait for one; the next is `busy` at once. */
  readonly waitersMax: number;
  /** How long one waits before `busy`, in ms. */
  readonly waitMs: number;
}

/** The right to run, until it is disposed of. */
export interface Turn extends Disposable {
  /** Runs what only waits for somebody outside, such as a client; meanwhile the turn may be lent. */
  outside<T>(wait: () => Promise<T>): Promise<T>;
}

/** The least time between two looks at what somebody does with their turn, in ms. */
const lookMs = 250;

/** The part of that time spent waiting for somebody outside that counts as doing nothing. */
const idleShare = 0.9;

/**
 * How long somebody does nothing before their turn is lent, in ms. Less lends turns of clients that
 * a busy machine keeps from sending; more keeps the next in line waiting for nothing.
 */
const idleMs = 1_000;

/**
 * Lets a limited number of tasks run at once, first come, first served.
 *
 * A task that only waits for somebody outside, one who is silent or sends byte by byte, keeps its
 * turn, but so that it holds up nobody the next in line is let in beside it. There is an end to that
 * too: never more than `turnsMax + lentMax` run.
 */
export class TurnQueue {
  readonly #clock: Clock;
  readonly #options: TurnQueueOptions;
  readonly #waiters = new Set<() => void>();
  readonly #turns = new Set<HeldTurn>();
  /** Runs while somebody waits. */
  #looking: Timer | undefined;

  constructor(clock: Clock, options: TurnQueueOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** How many have a turn now. */
  get running(): number {
    return this.#turns.size;
  }

  /**
   * Takes a turn, which ends when the result is disposed of.
   *
   * @throws {BusyError} when none is free by the deadline, or too many wait already.
   */
  async take(): Promise<Turn> {
    if (this.#waiters.size === 0 && this.#hasRoom()) return this.#give();
    return await this.#wait();
  }

  #hasRoom(): boolean {
    const { turnsMax, lentMax } = this.#options;
    if (this.#turns.size < turnsMax) return true;
    if (this.#turns.size >= turnsMax + lentMax) return false;
    let busy = 0;
    for (const turn of this.#turns) if (!turn.isIdle()) busy++;
    return busy < turnsMax;
  }

  #give(): Turn {
    const turn = new HeldTurn(this.#clock, () => {
      this.#turns.delete(turn);
      this.#serve();
    });
    this.#turns.add(turn);
    return turn;
  }

  /** Waits until somebody passes their turn on, or lends it. */
  #wait(): Promise<Turn> {
    const { waitersMax, waitMs } = this.#options;
    if (this.#waiters.size >= waitersMax) return Promise.reject(new BusyError(errors.busy));
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    const serve = () => {
      deadline.stop();
      resolve(this.#give());
    };
    this.#waiters.add(serve);
    const deadline = this.#clock.every(waitMs, () => {
      deadline.stop();
      this.#waiters.delete(serve);
      this.#lookOrRest();
      reject(new BusyError(errors.busy));
    });
    this.#lookOrRest();
    return promise;
  }

  #serve(): void {
    for (const next of this.#waiters) {
      if (!this.#hasRoom()) break;
      this.#waiters.delete(next);
      next();
    }
    this.#lookOrRest();
  }

  /** Tries again and again as long as somebody waits: a turn may be idle by then. */
  #lookOrRest(): void {
    if (this.#waiters.size > 0) {
      this.#looking ??= this.#clock.every(lookMs, () => this.#serve());
    } else {
      this.#looking?.stop();
      this.#looking = undefined;
    }
  }
}

/** A turn and what its holder does with it. */
class HeldTurn implements Turn {
  readonly #clock: Clock;
  #end: (() => void) | undefined;
  /** Since when the holder waits for somebody outside. */
  #outsideSinceMs: number | undefined;
  /** How long it has waited since the last look. */
  #outsideMs = 0;
  #lookedMs: number;
  /** How long the last looks in a row have found it idle. */
  #idleForMs = 0;

  constructor(clock: Clock, end: () => void) {
    this.#clock = clock;
    this.#end = end;
    this.#lookedMs = clock.nowMs();
  }

  async outside<T>(wait: () => Promise<T>): Promise<T> {
    this.#outsideSinceMs = this.#clock.nowMs();
    try {
      return await wait();
    } finally {
      this.#count(this.#clock.nowMs());
      this.#outsideSinceMs = undefined;
    }
  }

  /** Whether the holder does nothing, as far as the time since the last look says. */
  isIdle(): boolean {
    const nowMs = this.#clock.nowMs();
    const sinceLookMs = nowMs - this.#lookedMs;
    if (sinceLookMs >= lookMs) {
      this.#count(nowMs);
      const isIdle = this.#outsideMs >= idleShare * sinceLookMs;
      this.#idleForMs = isIdle ? this.#idleForMs + sinceLookMs : 0;
      this.#outsideMs = 0;
      this.#lookedMs = nowMs;
    }
    return this.#idleForMs >= idleMs;
  }

  #count(nowMs: number): void {
    if (this.#outsideSinceMs === undefined) return;
    this.#outsideMs += nowMs - this.#outsideSinceMs;
    this.#outsideSinceMs = nowMs;
  }

  [Symbol.dispose](): void {
    const end = this.#end;
    this.#end = undefined;
    end?.();
  }
}
