import type { NodeAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import type { Clock, Timer } from "../runtime/clock.ts";
import { BusyError } from "./busy_error.ts";
import { PeerConnection, type RequestOptions } from "./peer_connection.ts";
import { PeerError, PeerUnreachable } from "./peer_errors.ts";
import { type PeerDependencies, PeerLink } from "./peer_link.ts";
import type { DialOptions } from "./transport.ts";

/** What a pool is made from. */
export interface PeerPoolDependencies extends PeerDependencies {
  readonly clock: Clock;
}

/** The limits of a {@linkcode PeerPool}. */
export interface PeerPoolOptions {
  /** Connections at rest to one peer: about as many as concurrent pushes should find at hand. */
  readonly idlePerPeerMax?: number;
  /** Connections at rest to all peers; each costs both sides a descriptor and some KiB. */
  readonly totalMax?: number;
  /** Connections at rest and borrowed together; the next borrower is `busy`. */
  readonly openMax?: number;
  /**
   * Milliseconds that a connection rests before it is closed. Well under the time after which the
   * peer closes it (60 s), or borrowers would get dying ones.
   */
  readonly idleMs?: number;
}

/** How a connection is borrowed. */
export interface BorrowOptions extends DialOptions {
  /** Makes a new connection even when one is at rest. */
  readonly fresh?: boolean;
  /**
   * Closes the connection when the pool is told to forget its peer: for borrowers that can go on without
   * it. Others may still get from a slow peer what they wait for.
   */
  readonly untilForgotten?: boolean;
  /** Called once when the borrower has given the connection up, or has got none. */
  readonly onEnd?: () => void;
}

/** A request that borrows its own connection. */
export interface PoolRequestOptions extends RequestOptions {
  /**
   * True when doing it twice is as good as once: then it is sent once more, on a new connection,
   * when one from the pool turns out to be dead.
   */
  readonly idempotent?: boolean;
  /** Gives up early, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * The connections of a node to the others, kept open between exchanges.
 *
 * A connection at rest has a read pending, so one whose peer closes it or dies leaves the pool at
 * once, not when somebody trips over it. The newest is lent first; the rest grow old and close.
 */
export class PeerPool implements Disposable {
  readonly #dependencies: PeerPoolDependencies;
  readonly #limits: Required<PeerPoolOptions>;
  readonly #idle = new Map<NodeAddress, IdleLink[]>();
  /** Borrowed ones that end when their peer is forgotten. */
  readonly #forgettable = new Set<PeerConnection>();
  readonly #sweeper: Timer;
  #idleCount = 0;
  #openCount = 0;
  #closed = false;

  constructor(dependencies: PeerPoolDependencies, options: PeerPoolOptions = {}) {
    this.#dependencies = dependencies;
    this.#limits = { ...defaults, ...options };
    this.#sweeper = dependencies.clock.every(this.#limits.idleMs / 4, () => this.#closeOld());
  }

  /** Connections at rest. */
  get idleCount(): number {
    return this.#idleCount;
  }

  /** Connections at rest and borrowed. */
  get openCount(): number {
    return this.#openCount;
  }

  /**
   * Lends a connection; `release` it at the end of a complete exchange, dispose closes it.
   *
   * @throws {PeerUnreachable} when the peer cannot be reached by the deadline.
   * @throws {BusyError} when too many connections are open.
   */
  async borrow(address: NodeAddress, options: BorrowOptions): Promise<PeerConnection> {
    try {
      return await this.#borrow(address, options);
    } catch (error) {
      options.onEnd?.();
      throw error;
    }
  }

  async #borrow(address: NodeAddress, options: BorrowOptions): Promise<PeerConnection> {
    if (this.#closed) throw this.#closedError(address);
    options.signal?.throwIfAborted();
    const idle = options.fresh === true ? undefined : this.#takeIdle(address);
    if (idle !== undefined) return this.#lend(idle, { ...options, fresh: false });
    if (this.#openCount >= this.#limits.openMax && !this.#closeOldest()) {
      throw new BusyError(`Cannot connect to ${address}: ${this.#openCount} connections are open`);
    }
    this.#openCount += 1;
    try {
      const link = await PeerLink.dial(this.#dependencies, address, options);
      if (!this.#closed) return this.#lend(link, { ...options, fresh: true });
      link.close();
      throw this.#closedError(address);
    } catch (error) {
      this.#openCount -= 1;
      throw error;
    }
  }

  /**
   * Borrows, asks, releases, and gives the first line of the answer; for commands whose answer is
   * that one line.
   *
   * @throws {PeerError} when the peer answers `ERR …`.
   * @throws {PeerUnreachable} when it gives no answer by the deadline.
   */
  async request(
    address: NodeAddress,
    command: Command,
    options: PoolRequestOptions,
  ): Promise<string> {
    const { clock } = this.#dependencies;
    const endMs = clock.nowMs() + options.deadlineMs;
    const peer = await this.borrow(address, dialOptions(options));
    try {
      return await exchange(peer, command, options);
    } catch (error) {
      const wasDead = error instanceof PeerUnreachable && error.kind === "broken" && !peer.fresh;
      if (!wasDead || options.idempotent !== true) throw error;
    }
    const again = { ...options, deadlineMs: Math.max(1, endMs - clock.nowMs()) };
    const fresh = await this.borrow(address, { ...dialOptions(again), fresh: true });
    return await exchange(fresh, command, again);
  }

  /**
   * Closes the connections at rest to a peer, and the borrowed ones whose borrowers want that: it is dead,
   * or another one took its place.
   */
  forget(address: NodeAddress): void {
    for (const peer of [...this.#forgettable]) if (peer.address === address) peer.close();
    for (const { link } of [...this.#idle.get(address) ?? []]) this.#closeIdle(link);
  }

  /** Closes the connections at rest, and the borrowed ones as they come back. */
  close(): void {
    this.#closed = true;
    this.#sweeper.stop();
    for (const address of [...this.#idle.keys()]) this.forget(address);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #closedError(address: NodeAddress): PeerUnreachable {
    return new PeerUnreachable(address, "local", { reason: "was not asked: the pool is closed" });
  }

  #lend(
    link: PeerLink,
    { fresh, onEnd, untilForgotten }: { fresh: boolean } & Omit<BorrowOptions, "fresh">,
  ): PeerConnection {
    const peer: PeerConnection = new PeerConnection(link, {
      fresh,
      giveBack: (link, clean) => {
        this.#forgettable.delete(peer);
        this.#takeBack(link, clean);
        onEnd?.();
      },
    });
    if (untilForgotten === true) this.#forgettable.add(peer);
    return peer;
  }

  #takeBack(link: PeerLink, clean: boolean): void {
    const resting = this.#idle.get(link.address) ?? [];
    const room = resting.length < this.#limits.idlePerPeerMax &&
      this.#idleCount < this.#limits.totalMax;
    if (!clean || this.#closed || !room) {
      this.#openCount -= 1;
      return link.close();
    }
    link.conn.set(0);
    link.conn.setDeadline(undefined);
    resting.push({ link, sinceMs: this.#dependencies.clock.nowMs() });
    this.#idle.set(link.address, resting);
    this.#idleCount += 1;
    // Whatever comes while it rests is bad news: the end, an error, or bytes nobody asked for.
    link.reader.prefetch(() => this.#closeIdle(link));
  }

  #takeIdle(address: NodeAddress): PeerLink | undefined {
    const resting = this.#idle.get(address);
    const newest = resting?.at(-1)?.link;
    if (newest !== undefined) this.#removeIdle(newest);
    return newest;
  }

  /** True when the link was at rest; whoever has borrowed it meanwhile keeps it. */
  #removeIdle(link: PeerLink): boolean {
    const resting = this.#idle.get(link.address);
    const index = resting?.findIndex((idle) => idle.link === link) ?? -1;
    if (resting === undefined || index === -1) return false;
    resting.splice(index, 1);
    if (resting.length === 0) this.#idle.delete(link.address);
    this.#idleCount -= 1;
    return true;
  }

  #closeIdle(link: PeerLink): void {
    if (!this.#removeIdle(link)) return;
    this.#openCount -= 1;
    link.close();
  }

  #closeOld(): void {
    const beforeMs = this.#dependencies.clock.nowMs() - this.#limits.idleMs;
    const old = [...this.#idle.values()].flat().filter(({ sinceMs }) => sinceMs <= beforeMs);
    for (const { link } of old) this.#closeIdle(link);
  }

  /** Makes room for a borrower of another peer; false when nothing is at rest. */
  #closeOldest(): boolean {
    let oldest: IdleLink | undefined;
    for (const idle of [...this.#idle.values()].flat()) {
      if (oldest === undefined || idle.sinceMs < oldest.sinceMs) oldest = idle;
    }
    if (oldest === undefined) return false;
    this.#closeIdle(oldest.link);
    return true;
  }
}

/** A connection at rest. */
interface IdleLink {
  readonly link: PeerLink;
  /** Since when, by the clock that never jumps. */
  readonly sinceMs: number;
}

/** Asks on a borrowed connection and gives it back. */
async function exchange(
  peer: PeerConnection,
  command: Command,
  options: PoolRequestOptions,
): Promise<string> {
  const { signal } = options;
  const stop = () => peer.close();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const answer = await peer.request(command, options);
    peer.release();
    return answer;
  } catch (error) {
    if (error instanceof PeerError) peer.release();
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", stop);
    peer.close();
  }
}

function dialOptions({ deadlineMs, signal }: PoolRequestOptions): DialOptions {
  return signal === undefined ? { timeoutMs: deadlineMs } : { timeoutMs: deadlineMs, signal };
}

const defaults: Required<PeerPoolOptions> = {
  idlePerPeerMax: 16,
  totalMax: 256,
  openMax: 4_096,
  idleMs: 20_000,
};
