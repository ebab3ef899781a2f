import type { NodeAddress } from "../protocol/address.ts";
import { errors } from "../protocol/errors.ts";
import { parseRingPong } from "../protocol/peer_replies.ts";
import { errorReply, healedReply } from "../protocol/replies.ts";
import { announcementsMax, walksMax } from "./config.ts";
import type { RingCore } from "./core.ts";
import type { Answer } from "./effects.ts";
import type { Exchange } from "./exchange.ts";
import type { Healing } from "./healing.ts";
import { nextHop, SeenTokens } from "./hops.ts";
import type { Watch } from "./watch.ts";

/** A heal walk that is at this node. */
interface Visit {
  readonly token: string;
  readonly start: NodeAddress;
  readonly untilMs: number;
  isSending: boolean;
}

/** A heal walk that this node has begun and that has come round: everybody is asked once more. */
interface Check {
  readonly token: string;
  readonly waiting: Set<NodeAddress>;
  readonly asking: Set<NodeAddress>;
}

/**
 * `NODE HEAL`: a walk round the ring that goes on from a node only when its successor is well.
 *
 * 1. At each node the walk waits until the successor is Alive and has just answered; Dead members in
 *    between are healed, even if this node does not gossip. An original that is Dead is passed by.
 * 2. When it has come round, the start asks every member whether it has the same view, so that what
 *    the client sees next is a healed ring whichever node it asks.
 * 3. It ends within `healWalkMs`, answered or not. A repeated hop is a no-op.
 */
export class HealWalk {
  readonly #core: RingCore;
  readonly #exchange: Exchange;
  readonly #watch: Watch;
  readonly #healing: Healing;
  readonly #seen = new SeenTokens();
  /** The commands that wait for a walk, by its token. */
  readonly #begun = new Map<string, number>();
  readonly #visits = new Set<Visit>();
  readonly #checks = new Map<string, Check>();

  constructor(
    core: RingCore,
    { exchange, watch, healing }: { exchange: Exchange; watch: Watch; healing: Healing },
  ) {
    this.#core = core;
    this.#exchange = exchange;
    this.#watch = watch;
    this.#healing = healing;
  }

  /** `NODE HEAL`: the answer to the command `id` follows within `healWalkMs`. */
  begin(token: string, id: number): void {
    if (this.#begun.size >= walksMax) {
      return this.#core.emit({ kind: "reply", id, text: errorReply(errors.busy) });
    }
    this.#begun.set(token, id);
    this.#core.later(`heal walk ${token}`, this.#core.timing.healWalkMs, () => {
      this.#checks.delete(token);
      this.#end(token, errorReply(errors.healWalkTimeout));
    });
    this.hop(token, this.#core.self);
  }

  /** A heal walk has come to this node. */
  hop(token: string, start: NodeAddress): void {
    if (!this.#seen.add(token)) return;
    if (this.#visits.size >= walksMax) return this.#core.log("warn", "too many heal walks");
    const untilMs = this.#core.nowMs + this.#core.timing.healWalkMs;
    const visit = { token, start, untilMs, isSending: false };
    this.#visits.add(visit);
    this.#lookAgain(visit);
  }

  /** A heal walk has come back to its start. */
  done(token: string): void {
    if (!this.#begun.has(token) || this.#checks.has(token)) return;
    this.#checks.set(token, { token, waiting: new Set(this.#others()), asking: new Set() });
  }

  /** Does what the latest changes make due. */
  review(): void {
    for (const visit of this.#visits) {
      if (visit.untilMs <= this.#core.nowMs) this.#visits.delete(visit);
      else if (!visit.isSending) this.#goOn(visit);
    }
    for (const check of this.#checks.values()) this.#check(check);
  }

  /** Looks at the successors afresh, and again while they are not well. */
  #lookAgain(visit: Visit): void {
    this.#watch.look();
    this.#healing.demand(visit.untilMs);
    this.#core.later(`look ${visit.token}`, this.#core.timing.answerMs, () => {
      if (this.#visits.has(visit) && !visit.isSending) this.#lookAgain(visit);
    });
  }

  #goOn(visit: Visit): void {
    const next = this.#nextWell();
    if (next === undefined) return;
    visit.isSending = true;
    if (next === visit.start) {
      return this.#send(visit, next, { kind: "node-heal-done", token: visit.token });
    }
    const { token, start } = visit;
    this.#send(visit, next, { kind: "node-heal-hop", token, start });
  }

  #send(
    visit: Visit,
    to: NodeAddress,
    command:
      | { readonly kind: "node-heal-hop"; readonly token: string; readonly start: NodeAddress }
      | { readonly kind: "node-heal-done"; readonly token: string },
  ): void {
    this.#core.askCommand(to, command, (answer) => {
      if (answer.kind === "line") {
        this.#visits.delete(visit);
        this.#releaseIfDone();
        return this.#core.cancel(`look ${visit.token}`);
      }
      visit.isSending = false;
      this.#lookAgain(visit);
    });
  }

  /** A ring whose nodes never respawn by themselves heals as long as a walk is under way, not longer. */
  #releaseIfDone(): void {
    if (this.#visits.size === 0 && this.#begun.size === 0) this.#healing.release();
  }

  /** The next hop, once it and whatever lies before it is well. */
  #nextWell(): NodeAddress | undefined {
    const { view } = this.#core;
    if (!view.isWired) return nextHop(this.#core) ?? view.self;
    for (const address of view.fromSelf.slice(1)) {
      const member = view.member(address);
      if (member?.status === "Dead" && member.program === "original") continue;
      return this.#watch.hasAnswered(address) && member?.status === "Alive" ? address : undefined;
    }
    return view.self;
  }

  #others(): NodeAddress[] {
    const { view } = this.#core;
    return view.members().flatMap(({ address, program }) =>
      address === view.self || program === "original" ? [] : address
    );
  }

  #check(check: Check): void {
    const isHealed = this.#others().every((node) =>
      this.#core.view.member(node)?.status === "Alive"
    );
    if (check.waiting.size === 0 && check.asking.size === 0 && isHealed) {
      this.#checks.delete(check.token);
      return this.#end(check.token, healedReply);
    }
    for (const address of check.waiting) {
      if (check.asking.size >= announcementsMax) return;
      check.waiting.delete(address);
      check.asking.add(address);
      this.#core.ping(address, (answer) => this.#checked(check, address, answer));
    }
  }

  #checked(check: Check, address: NodeAddress, answer: Answer): void {
    const pong = answer.kind === "line" ? parseRingPong(answer.line) : undefined;
    if (pong?.viewDigest === this.#core.view.digest) return void check.asking.delete(address);
    if (pong !== undefined) this.#exchange.compare(address);
    this.#core.later(`check ${check.token} ${address}`, this.#core.timing.retryMs, () => {
      check.asking.delete(address);
      check.waiting.add(address);
    });
  }

  #end(token: string, text: string): void {
    const id = this.#begun.get(token);
    if (id === undefined) return;
    this.#begun.delete(token);
    this.#releaseIfDone();
    this.#core.cancel(`heal walk ${token}`);
    this.#core.emit({ kind: "reply", id, text });
  }
}
