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
  faults: NetworkFaults = goodNetwork;
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

  /** Sends a request; `done` is called exactly once, at the deadline if not before. */
  request(request: SimRequest<Q>, done: (delivery: Delivery<A>) => void): void {
    const { from, to, deadlineMs } = request;
    this.sent.set(from, (this.sent.get(from) ?? 0) + 1);
    let isDone = false;
    const finish = (delivery: Delivery<A>) => {
      if (isDone) return;
      isDone = true;
      cancel();
      done(delivery);
    };
    const cancel = this.#scheduler.after(deadlineMs, () => finish({ kind: "silent" }));
    const times = this.#scheduler.chance(this.faults.duplicateRate) ? 2 : 1;
    for (let time = 0; time < times; time++) {
      this.#carry(from, to, () => this.#arrive(request, finish));
    }
  }

  #arrive({ from, to, request }: SimRequest<Q>, finish: (delivery: Delivery<A>) => void): void {
    const back = (delivery: Delivery<A>) => this.#carry(to, from, () => finish(delivery));
    const host = this.#hosts.get(to);
    if (host === undefined || !host.isListening) return back({ kind: "refused" });
    host.serve(request, {
      answer: (answer) => back({ kind: "answer", answer }),
      broken: () => back({ kind: "refused" }),
    });
  }

  #carry(from: NodeAddress, to: NodeAddress, arrive: () => void): void {
    const { delayMinMs, delayMaxMs, lossRate } = this.faults;
    if (this.#isCut(from, to) || this.#scheduler.chance(lossRate)) return;
    this.#scheduler.after(this.#scheduler.between(delayMinMs, delayMaxMs), () => {
      if (!this.#isCut(from, to)) arrive();
    });
  }

  #isCut(from: NodeAddress, to: NodeAddress): boolean {
    return this.#cut.size > 0 && this.#cut.has(`${from} ${to}`);
  }
}
