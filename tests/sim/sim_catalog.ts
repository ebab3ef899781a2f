import type { NodeAddress } from "../../src/protocol/address.ts";
import type { CatchUpPeer } from "../../src/ring/effects.ts";
import type { SimApplication, SimNode } from "./sim_node.ts";

type Payload =
  | { readonly kind: "store"; readonly record: number }
  | { readonly kind: "pull" };

/** How long a member may take to store a record, in ms, before it is marked Dead for it. */
const commitDeadlineMs = 5_000;

/** How long a catalog may take to come over, in ms. */
const pullDeadlineMs = 2_000;

/**
 * The least a node's catalog does: it keeps numbers, and commits one as the node commits a record.
 * Everything is durable at once; what is simulated is who hears of what.
 */
export class SimCatalog implements SimApplication {
  readonly #node: SimNode;
  readonly #records: Set<number>;

  constructor(node: SimNode) {
    this.#node = node;
    this.#records = node.disk.data instanceof Set ? node.disk.data : new Set<number>();
    node.disk.data = this.#records;
  }

  get records(): ReadonlySet<number> {
    return this.#records;
  }

  catalogDigest(): string {
    let digest = 0;
    for (const record of this.#records) digest = (digest + Math.imul(record, 0x9e3779b1)) >>> 0;
    return `${this.#records.size}-${digest.toString(16)}`;
  }

  /**
   * Commits a record: stores it, brings it to every member that takes commits, those that join
   * meanwhile included, and marks Dead who does not confirm. `done` is called when it may be
   * acknowledged, and never when the process ends first.
   */
  commit(record: number, done: () => void): void {
    this.#records.add(record);
    this.#spread(record, new Set([this.#node.address]), 1, done);
  }

  catchUp(peers: readonly CatchUpPeer[], done: (isCaughtUp: boolean) => void): void {
    const differing = peers.filter((peer) => peer.catalogDigest !== this.catalogDigest());
    let waiting = differing.length;
    let isComplete = true;
    if (waiting === 0) return this.#node.later(1, () => done(true));
    for (const { address } of differing) {
      this.#pull(address, (isThere) => {
        isComplete &&= isThere;
        if (--waiting === 0) done(isComplete);
      });
    }
  }

  onPeerDigest(peer: NodeAddress): void {
    this.#pull(peer, () => {});
  }

  serve(payload: unknown, answer: (payload: unknown) => void): void {
    const request = payload as Payload;
    if (request.kind === "store") this.#records.add(request.record);
    answer(request.kind === "pull" ? [...this.#records] : "OK");
  }

  #spread(record: number, asked: Set<NodeAddress>, confirmed: number, done: () => void): void {
    const targets = this.#node.commitMembers().filter((address) => !asked.has(address));
    if (targets.length === 0) {
      if (confirmed >= 2 || this.#node.machine?.view.fromSelf.length === 1) done();
      return;
    }
    let waiting = targets.length;
    const settled = (isConfirmed: boolean) => {
      if (isConfirmed) confirmed++;
      if (--waiting === 0) this.#spread(record, asked, confirmed, done);
    };
    for (const target of targets) {
      asked.add(target);
      this.#node.ask(target, { kind: "store", record } satisfies Payload, {
        deadlineMs: commitDeadlineMs,
        done: (delivery) => {
          if (delivery.kind === "answer") settled(true);
          else this.#node.markDead(target, () => settled(false));
        },
      });
    }
  }

  #pull(peer: NodeAddress, done: (isThere: boolean) => void): void {
    this.#node.ask(peer, { kind: "pull" } satisfies Payload, {
      deadlineMs: pullDeadlineMs,
      done: (delivery) => {
        const payload = delivery.kind === "answer" && delivery.answer.kind === "application"
          ? delivery.answer.payload
          : undefined;
        if (Array.isArray(payload)) { for (const record of payload) this.#records.add(record); }
        done(Array.isArray(payload));
      },
    });
  }
}
