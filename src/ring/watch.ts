import type { NodeAddress } from "../protocol/address.ts";
import { parseRingPong } from "../protocol/peer_replies.ts";
import { watchedMax } from "./config.ts";
import type { RingCore } from "./core.ts";
import type { Answer } from "./effects.ts";
import type { Exchange } from "./exchange.ts";
import type { Life } from "./life.ts";

/**
 * The look at the successors, once a gossip interval.
 *
 * 1. A look goes round the ring from the node until somebody who is Alive has answered. It passes by
 *    who is Dead, who is Joining and who has been silent once, so that any number of neighbours can
 *    die between two looks and all are found in the next.
 * 2. A look also goes to one member further away, another distance each time, so that news crosses a
 *    large ring in a few intervals even where its way was cut.
 * 3. An answer that shows another view, or another catalog, has these compared.
 */
export class Watch {
  readonly #core: RingCore;
  readonly #exchange: Exchange;
  readonly #life: Life;
  #round = 0;
  /** Who was asked in this look, and what came of it. */
  readonly #asked = new Map<NodeAddress, "asking" | "answered" | "failed">();

  constructor(core: RingCore, exchange: Exchange, life: Life) {
    this.#core = core;
    this.#exchange = exchange;
    this.#life = life;
  }

  /** Begins to look once an interval. */
  start(): void {
    const { gossipIntervalMs } = this.#core.config;
    if (gossipIntervalMs === 0) return;
    this.#core.later("gossip", gossipIntervalMs, () => {
      this.start();
      if (this.#core.isPaused || this.#life.isStopped) return;
      this.look();
      this.#lookFurther();
      this.#askNextHop();
    });
  }

  /** Looks once, whatever the interval. */
  look(): void {
    this.#round++;
    this.#asked.clear();
  }

  /** Whether a member has answered in the last look. */
  hasAnswered(address: NodeAddress): boolean {
    return this.#asked.get(address) === "answered";
  }

  /** Goes on with the look under way, as far as the latest changes take it. */
  review(): void {
    const { view } = this.#core;
    if (this.#round === 0 || this.#core.isPaused || this.#life.isStopped) return;
    let watched = 0;
    for (let step = 1; step < view.fromSelf.length && watched < watchedMax; step++) {
      const member = view.at(step);
      if (member === undefined || member.status === "Dead") continue;
      const { address } = member;
      if (!this.#asked.has(address)) this.#ask(address);
      watched++;
      if (member.status === "Joining") continue;
      const state = this.#asked.get(address);
      if (state === "answered") return;
      if (state === "asking" && !this.#core.isSuspect(address)) return;
    }
  }

  #ask(address: NodeAddress): void {
    const round = this.#round;
    this.#asked.set(address, "asking");
    this.#core.ping(address, (answer) => {
      this.#compare(address, answer);
      if (round !== this.#round) return;
      const isThere = answer.kind === "line" || answer.kind === "error";
      this.#asked.set(address, isThere ? "answered" : "failed");
    });
  }

  /** Asks a member at 2, 4, 8, … steps. */
  #lookFurther(): void {
    const { view } = this.#core;
    const size = view.fromSelf.length;
    const distances = Math.ceil(Math.log2(size)) - 1;
    if (distances < 1) return;
    const distance = 2 ** (1 + this.#round % distances);
    for (let step = distance; step < size; step++) {
      const member = view.at(step);
      if (member?.status !== "Alive" || member.program === "original") continue;
      const further = member.address;
      return this.#core.ping(further, (answer) => this.#compare(further, answer));
    }
  }

  /** A node that was wired by hand learns the ring from its next hop, if that knows it. */
  #askNextHop(): void {
    const next = this.#core.nextOverride;
    if (next === undefined || next === this.#core.self || this.#core.view.isWired) return;
    this.#core.ping(next, (answer) => this.#compare(next, answer));
  }

  #compare(address: NodeAddress, answer: Answer): void {
    const pong = answer.kind === "line" ? parseRingPong(answer.line) : undefined;
    if (pong === undefined) return;
    if (pong.viewDigest !== this.#core.view.digest) this.#exchange.compare(address);
    const { catalogDigest } = pong;
    if (catalogDigest === this.#core.config.catalogDigest()) return;
    if (pong.state === "ready" && this.#life.state() === "ready") {
      this.#core.emit({ kind: "catalog-differs", peer: address, catalogDigest });
    }
  }
}
