import type { NodeAddress } from "../../src/protocol/address.ts";
import type { Scheduler } from "./scheduler.ts";

/** What became of a request. */
export type Delivery<T> =
  | { readonly kind: "answer"; readonly answer: T }
  | { readonly kind: "refused" }
  | { readonly kind: "silent" };

/** Somebody that listens, or would if its process ran. */
export interface Host<Q, A> {
  readonly address: NodeAddress;
  /** Whether a dial is taken; a stopped process still has its port. */
  readonly isListening: boolean;
  /** Serves a request; `answer` may be called later, `broken` instead when the process ends first. */
  serve(request: Q, end: { answer: (answer: A) => void; broken: () => void }): void;
}

/** How bad a network is. */
export interface NetworkFaults {
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  /** The chance that one way of an exchange gets lost. */
  readonly lossRate: number;
  /** The chance that a request is served twice. */
  readonly duplicateRate: number;
}

/** A network on one machine: quick, and nothing gets lost. */
export const goodNetwork: NetworkFaults = {
  delayMinMs: 0.1,
  delayMaxMs: 2,
  lossRate: 0,
  duplicateRate: 0,
};

/** One exchange under way. */
export interface SimRequest<Q> {
  readonly from: NodeAddress;
  readonly to: NodeAddress;
  readonly request: Q;
  readonly deadlineMs: number;
}

/** Carries requests and answers between hosts: late, in another order, twice, or not at all. */
export class SimNetwork<Q, A> {
  /** What holds where nothing is spoilt. */
  faults: NetworkFaults = goodNetwork;
  #spoilt: NetworkFaults = goodNetwork;
  /** Hosts whose ways are spoilt. */
  readonly #spoiltHosts = new Set<NodeAddress>();
  /** Requests that were sent, by who sent them. */
  readonly sent = new Map<NodeAddress, number>();
  readonly #scheduler: Scheduler;
  readonly #hosts = new Map<NodeAddress, Host<Q, A>>();
  /** Ways that are cut, as `from to`. */
  readonly #cut = new Set<string>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  add(host: Host<Q, A>): void {
    this.#hosts.set(host.address, host);
  }

  /** Cuts one way between two hosts. */
  cut(from: NodeAddress, to: NodeAddress): void {
    this.#cut.add(`${from} ${to}`);
  }

  /** Mends every way. */
  mend(): void {
    this.#cut.clear();
  }

  /** Makes every way from and to some hosts as bad as that. */
  spoil(hosts: readonly NodeAddress[], faults: NetworkFaults): void {
    this.#spoilt = faults;
    for (const host of hosts) this.#spoiltHosts.add(host);
  }

  /** Makes every way as good as the others again. */
  heal(): void {
    this.#spoiltHosts.clear();
  }

  /** Sends a request; `done` is called exactly once, at the deadline if not before. */
  request(request: SimRequest<Q>, done: (delivery: Delivery<A>) => void): void {
    const { from, to, deadlineMs } = request;
    this.sent.set(from, (this.sent.get(from) ?? 0) + 1);
    const exchange = new Exchange(this.#scheduler, deadlineMs, done);
    const times = this.#scheduler.chance(this.#faultsOf(from, to).duplicateRate) ? 2 : 1;
    for (let time = 0; time < times; time++) {
      this.#carry({ from, to, exchange }, () => this.#arrive(request, exchange));
    }
  }

  #arrive({ from, to, request }: SimRequest<Q>, exchange: Exchange<A>): void {
    let isEnded = false;
    const back = (delivery: Delivery<A>) => {
      isEnded = true;
      this.#carry({ from: to, to: from, exchange }, () => exchange.finish(delivery));
    };
    const host = this.#hosts.get(to);
    if (host === undefined || !host.isListening) return back({ kind: "refused" });
    host.serve(request, {
      answer: (answer) => back({ kind: "answer", answer }),
      broken: () => back({ kind: "refused" }),
    });
    // Most are answered at once: only the others need their deadline watched.
    if (!isEnded) exchange.watchDeadline();
  }

  /** Carries something one way; what does not arrive ends at the deadline. */
  #carry({ from, to, exchange }: Way<A>, arrive: () => void): void {
    const { delayMinMs, delayMaxMs, lossRate } = this.#faultsOf(from, to);
    const isLost = this.#isCut(from, to) || this.#scheduler.chance(lossRate);
    if (isLost) return exchange.watchDeadline();
    this.#scheduler.after(this.#scheduler.between(delayMinMs, delayMaxMs), () => {
      if (this.#isCut(from, to)) exchange.watchDeadline();
      else arrive();
    });
  }

  #faultsOf(from: NodeAddress, to: NodeAddress): NetworkFaults {
    if (this.#spoiltHosts.size === 0) return this.faults;
    const isSpoilt = this.#spoiltHosts.has(from) || this.#spoiltHosts.has(to);
    return isSpoilt ? this.#spoilt : this.faults;
  }

  #isCut(from: NodeAddress, to: NodeAddress): boolean {
    return this.#cut.size > 0 && this.#cut.has(`${from} ${to}`);
  }
}

/** One way of an exchange. */
interface Way<A> {
  readonly from: NodeAddress;
  readonly to: NodeAddress;
  readonly exchange: Exchange<A>;
}

/** A request and its one end. */
class Exchange<A> {
  readonly #scheduler: Scheduler;
  readonly #endMs: number;
  readonly #done: (delivery: Delivery<A>) => void;
  #isDone = false;
  #isWatched = false;

  constructor(scheduler: Scheduler, deadlineMs: number, done: (delivery: Delivery<A>) => void) {
    this.#scheduler = scheduler;
    this.#endMs = scheduler.nowMs + deadlineMs;
    this.#done = done;
  }

  /** What comes after the deadline comes too late. */
  finish(delivery: Delivery<A>): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#done(this.#scheduler.nowMs > this.#endMs ? { kind: "silent" } : delivery);
  }

  watchDeadline(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const inMs = Math.max(0, this.#endMs - this.#scheduler.nowMs);
    this.#scheduler.after(inMs, () => this.finish({ kind: "silent" }));
  }
}
