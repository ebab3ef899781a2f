import type { HostPort } from "../protocol/address.ts";
import type { Clock, Timer } from "../runtime/clock.ts";
import type { Connection } from "./transport.ts";

/** How a {@linkcode Watchdog} looks. */
export interface WatchdogOptions {
  /**
   * The least time between two looks at all connections, in ms. A limit takes effect up to that
   * much late, never early; a shorter pause costs processor time while many limits are short.
   */
  readonly sweepMs?: number;
}

/**
 * The deadlines of all connections of a process, kept by one timer, so that a read or a write costs
 * no timer of its own. It is set for the nearest deadline: a process whose connections are idle
 * wakes up as seldom as they run out.
 *
 * Time in which the process did not run (it was stopped, the machine slept) does not count: what
 * came in meanwhile is still to be read, and nobody was slow.
 */
export class Watchdog implements Disposable {
  readonly #clock: Clock;
  readonly #sweepMs: number;
  readonly #guarded = new Set<GuardedConnection>();
  #timer: Timer | undefined;
  /** When the timer is due; Infinity while there is nothing to look for. */
  #dueMs = Infinity;
  #lastSweepMs: number;
  #skippedMs = 0;
  #isClosed = false;
  /** One for all connections. */
  readonly #keeper: Keeper = {
    nowMs: () => this.#clock.nowMs() - this.#skippedMs,
    leave: (guarded) => this.#guarded.delete(guarded),
    expect: (ms) => this.#expect(ms + this.#skippedMs),
  };

  constructor(clock: Clock, { sweepMs = 250 }: WatchdogOptions = {}) {
    if (!(sweepMs > 0)) throw new RangeError(`Cannot sweep every ${sweepMs} ms`);
    this.#clock = clock;
    this.#sweepMs = sweepMs;
    this.#lastSweepMs = clock.nowMs();
  }

  /**
   * Watches a connection until it is closed or `done`.
   *
   * @param stallMs see {@linkcode GuardedConnection.set}.
   */
  guard(conn: Connection, stallMs: number): GuardedConnection {
    const guarded = new GuardedConnection(conn, this.#keeper);
    this.#guarded.add(guarded);
    guarded.set(stallMs);
    return guarded;
  }

  /** Connections that are watched now. */
  get size(): number {
    return this.#guarded.size;
  }

  /** Watches no longer; the connections stay open, without deadlines. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.stop();
    this.#guarded.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Sees to it that there is a look soon after a moment, on the machine's clock. */
  #expect(ms: number): void {
    const dueMs = Math.max(ms, this.#lastSweepMs + this.#sweepMs);
    if (dueMs >= this.#dueMs || this.#isClosed) return;
    this.#timer?.stop();
    this.#dueMs = dueMs;
    this.#timer = this.#clock.every(
      Math.max(1, Math.ceil(dueMs - this.#clock.nowMs())),
      () => this.#sweep(),
    );
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    const lateMs = nowMs - this.#dueMs;
    if (lateMs > standstillSweeps * this.#sweepMs) this.#skippedMs += lateMs + standstillGraceMs;
    this.#timer?.stop();
    this.#dueMs = Infinity;
    this.#lastSweepMs = nowMs;
    for (const guarded of this.#guarded) {
      guarded.expireIfDue(nowMs - this.#skippedMs);
      if (guarded.dueMs < Infinity) this.#expect(guarded.dueMs + this.#skippedMs);
    }
  }
}

/** What a guarded connection needs of its watchdog. */
interface Keeper {
  nowMs(): number;
  leave(guarded: GuardedConnection): void;
  /** A limit may pass at that moment of `nowMs`. */
  expect(ms: number): void;
}

/**
 * A connection with deadlines. When one passes, the connection is closed, and reads and writes,
 * pending or later, reject with {@linkcode StalledError}.
 */
export class GuardedConnection implements Connection {
  readonly #conn: Connection;
  readonly #keeper: Keeper;
  #stallMs = 0;
  #movedMs = 0;
  #deadlineMs = Infinity;
  #pending = 0;
  #stalled: StalledError | undefined;

  /** Made by {@linkcode Watchdog.guard}. */
  constructor(conn: Connection, keeper: Keeper) {
    this.#conn = conn;
    this.#keeper = keeper;
  }

  get local(): HostPort {
    return this.#conn.local;
  }

  get remote(): HostPort {
    return this.#conn.remote;
  }

  /** True when a deadline has closed the connection. */
  get expired(): boolean {
    return this.#stalled !== undefined;
  }

  /**
   * Sets how long a read or a write on this connection may be pending without a byte moving either
   * way, in ms; 0 means forever. The time in which nothing is pending does not count.
   */
  set(stallMs: number): void {
    this.#stallMs = stallMs;
    this.#touchIfPending();
    this.#expect();
  }

  /** Sets the time left until the connection is closed in any case; `undefined` lifts it. */
  setDeadline(ms: number | undefined): void {
    this.#deadlineMs = ms === undefined ? Infinity : this.#keeper.nowMs() + ms;
    this.#expect();
  }

  /** When the next limit passes if nothing moves; Infinity when none can. */
  get dueMs(): number {
    const isTimed = this.#pending > 0 && this.#stallMs > 0;
    return Math.min(this.#deadlineMs, isTimed ? this.#movedMs + this.#stallMs : Infinity);
  }

  /** Counts as a byte that moved. */
  touch(): void {
    this.#movedMs = this.#keeper.nowMs();
  }

  /** Ends the watch and leaves the connection open. */
  done(): void {
    this.#keeper.leave(this);
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    this.#begin();
    try {
      return await this.#conn.read(buffer);
    } catch (error) {
      throw this.#stalled ?? error;
    } finally {
      this.#end();
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.#begin();
    try {
      return await this.#conn.write(bytes);
    } catch (error) {
      throw this.#stalled ?? error;
    } finally {
      this.#end();
    }
  }

  async closeWrite(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch (error) {
      throw this.#stalled ?? error;
    }
  }

  close(): void {
    this.#keeper.leave(this);
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the connection when a deadline has passed; the watchdog's part. */
  expireIfDue(nowMs: number): void {
    const overdue = nowMs >= this.#deadlineMs;
    const stalled = this.#pending > 0 && this.#stallMs > 0 &&
      nowMs - this.#movedMs >= this.#stallMs;
    if (!overdue && !stalled) return;
    this.#stalled = new StalledError(
      overdue ? "the deadline has passed" : `no byte moved for ${this.#stallMs} ms`,
    );
    this.close();
  }

  #begin(): void {
    if (this.#stalled !== undefined) throw this.#stalled;
    this.#pending += 1;
    if (this.#pending === 1) {
      this.touch();
      this.#expect();
    }
  }

  #expect(): void {
    const { dueMs } = this;
    if (dueMs < Infinity) this.#keeper.expect(dueMs);
  }

  #end(): void {
    this.#pending -= 1;
    this.#touchIfPending();
  }

  /** Time counts from the first read or write that is pending; most of them are alone. */
  #touchIfPending(): void {
    if (this.#pending > 0) this.touch();
  }
}

/** Thrown by reads and writes of a connection that a deadline has closed. */
export class StalledError extends Error {
  override readonly name = "StalledError";
}

/** A look that comes this many pauses late means that the process had not run. */
const standstillSweeps = 8;

/** How much longer every limit lasts after that, in ms: what came in meanwhile is still to be read. */
const standstillGraceMs = 4_000;
