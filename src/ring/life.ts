import type { NodeAddress } from "../protocol/address.ts";
import type { RingState } from "../protocol/peer_replies.ts";
import { announcementsMax } from "./config.ts";
import type { Changes, RingCore } from "./core.ts";
import type { Answer } from "./effects.ts";
import { compareMembers, type Member } from "./member.ts";
import type { ViewMessage } from "./view_codec.ts";

/**
 * The node's own part in the ring: that it is back, what it missed, and that it serves.
 *
 * Announcing → catching up → ready. It begins at the start of the process, after a sleep longer than
 * the lease, when the node hears that it was called Dead, and when it finds itself in another ring.
 *
 * 1. Only the node itself begins a new epoch of its own. Called Dead, it says `Joining` in the next
 *    epoch, and `Alive` once it is ready.
 * 2. It catches up only after every member has confirmed that it knows of the node: from then on no
 *    commit passes the node by. Who does not confirm is found Dead, or is asked until it does.
 * 3. Dead members count too, as this node's view may be old, until a member that is ready has shown
 *    its own. Where nobody is ready, as when the whole ring starts, they have a time of grace to
 *    come: they may hold what was committed while this node was away.
 * 4. It is ready only if nobody has called it Dead since it began to announce itself.
 */
export class Life {
  readonly #core: RingCore;
  /** Takes the view that came as an answer. */
  readonly #merge: (view: ViewMessage) => void;
  #phase: "announcing" | "catching-up" | "ready" | "stopped" = "announcing";
  #healsSinceMs = Infinity;
  /** Until then members that do not answer are waited for, if nobody is ready. */
  #graceUntilMs = 0;
  /** Counts the beginnings, so that what is left of an older one is ignored. */
  #generation = 0;
  #round = 0;
  /** This process has listened ever since, so what it receives was not said before it began. */
  #isAwake = true;
  /** Who has confirmed, and with what. */
  readonly #told = new Map<NodeAddress, Confirmation>();
  readonly #untold = new Set<NodeAddress>();
  readonly #telling = new Set<NodeAddress>();
  readonly #resting = new Set<NodeAddress>();

  constructor(core: RingCore, merge: (view: ViewMessage) => void) {
    this.#core = core;
    this.#merge = merge;
    core.onSelfNews = (member) => this.#hear(member);
    core.isReady = () => this.#phase === "ready";
  }

  /**
   * Since when what this process sees of deaths can be trusted; `Infinity` while it starts, as the
   * others may be starting as well.
   */
  get healsSinceMs(): number {
    const { isColdStart, startedMs, timing } = this.#core;
    return isColdStart
      ? this.#healsSinceMs
      : Math.min(this.#healsSinceMs, startedMs + timing.coldStartGraceMs);
  }

  get isStopped(): boolean {
    return this.#phase === "stopped";
  }

  state(): RingState {
    if (this.#phase === "stopped") return "stopping";
    return this.#phase === "ready" ? "ready" : "catching-up";
  }

  /** Begins the life of the process with what was saved of the last one. */
  start(): void {
    const own = this.#core.view.own;
    const status = own.status === "Dead" ? "Joining" : own.status;
    if (status !== own.status || !this.#isContentOwn(own)) {
      this.#core.view.put(this.#ownMember({ status, epoch: own.epoch + 1 }));
      this.#core.isChanged = true;
    }
    this.#begin();
  }

  /** Begins anew, as much may have happened that this node does not know of. */
  rejoin(reason: string): void {
    if (this.#phase === "stopped") return;
    this.#core.log("warn", "this node catches up", { reason });
    this.#isAwake = false;
    this.#begin();
  }

  /**
   * Somebody sent a view. If it says of this node just what this node says itself, the sender need
   * not be told any more: where all begin at once, that is half of the messages.
   */
  received(view: ViewMessage): void {
    const { from, members } = view;
    if (this.#phase !== "announcing" || !this.#isAwake) return;
    if (from === undefined || !this.#mustKnow(from)) return;
    const own = members.find(({ address }) => address === this.#core.self);
    if (own === undefined || compareMembers(own, this.#core.view.own) !== 0) return;
    this.#confirmed(from, view);
    this.#untold.delete(from);
    this.#resting.delete(from);
  }

  stop(): void {
    this.#phase = "stopped";
  }

  /** The catch-up of this round is done. */
  caughtUp(round: number): void {
    if (this.#phase !== "catching-up" || round !== this.#round) return;
    this.#phase = "ready";
    this.#core.log("info", "this node is ready", { epoch: this.#core.view.own.epoch });
    this.#sayAlive();
  }

  /** The catch-up of this round failed; it is tried again. */
  catchUpFailed(round: number): void {
    if (this.#phase !== "catching-up" || round !== this.#round) return;
    const generation = this.#generation;
    this.#core.later("catch-up", 2 * this.#core.timing.retryMs, () => {
      if (this.#phase === "catching-up" && this.#generation === generation) this.#catchUp();
    });
  }

  /** Does what the latest changes make due. */
  review(changes: Changes): void {
    if (changes.isReshaped) this.#reshaped();
    for (const address of changes.members) this.#memberChanged(address);
    if (this.#phase !== "announcing") return;
    for (const address of this.#untold) {
      if (this.#telling.size >= announcementsMax) return;
      this.#untold.delete(address);
      this.#tell(address);
    }
    if (this.#telling.size + this.#resting.size === 0) this.#announced();
  }

  #begin(): void {
    this.#phase = "announcing";
    this.#graceUntilMs = this.#core.nowMs + this.#core.timing.aloneGraceMs;
    if (this.healsSinceMs < Infinity) this.#healsSinceMs = this.#core.nowMs;
    this.#generation++;
    this.#core.cancel("catch-up");
    for (const set of [this.#told, this.#untold, this.#telling, this.#resting]) set.clear();
    for (const address of this.#core.view.fromSelf) {
      if (this.#mustKnow(address)) this.#untold.add(address);
    }
  }

  #tell(address: NodeAddress): void {
    const generation = this.#generation;
    const { own } = this.#core.view;
    const view = this.#core.newsOf([own, this.#core.view.member(address) ?? own]);
    this.#telling.add(address);
    this.#core.ask(address, { kind: "view", view }, (answer) => {
      if (generation === this.#generation) {
        this.#telling.delete(address);
        if (answer.kind === "view") this.#confirmed(address, answer.view);
        else if (this.#isAwaited(address) && !this.#told.has(address)) this.#rest(address);
      }
      this.#mergeAnswer(answer);
    });
  }

  #confirmed(address: NodeAddress, view: ViewMessage): void {
    const { catalogDigest = "", isReady = false } = view;
    this.#told.set(address, { catalogDigest, isReady });
    if (!isReady) return;
    // What it says of the Dead is news enough.
    for (const dead of [...this.#untold, ...this.#resting]) {
      if (this.#isAwaited(dead)) continue;
      this.#untold.delete(dead);
      this.#resting.delete(dead);
    }
  }

  #mergeAnswer(answer: Answer): void {
    if (answer.kind === "view") this.#merge(answer.view);
  }

  #rest(address: NodeAddress): void {
    const generation = this.#generation;
    this.#resting.add(address);
    this.#core.later(`tell ${address}`, this.#core.timing.retryMs, () => {
      if (generation !== this.#generation || !this.#resting.delete(address)) return;
      if (this.#isAwaited(address)) this.#untold.add(address);
    });
  }

  #announced(): void {
    this.#phase = "catching-up";
    if (this.#healsSinceMs === Infinity) this.#healsSinceMs = this.#core.nowMs;
    this.#catchUp();
  }

  #catchUp(): void {
    const peers = [...this.#told].map(([address, { catalogDigest }]) => ({
      address,
      catalogDigest,
    }));
    this.#core.emit({ kind: "catch-up", round: ++this.#round, peers });
  }

  /** A ring with members that do not know of this node may hold what it lacks. */
  #reshaped(): void {
    const { fromSelf } = this.#core.view;
    const areStrangers = fromSelf.some((node) => this.#mustKnow(node) && !this.#told.has(node));
    if (areStrangers && this.#phase !== "stopped") this.#begin();
  }

  #memberChanged(address: NodeAddress): void {
    if (this.#core.view.member(address)?.status === "Dead") this.#forget(address);
    if (!this.#isAwaited(address)) {
      this.#untold.delete(address);
      this.#resting.delete(address);
      return;
    }
    const isKnown = this.#told.has(address) || this.#telling.has(address) ||
      this.#resting.has(address);
    if (!isKnown) this.#untold.add(address);
  }

  /** Who has died has to be told again once it is back. */
  #forget(address: NodeAddress): void {
    const wasReady = this.#told.get(address)?.isReady === true;
    this.#told.delete(address);
    // Nobody may be left that is known to have everything.
    if (wasReady && this.#phase === "catching-up" && !this.#isAnyReady()) this.#begin();
  }

  /** Whether a member runs this program, so that it must know of this node if it runs at all. */
  #mustKnow(address: NodeAddress): boolean {
    const member = this.#core.view.member(address);
    return member !== undefined && address !== this.#core.self && member.program !== "original";
  }

  /** Whether this node must not go on before a member has confirmed. */
  #isAwaited(address: NodeAddress): boolean {
    if (!this.#mustKnow(address)) return false;
    if (this.#core.view.member(address)?.status !== "Dead") return true;
    return !this.#isAnyReady() && this.#core.nowMs < this.#graceUntilMs;
  }

  #isAnyReady(): boolean {
    for (const { isReady } of this.#told.values()) {
      if (isReady) return true;
    }
    return false;
  }

  /** Somebody says of this node what it has not said itself. */
  #hear(member: Member): void {
    const own = this.#core.view.own;
    if (this.#phase === "stopped" || compareMembers(member, own) <= 0) return;
    if (member.status === "Dead") {
      this.#core.log("warn", "this node catches up", { reason: "it was called dead" });
      this.#core.view.put(this.#ownMember({ status: "Joining", epoch: member.epoch + 1 }));
      this.#core.isChanged = true;
      this.#isAwake = false;
      this.#begin();
    } else if (this.#isContentOwn(member)) {
      this.#core.view.put(member);
      this.#core.isChanged = true;
      if (this.#phase === "ready") this.#sayAlive();
    } else {
      this.#core.declareSelf(this.#ownMember({ status: own.status, epoch: member.epoch + 1 }));
    }
  }

  #sayAlive(): void {
    const own = this.#core.view.own;
    if (own.status !== "Alive") this.#core.declareSelf({ ...own, status: "Alive" });
  }

  #ownMember({ status, epoch }: Pick<Member, "status" | "epoch">): Member {
    const { self, options } = this.#core.config;
    return { address: self, status, epoch, program: "ouroboros", options };
  }

  #isContentOwn({ program, options }: Member): boolean {
    return program === "ouroboros" && options === this.#core.config.options;
  }
}

/** What a member said when it confirmed that it knows of this node. */
interface Confirmation {
  readonly catalogDigest: string;
  readonly isReady: boolean;
}
