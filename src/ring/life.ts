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
 * 2. It catches up only after every member that is not Dead has confirmed that it knows of the node:
 *    from then on no commit passes the node by. Who does not confirm is found Dead, or is asked
 *    until it does.
 * 3. It is ready only if nobody has called it Dead since it began to announce itself.
 */
export class Life {
  readonly #core: RingCore;
  /** Takes the view that came as an answer. */
  readonly #merge: (view: ViewMessage) => void;
  #phase: "announcing" | "catching-up" | "ready" | "stopped" = "announcing";
  #announcedMs = Infinity;
  /** Counts the beginnings, so that what is left of an older one is ignored. */
  #generation = 0;
  #round = 0;
  /** Who has confirmed, and the digest of its catalog. */
  readonly #told = new Map<NodeAddress, string>();
  readonly #untold = new Set<NodeAddress>();
  readonly #telling = new Set<NodeAddress>();
  readonly #resting = new Set<NodeAddress>();

  constructor(core: RingCore, merge: (view: ViewMessage) => void) {
    this.#core = core;
    this.#merge = merge;
    core.onSelfNews = (member) => this.#hear(member);
  }

  /** Since when every member knows of this node, and it of them; `Infinity` before. */
  get announcedMs(): number {
    return this.#announcedMs;
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
    this.#begin();
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
    if (this.#telling.size + this.#resting.size === 0) {
      this.#phase = "catching-up";
      this.#announcedMs = this.#core.nowMs;
      this.#catchUp();
    }
  }

  #begin(): void {
    this.#phase = "announcing";
    this.#announcedMs = Infinity;
    this.#generation++;
    this.#core.cancel("catch-up");
    for (const set of [this.#told, this.#untold, this.#telling, this.#resting]) set.clear();
    for (const address of this.#core.view.fromSelf) {
      if (this.#mustKnow(address)) this.#untold.add(address);
    }
  }

  #tell(address: NodeAddress): void {
    const generation = this.#generation;
    const view = this.#core.newsOf([this.#core.view.own]);
    this.#telling.add(address);
    this.#core.ask(address, { kind: "view", view }, (answer) => {
      if (generation !== this.#generation) return this.#mergeAnswer(answer);
      this.#telling.delete(address);
      if (answer.kind === "view") this.#told.set(address, answer.view.catalogDigest ?? "");
      else if (this.#mustKnow(address)) this.#rest(address);
      this.#mergeAnswer(answer);
    });
  }

  #mergeAnswer(answer: Answer): void {
    if (answer.kind === "view") this.#merge(answer.view);
  }

  #rest(address: NodeAddress): void {
    const generation = this.#generation;
    this.#resting.add(address);
    this.#core.later(`tell ${address}`, this.#core.timing.retryMs, () => {
      if (generation !== this.#generation || !this.#resting.delete(address)) return;
      this.#untold.add(address);
    });
  }

  #catchUp(): void {
    const peers = [...this.#told].map(([address, catalogDigest]) => ({ address, catalogDigest }));
    this.#core.emit({ kind: "catch-up", round: ++this.#round, peers });
  }

  /** A ring with members that do not know of this node may hold what it lacks. */
  #reshaped(): void {
    const { fromSelf } = this.#core.view;
    const areStrangers = fromSelf.some((node) => this.#mustKnow(node) && !this.#told.has(node));
    if (areStrangers && this.#phase !== "stopped") this.#begin();
  }

  #memberChanged(address: NodeAddress): void {
    if (this.#mustKnow(address)) {
      const known = this.#told.has(address) || this.#telling.has(address) ||
        this.#resting.has(address);
      if (!known) this.#untold.add(address);
      return;
    }
    this.#told.delete(address);
    this.#untold.delete(address);
    this.#resting.delete(address);
  }

  #mustKnow(address: NodeAddress): boolean {
    const member = this.#core.view.member(address);
    return member !== undefined && address !== this.#core.self && member.status !== "Dead" &&
      member.program !== "original";
  }

  /** Somebody says of this node what it has not said itself. */
  #hear(member: Member): void {
    const own = this.#core.view.own;
    if (this.#phase === "stopped" || compareMembers(member, own) <= 0) return;
    if (member.status === "Dead") {
      this.#core.log("warn", "this node catches up", { reason: "it was called dead" });
      this.#core.view.put(this.#ownMember({ status: "Joining", epoch: member.epoch + 1 }));
      this.#core.isChanged = true;
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
