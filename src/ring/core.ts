import { type NodeAddress, splitAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import { isUnknownCommand } from "../protocol/errors.ts";
import type { NetmapEntry } from "../protocol/lists.ts";
import { defaultTiming, requestsMax, type RingConfig, type RingTiming } from "./config.ts";
import type { Answer, Effect, RingMessage } from "./effects.ts";
import type { Member } from "./member.ts";
import { type QueuedTimer, TimerQueue } from "./timer_queue.ts";
import { type Shape, View } from "./view.ts";
import type { ViewMessage } from "./view_codec.ts";

/** A request under way. */
interface Ask {
  readonly to: NodeAddress;
  readonly sinceMs: number;
  readonly then: (answer: Answer) => void;
}

/** What has changed since the parts of the machine last looked. */
export interface Changes {
  /** Other members of whom there is news. */
  readonly members: ReadonlySet<NodeAddress>;
  /** The ring has got another order. */
  readonly isReshaped: boolean;
}

/** How {@linkcode RingCore.ask} asks. */
export interface AskOptions {
  /** Default: `answerMs` of the timing. */
  readonly deadlineMs?: number;
}

/**
 * What the parts of the ring machine share: the view, the requests under way, the timers, and the
 * rules by which a node is found dead.
 *
 * 1. A node that refuses or breaks a connection is Dead at once; a silent one is asked a second time
 *    first. Any answer, an error too, is life.
 * 2. Silence that began before this process was last stopped says nothing: it was this node that
 *    did not listen.
 * 3. Nobody is found Dead while the ring is being stopped, nor, unless asked for outright, a member
 *    that this process has not met within the grace of a cold start.
 */
export class RingCore {
  readonly config: RingConfig;
  readonly timing: RingTiming;
  readonly view: View;
  /** The host that bare ports in lists mean. */
  readonly hostname: string;
  /** Members whose news this node has to tell the others. */
  readonly news = new Set<NodeAddress>();
  /** When a member was found Dead, as far as this process saw it. */
  readonly diedMs = new Map<NodeAddress, number>();
  /** What the machine knows has changed since it was last saved. */
  isChanged = false;
  /** The next hop that `NODE NEXT` set against the shape. */
  nextOverride: NodeAddress | undefined;
  /** The time of the step under way. */
  nowMs = 0;
  startedMs = 0;
  /** Until then the ring is being stopped and nobody heals. */
  pausedUntilMs = -Infinity;
  /** Whether this node serves clients. Set by the part that lives its life. */
  isReady: () => boolean = () => false;
  /** Takes what others say of this node. Set by the part that lives its life. */
  onSelfNews: (member: Member) => void = () => {};
  #wokeMs = -Infinity;
  readonly #seen = new Set<NodeAddress>();
  readonly #suspects = new Map<NodeAddress, number>();
  readonly #asks = new Map<number, Ask>();
  readonly #timers = new TimerQueue();
  readonly #keyed = new Map<string, QueuedTimer>();
  #effects: Effect[] = [];
  #changed = new Set<NodeAddress>();
  #isReshaped = false;
  #lastId = 0;

  constructor(config: RingConfig) {
    this.config = config;
    this.timing = { ...defaultTiming, ...config.timing };
    this.hostname = splitAddress(config.self).hostname;
    this.view = new View({
      address: config.self,
      status: "Alive",
      epoch: 0,
      program: "ouroboros",
      options: config.options,
    });
  }

  get self(): NodeAddress {
    return this.config.self;
  }

  get isPaused(): boolean {
    return this.nowMs < this.pausedUntilMs;
  }

  /** The process has just started: perhaps the whole ring has. */
  get isColdStart(): boolean {
    return this.nowMs < this.startedMs + this.timing.coldStartGraceMs;
  }

  /** When the machine must be stepped again at the latest. */
  get wakeAtMs(): number | undefined {
    return this.#timers.firstAtMs;
  }

  emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  log(
    level: "debug" | "info" | "warn",
    event: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void {
    this.emit({ kind: "log", level, event, fields });
  }

  /** The effects since the last call. */
  takeEffects(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Whether anything has changed since the parts last looked. */
  get hasChanges(): boolean {
    return this.#changed.size > 0 || this.#isReshaped;
  }

  /** What has changed since the last call. */
  takeChanges(): Changes {
    const changes = { members: this.#changed, isReshaped: this.#isReshaped };
    this.#changed = new Set();
    this.#isReshaped = false;
    return changes;
  }

  /** Runs `run` after `ms`; a timer of the same key is replaced. */
  later(key: string, ms: number, run: () => void): void {
    if (!Number.isFinite(ms)) throw new RangeError(`Cannot wait ${ms} ms for '${key}'`);
    this.cancel(key);
    const timer = this.#timers.add(this.nowMs + ms, () => {
      this.#keyed.delete(key);
      run();
    });
    this.#keyed.set(key, timer);
  }

  cancel(key: string): void {
    const timer = this.#keyed.get(key);
    if (timer !== undefined) timer.cancelled = true;
    this.#keyed.delete(key);
  }

  /** Runs the timers that are due. One that a timer sets for the same time runs in the next step. */
  runTimers(): void {
    const due: QueuedTimer[] = [];
    for (let timer = this.#timers.takeDue(this.nowMs); timer !== undefined;) {
      due.push(timer);
      timer = this.#timers.takeDue(this.nowMs);
    }
    for (const timer of due) {
      if (!timer.cancelled) timer.run();
    }
  }

  /** Sends a request; `then` gets its one answer. */
  ask(
    to: NodeAddress,
    message: RingMessage,
    then: (answer: Answer) => void,
    options: AskOptions = {},
  ): void {
    if (this.#asks.size >= requestsMax) return then({ kind: "local" });
    const id = ++this.#lastId;
    this.#asks.set(id, { to, sinceMs: this.nowMs, then });
    const deadlineMs = options.deadlineMs ?? this.timing.answerMs;
    this.emit({ kind: "request", id, to, message, deadlineMs });
  }

  /** Sends a command; `then` gets its one answer. */
  askCommand(to: NodeAddress, command: Command, then: (answer: Answer) => void): void {
    this.ask(to, { kind: "command", command }, then);
  }

  /** Asks a node whether it is there, in a way that its program understands. */
  ping(to: NodeAddress, then: (answer: Answer) => void): void {
    const member = this.view.member(to);
    if (member?.program === "original") return this.askCommand(to, { kind: "node-ping" }, then);
    const { incarnation, catalogDigest } = this.config;
    this.askCommand(to, {
      kind: "ring-ping",
      from: this.self,
      incarnation,
      viewDigest: this.view.digest,
      catalogDigest: catalogDigest(),
    }, then);
  }

  /** A message with news of some members. */
  newsOf(members: readonly Member[]): ViewMessage {
    return {
      from: this.self,
      digest: this.view.digest,
      catalogDigest: this.config.catalogDigest(),
      isReady: this.isReady(),
      full: false,
      members,
    };
  }

  /** Takes the answer to a request; a second one, or one nobody asked for, is ignored. */
  answered(id: number, answer: Answer): void {
    const ask = this.#asks.get(id);
    if (ask === undefined) return;
    this.#asks.delete(id);
    const overslept = answer.kind === "silent" && ask.sinceMs < this.#wokeMs;
    const seen: Answer = overslept ? { kind: "local" } : answer;
    this.#observe(ask, seen);
    ask.then(seen);
  }

  /** Notes that a member is there, as it has been heard. */
  met(address: NodeAddress): void {
    if (this.view.position(address) === undefined) return;
    this.#seen.add(address);
    this.#suspects.delete(address);
  }

  /** Whether a node has not answered a first time and is asked again. */
  isSuspect(address: NodeAddress): boolean {
    return this.#suspects.has(address);
  }

  /** Notes that this process was stopped until now. */
  woke(): void {
    this.#wokeMs = this.nowMs;
    this.#suspects.clear();
  }

  /**
   * Takes news of another member, whoever told it; false when it is none. Telling the others is
   * not part of it.
   *
   * @param reason why this node itself finds the member Dead
   */
  apply(member: Member, reason?: string): boolean {
    if (member.address === this.self) {
      this.onSelfNews(member);
      return false;
    }
    const before = this.view.member(member.address);
    if (before === member || !this.view.put(member)) return false;
    this.isChanged = true;
    this.#changed.add(member.address);
    if (before?.status === member.status) return true;
    if (member.status === "Dead") {
      this.diedMs.set(member.address, this.nowMs);
      this.#seen.delete(member.address);
      this.#suspects.delete(member.address);
    } else {
      this.diedMs.delete(member.address);
    }
    this.emit({ kind: "status", member, reason });
    this.log("info", `node is ${statusWords[member.status]}`, {
      node: member.address,
      epoch: member.epoch,
    });
    return true;
  }

  /** Takes a shape if it beats the known one. */
  adopt(shape: Shape): boolean {
    const before = this.view.shape.order.join(" ");
    if (!this.view.adopt(shape)) return false;
    this.isChanged = true;
    if (this.view.shape.order.join(" ") === before) return true;
    this.#isReshaped = true;
    this.nextOverride = undefined;
    this.log("info", "ring has another shape", {
      members: shape.order.length,
      version: shape.version,
    });
    return true;
  }

  /** Finds a member Dead by what this node saw, and has everybody told. */
  kill(address: NodeAddress, reason: string): void {
    const member = this.view.member(address);
    if (member === undefined || member.status === "Dead" || address === this.self) return;
    this.log("warn", "node does not answer", { node: address, reason });
    this.apply({ ...member, status: "Dead" }, reason);
    this.news.add(address);
  }

  /** Takes news that this node is the first to know, and has everybody told. */
  declare(member: Member): void {
    if (this.apply(member)) this.news.add(member.address);
  }

  /** Changes what this node says of itself, and has everybody told. */
  declareSelf(member: Member): void {
    if (!this.view.put(member)) return;
    this.isChanged = true;
    this.news.add(this.self);
  }

  /** Every member as a netmap says it. */
  netmap(): NetmapEntry[] {
    return this.view.members().map(({ address, status }) => ({
      address,
      status: status === "Alive" ? "Alive" : "Dead",
    }));
  }

  #observe(ask: Ask, answer: Answer): void {
    switch (answer.kind) {
      case "line":
      case "view":
        return this.met(ask.to);
      case "error":
        this.met(ask.to);
        if (isUnknownCommand(answer.error)) this.#isOriginal(ask.to);
        return;
      case "refused":
        this.#suspects.delete(ask.to);
        if (this.#mayFindDead(ask.to)) this.kill(ask.to, "refused the connection");
        return;
      case "silent":
        return this.#silent(ask);
      case "local":
        return;
    }
  }

  #silent(ask: Ask): void {
    const since = this.#suspects.get(ask.to);
    if (!this.#mayFindDead(ask.to)) return;
    if (since === undefined) {
      this.#suspects.set(ask.to, this.nowMs);
      this.ping(ask.to, () => {});
    } else if (ask.sinceMs >= since) {
      this.kill(ask.to, "was silent twice");
      const member = this.view.member(ask.to);
      if (member === undefined || member.program === "original") return;
      // A stopped process reads this first when it goes on.
      this.ask(ask.to, { kind: "view", view: this.newsOf([member]) }, () => {});
    }
  }

  #mayFindDead(address: NodeAddress): boolean {
    const status = this.view.member(address)?.status;
    if (status === undefined || status === "Dead" || this.isPaused) return false;
    return this.#seen.has(address) || !this.isColdStart;
  }

  /** Only our program knows `RING`: who does not is an original. */
  #isOriginal(address: NodeAddress): void {
    const member = this.view.member(address);
    if (member === undefined || member.program === "original") return;
    this.log("info", "node runs the original program", { node: address });
    this.declare({ ...member, program: "original" });
  }
}

const statusWords = { Joining: "joining", Alive: "alive", Dead: "dead" } as const;
