import type { NodeAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import { ringPongReply, type RingState } from "../protocol/peer_replies.ts";
import { nodeNextReply, nodeStatusReply, okReply } from "../protocol/replies.ts";
import type { RingConfig } from "./config.ts";
import { RingCore } from "./core.ts";
import type { Answer, Effect } from "./effects.ts";
import { Exchange } from "./exchange.ts";
import { HealWalk } from "./heal_walk.ts";
import { Healing, type RespawnOutcome } from "./healing.ts";
import { nextHop } from "./hops.ts";
import { Life } from "./life.ts";
import { Netmap } from "./netmap.ts";
import type { View } from "./view.ts";
import { fullView, type ViewMessage } from "./view_codec.ts";
import { Walks } from "./walks.ts";
import { Watch } from "./watch.ts";

/** The commands of the protocol that the ring machine serves. `ring-view` is an event of its own. */
export type RingCommand = Extract<Command, { readonly kind: RingCommandKind }>;

type RingCommandKind =
  | "node-status"
  | "node-next"
  | "node-heal"
  | "node-heal-hop"
  | "node-heal-done"
  | "netmap-get"
  | "netmap-discover"
  | "netmap-hop"
  | "netmap-done"
  | "netmap-set"
  | "topology-walk"
  | "topology-hop"
  | "topology-done"
  | "topology-set"
  | "ring-forward"
  | "ring-ping"
  | "ring-stopping";

/** What happens to a ring machine. */
export type RingEvent =
  /** The process begins, with what was saved of the last one. The first event, and only that. */
  | { readonly kind: "start"; readonly saved?: ViewMessage }
  /** `wakeAtMs` has come. */
  | { readonly kind: "wake" }
  /** A request has ended; exactly one for each. */
  | { readonly kind: "answered"; readonly id: number; readonly answer: Answer }
  /** Somebody sent a command; a `reply` effect with the id follows, at once or later. */
  | {
    readonly kind: "command";
    readonly id: number;
    readonly command: RingCommand;
    /** A token that nobody else uses, for the walk that the command may begin. */
    readonly token: string;
  }
  /** Somebody sent a `RING VIEW`; a `reply-view` effect with the id follows at once. */
  | { readonly kind: "view"; readonly id: number; readonly view: ViewMessage }
  /** A part of the node found a member dead; a `told` effect with the id follows. */
  | {
    readonly kind: "mark-dead";
    readonly id: number;
    readonly address: NodeAddress;
    readonly reason: string;
  }
  | {
    readonly kind: "respawned";
    readonly address: NodeAddress;
    readonly outcome: RespawnOutcome;
  }
  | { readonly kind: "caught-up"; readonly round: number }
  | { readonly kind: "catch-up-failed"; readonly round: number }
  /** The node has lost something, its catalog perhaps: it catches up before it serves again. */
  | { readonly kind: "rejoin"; readonly reason: string }
  /** The process is about to end. */
  | { readonly kind: "stop" };

/** A view settles in a pass or two; more would mean that two parts undo each other's work. */
const settlePassesMax = 8;

/**
 * The membership of one node in a ring: who belongs to it, who is alive, who heals whom.
 *
 * The machine is logic only. It has no clock, socket, process or random source: whoever drives it
 * calls `step` with what happened and when, and does the effects that come back. The driver in
 * `node/` does them for real; the simulation does them for a thousand machines on a virtual clock,
 * and the same events give the same effects. The loop:
 *
 * ```text
 * effects = machine.step(event, now)      for every message, answer, outcome, and at wakeAtMs
 * do each effect once                     requests, replies, respawns, saving, in any order
 * ```
 *
 * Its parts: `Life` is the node's own part in the ring; `Watch` looks at the successors; `Healing`
 * brings Dead ones back; `Exchange` carries news; `Walks` and `HealWalk` are the walks of the
 * protocol. `RingCore` is what they share.
 *
 * 1. Every request, command, view and mark-dead has exactly one end, whatever is lost: requests
 *    have deadlines, and so have walks.
 * 2. Duplicates, late and reordered messages, and old news, change nothing. Views only grow, and
 *    grow together: what two nodes know is the same in the end, in whatever order they learn it.
 * 3. A node is never Dead for long against its will: it hears of it, begins a new epoch, catches up,
 *    and says so.
 * 4. No two respawns of one member are under way from one machine.
 * 5. Nothing is kept or sent without a limit: members, requests, tokens and walks have theirs in
 *    `config.ts` and `protocol/limits.ts`, and the idle ring sends two pings an interval and node.
 */
export class RingMachine {
  readonly #core: RingCore;
  readonly #exchange: Exchange;
  readonly #healing: Healing;
  readonly #healWalk: HealWalk;
  readonly #life: Life;
  readonly #netmap: Netmap;
  readonly #walks: Walks;
  readonly #watch: Watch;

  constructor(config: RingConfig) {
    const core = new RingCore(config);
    const exchange = new Exchange(core);
    this.#core = core;
    this.#exchange = exchange;
    this.#life = new Life(core, (view) => exchange.merge(view));
    this.#watch = new Watch(core, exchange, this.#life);
    this.#healing = new Healing(core, exchange, this.#life);
    this.#netmap = new Netmap(core, exchange);
    this.#walks = new Walks(core, exchange, this.#netmap);
    this.#healWalk = new HealWalk(core, { exchange, watch: this.#watch, healing: this.#healing });
  }

  /** What this node knows of the ring. Only to be read. */
  get view(): View {
    return this.#core.view;
  }

  /** The next hop as `NODE STATUS` says it; `undefined` before the node was wired. */
  get next(): NodeAddress | undefined {
    return nextHop(this.#core);
  }

  /** When the machine must be stepped again at the latest; `undefined` before the start. */
  get wakeAtMs(): number | undefined {
    return this.#core.wakeAtMs;
  }

  /**
   * Whether the node may serve, at a time that no step may have been made for yet: after a sleep
   * longer than the lease it may not, whichever event comes first.
   */
  stateAt(nowMs: number): RingState {
    const state = this.#life.state();
    const overslept = nowMs - this.#core.nowMs > this.#core.timing.leaseMs;
    return state === "ready" && overslept ? "catching-up" : state;
  }

  /**
   * The members that take commits, in ring order, this node first: who is Alive, who is Joining, and
   * who has been Dead for so short a time that it may not know yet, and serve without the commit.
   */
  commitMembers(nowMs: number): NodeAddress[] {
    const { diedMs, timing } = this.#core;
    return this.view.members().flatMap(({ address, status }) => {
      const deadMs = status === "Dead" ? nowMs - (diedMs.get(address) ?? -Infinity) : 0;
      return address === this.view.self || deadMs < timing.tellDeadMs ? address : [];
    });
  }

  /** What to save and to give to the next `start`. */
  snapshot(): ViewMessage {
    const next = this.#core.nextOverride;
    return { ...fullView(this.view), ...(next === undefined ? {} : { next }) };
  }

  /** Takes an event at a time, which never goes back, and gives what is to be done. */
  step(event: RingEvent, nowMs: number): Effect[] {
    const core = this.#core;
    const overslept = event.kind !== "start" && nowMs - core.nowMs > core.timing.leaseMs;
    core.nowMs = nowMs;
    if (overslept) {
      core.woke();
      this.#life.rejoin("this process was stopped for a while");
    }
    this.#take(event);
    core.runTimers();
    this.#settle();
    return core.takeEffects();
  }

  #take(event: RingEvent): void {
    switch (event.kind) {
      case "start":
        return this.#start(event.saved);
      case "wake":
        return;
      case "answered":
        return this.#core.answered(event.id, event.answer);
      case "command":
        return this.#command(event);
      case "view": {
        const wasWired = this.view.isWired;
        const view = this.#exchange.serve(event.view);
        this.#life.received(event.view);
        if (!wasWired && this.view.isWired) this.#netmap.wired();
        return this.#core.emit({ kind: "reply-view", id: event.id, view });
      }
      case "mark-dead":
        return this.#markDead(event);
      case "respawned":
        return this.#healing.respawned(event.address, event.outcome);
      case "caught-up":
        return this.#life.caughtUp(event.round);
      case "catch-up-failed":
        return this.#life.catchUpFailed(event.round);
      case "rejoin":
        return this.#life.rejoin(event.reason);
      case "stop":
        return this.#life.stop();
    }
  }

  #start(saved: ViewMessage | undefined): void {
    const core = this.#core;
    core.startedMs = core.nowMs;
    if (saved?.shape !== undefined) core.view.adopt(saved.shape);
    for (const member of saved?.members ?? []) core.view.put(member);
    core.nextOverride = saved?.next;
    this.#life.start();
    this.#watch.start();
    this.#beat();
  }

  /** A step now and then, however quiet it is, so that a missing one means a sleep. */
  #beat(): void {
    this.#core.later("heartbeat", this.#core.timing.heartbeatMs, () => this.#beat());
  }

  /** Lets the parts act on what has changed until nothing changes any more. */
  #settle(): void {
    for (let pass = 0; pass === 0 || this.#core.hasChanges; pass++) {
      if (pass >= settlePassesMax) throw new Error("The parts of the ring machine do not settle");
      this.#life.review(this.#core.takeChanges());
      this.#watch.review();
      this.#healing.review();
      this.#healWalk.review();
      this.#exchange.flush();
    }
    if (this.#core.isChanged) this.#core.emit({ kind: "save" });
    this.#core.isChanged = false;
  }

  #markDead({ id, address, reason }: RingEvent & { readonly kind: "mark-dead" }): void {
    const core = this.#core;
    const told = () => core.emit({ kind: "told", id });
    const before = core.view.member(address);
    core.kill(address, reason);
    const member = core.view.member(address);
    if (member === undefined || member === before || member.program === "original") return told();
    const view = core.newsOf([member]);
    core.ask(address, { kind: "view", view }, (answer) => {
      if (answer.kind === "view") this.#exchange.merge(answer.view);
      told();
    }, { deadlineMs: core.timing.tellDeadMs });
  }

  #command({ id, command, token }: RingEvent & { readonly kind: "command" }): void {
    if (command.kind === "node-heal") return this.#healWalk.begin(token, id);
    if (command.kind === "topology-walk") return this.#walks.walk(token, id);
    this.#core.emit({ kind: "reply", id, text: this.#answer(command, token) });
  }

  /** Serves a command that is answered at once. */
  #answer(
    command: Exclude<RingCommand, { readonly kind: "node-heal" | "topology-walk" }>,
    token: string,
  ): string {
    switch (command.kind) {
      case "node-status":
        return nodeStatusReply({ address: this.view.self, next: this.next });
      case "node-next":
        return this.#setNext(command.address);
      case "netmap-get":
        return this.#netmap.reply();
      case "netmap-discover":
        return this.#walks.discover(token);
      case "ring-ping":
        return this.#pong(command);
      case "ring-stopping":
        this.#pause(command.seconds);
        return okReply;
      case "node-heal-hop":
        this.#healWalk.hop(command.token, command.start);
        return okReply;
      case "node-heal-done":
        this.#healWalk.done(command.token);
        return okReply;
      case "netmap-hop":
        this.#walks.hop({ ...command, kind: "netmap" });
        return okReply;
      case "netmap-done":
        this.#walks.netmapDone(command.token, command.entries);
        return okReply;
      case "netmap-set":
        this.#netmap.set(command.entries);
        return okReply;
      case "topology-hop":
        this.#walks.hop({ ...command, kind: "topology" });
        return okReply;
      case "topology-done":
        this.#walks.topologyDone(command.token, command.edges);
        return okReply;
      case "topology-set":
        this.#walks.adopt(command.edges);
        return okReply;
      case "ring-forward":
        this.#forward(command);
        return okReply;
    }
  }

  #setNext(address: NodeAddress): string {
    const core = this.#core;
    const override = address === this.view.successor ? undefined : address;
    if (override !== core.nextOverride) core.isChanged = true;
    core.nextOverride = override;
    return nodeNextReply(address);
  }

  #pong(ping: RingCommand & { readonly kind: "ring-ping" }): string {
    this.#core.met(ping.from);
    const { config, view } = this.#core;
    return ringPongReply({
      address: view.self,
      incarnation: config.incarnation,
      viewDigest: view.digest,
      catalogDigest: config.catalogDigest(),
      state: this.#life.state(),
    });
  }

  #pause(seconds: number): void {
    const core = this.#core;
    core.pausedUntilMs = seconds === 0 ? -Infinity : core.nowMs + 1_000 * seconds;
    core.log("info", seconds === 0 ? "ring goes on" : "ring is being stopped", { seconds });
  }

  #forward({ ttl, message }: RingCommand & { readonly kind: "ring-forward" }): void {
    const { next } = this;
    if (ttl === 0 || next === undefined) return;
    this.#core.askCommand(next, { kind: "ring-forward", ttl: ttl - 1, message }, () => {});
  }
}
