import type { NodeAddress } from "../protocol/address.ts";
import { ringNodesMax } from "../protocol/limits.ts";
import type { NetmapEntry, NodeStatus } from "../protocol/lists.ts";
import { netmapReply } from "../protocol/replies.ts";
import { hintsMax } from "./config.ts";
import type { RingCore } from "./core.ts";
import type { Exchange } from "./exchange.ts";
import type { Member } from "./member.ts";

/**
 * The netmap as scripts and originals give it: statuses without epochs. Nobody can tell whether such
 * an entry is news, so what it says of a member of our program is looked into, not believed. What it
 * says of a node that is no member, as before a ring is wired, is kept as it is.
 */
export class Netmap {
  readonly #core: RingCore;
  readonly #exchange: Exchange;
  readonly #plain = new Map<NodeAddress, NodeStatus>();

  constructor(core: RingCore, exchange: Exchange) {
    this.#core = core;
    this.#exchange = exchange;
  }

  /** The answer to `NETMAP GET`. */
  reply(): string {
    const { hostname, view } = this.#core;
    const entries = view.isWired ? this.#core.netmap() : [...this.#plain].map((
      [address, status],
    ) => ({ address, status }));
    return netmapReply(entries, { hostname });
  }

  /** Takes the entries of a `NETMAP SET`, or of a walk. */
  set(entries: readonly NetmapEntry[]): void {
    let hints = 0;
    for (const entry of entries) {
      const member = this.#core.view.member(entry.address);
      if (entry.address === this.#core.self) this.#setSelf(entry);
      else if (!this.#core.view.isWired || member === undefined) this.#setPlain(entry);
      else if (this.#isNews(entry, member) && hints++ < hintsMax) this.#lookInto(member);
    }
  }

  /** A ring was wired: entries of its members become their statuses. */
  wired(): void {
    for (const [address, status] of this.#plain) {
      const member = this.#core.view.member(address);
      if (member?.epoch === 0 && status === "Dead") this.#core.declare({ ...member, status });
    }
    this.#plain.clear();
  }

  #setPlain({ address, status }: NetmapEntry): void {
    if (this.#plain.size < ringNodesMax) this.#plain.set(address, status);
  }

  /** This node is no less alive for what others say, but it may have been passed by. */
  #setSelf({ address, status }: NetmapEntry): void {
    const { own, isWired } = this.#core.view;
    if (!isWired) return this.#setPlain({ address, status: "Alive" });
    if (status === "Dead" && own.status === "Alive") this.#core.onSelfNews({ ...own, status });
  }

  #isNews({ status }: NetmapEntry, member: Member): boolean {
    return (status === "Dead") === (member.status === "Alive");
  }

  #lookInto(member: Member): void {
    const { address, epoch, program, status } = member;
    if (status !== "Dead") {
      if (program !== "original") return this.#core.ping(address, () => {});
      return this.#core.declare({ ...member, status: "Dead" });
    }
    this.#core.ping(address, (answer) => {
      if (answer.kind !== "line" && answer.kind !== "error") return;
      const latest = this.#core.view.member(address);
      if (latest?.status !== "Dead" || latest.epoch !== epoch) return;
      if (latest.program !== "original") return this.#exchange.handOver(address, () => {});
      this.#core.declare({ ...latest, status: "Alive", epoch: epoch + 1 });
    });
  }
}
