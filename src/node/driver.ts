import type { NodeAddress } from "../protocol/address.ts";
import { errors } from "../protocol/errors.ts";
import { viewBytesMax } from "../protocol/limits.ts";
import { countedReply, type RingState } from "../protocol/peer_replies.ts";
import type { CatchUpPeer, Effect, RequestEffect, StatusEffect } from "../ring/effects.ts";
import { type RingCommand, type RingEvent, RingMachine } from "../ring/machine.ts";
import type { Member, Program } from "../ring/member.ts";
import { type Placement, type PlacementChoice, placementFrom } from "../ring/placement.ts";
import { formatView, parseView, type ViewMessage } from "../ring/view_codec.ts";
import { BusyError } from "../net/busy_error.ts";
import type { PeerPool } from "../net/peer_pool.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { NodeOptions } from "./options.ts";
import type { Respawner } from "./respawn.ts";
import { askRing } from "./ring_request.ts";
import { sharedOptions } from "./shared_options.ts";

/** What the driver does the effects of its machine with. */
export interface RingDriverDependencies {
  readonly options: NodeOptions;
  readonly incarnation: string;
  readonly peers: PeerPool;
  readonly clock: Clock;
  readonly log: Logger;
  readonly respawner: Respawner;
  /** A token that nobody else uses. */
  readonly random: () => string;
  /** What `saveView` saved last; `undefined` when nothing was. */
  readonly loadView: () => string | undefined;
  /** Saves the members; resolves when they are durable. */
  readonly saveView: (json: string) => Promise<void>;
  readonly catalogDigest: () => string;
  /**
   * Compares catalogs with every one of `peers`; the node is ready when it resolves, and it is called
   * again a little later when it rejects. Never twice at once: a newer call aborts the one before.
   */
  readonly catchUp: (peers: readonly CatchUpPeer[], signal: AbortSignal) => Promise<void>;
  /** Gossip has seen that a peer's catalog differs. Returns at once. */
  readonly onPeerDigest: (peer: NodeAddress, catalogDigest: string) => void;
  /** The status of another member has changed. Returns at once. */
  readonly onStatus: (change: StatusEffect) => void;
  /** Sends `FILE TAGS-SET` to an original that is back. */
  readonly tagsFor: (address: NodeAddress) => Promise<void>;
}

/** The part of a command's body that the driver reads. */
export interface ViewBody {
  readonly remaining: number;
  read(buffer: Uint8Array): Promise<number>;
}

/** Where the answer to a `RING VIEW` goes. */
export interface ViewSession {
  write(bytes: Uint8Array): Promise<void>;
}

/** Bytes of views that are being received at once; more are `busy`. */
const viewsBytesMax = 2 * viewBytesMax;

/** What a view's buffer has at first; it grows with what has come, not with what was announced. */
const viewBufferBytes = 16 * 1024;

/**
 * Runs the ring machine of a node with real time, sockets, files and processes, and answers what the
 * rest of the node asks of the ring.
 *
 * Everything that happens becomes a `step` of the machine; each effect is done once. What takes
 * time runs as a task that `stop` waits for.
 */
export class RingDriver {
  readonly #deps: RingDriverDependencies;
  readonly #machine: RingMachine;
  readonly #stop = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  /** Who waits for a `reply`, a `reply-view` or a `told`, by id. */
  readonly #waiting = new Map<number, (result: string | ViewMessage | undefined) => void>();
  #lastId = 0;
  #wake: { readonly atMs: number; readonly timer: AbortController } | undefined;
  #catchUp: { readonly ended: Promise<void>; readonly abort: AbortController } | undefined;
  #saving = false;
  #unsaved = false;
  #viewsBytes = 0;

  constructor(deps: RingDriverDependencies) {
    const { options, incarnation, catalogDigest } = deps;
    this.#deps = deps;
    this.#machine = new RingMachine({
      self: options.address,
      incarnation,
      gossipIntervalMs: options.gossipIntervalMs,
      options: sharedOptions(options),
      catalogDigest,
    });
  }

  /** Begins with the members that were saved; the node catches up, then it is ready. */
  start(): void {
    const saved = this.#loadView();
    this.#step(saved === undefined ? { kind: "start" } : { kind: "start", saved });
  }

  /** Ends all tasks; the state is `stopping` from now on. May be called again. */
  async stop(): Promise<void> {
    this.#step({ kind: "stop" });
    this.#stop.abort(new Error(errors.stopping));
    this.#wake?.timer.abort(this.#stop.signal.reason);
    this.#catchUp?.abort.abort(this.#stop.signal.reason);
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
    await Promise.all(this.#tasks);
  }

  /**
   * Serves a command of the ring and gives the whole answer. `NODE HEAL` and `TOPOLOGY WALK` take as
   * long as the protocol says, all others answer at once.
   *
   * @throws {Error} `stopping` when the node stops first.
   */
  async handle(command: RingCommand): Promise<string> {
    const token = this.#deps.random();
    const reply = await this.#await((id) => ({ kind: "command", id, command, token }));
    if (typeof reply !== "string") throw new Error(errors.stopping);
    return reply;
  }

  /**
   * Serves `RING VIEW`: reads the body and writes the whole answer.
   *
   * @throws {SyntaxError} when the body is no view.
   * @throws {BusyError} when too much is being received.
   */
  async serveView(body: ViewBody, session: ViewSession): Promise<void> {
    const view = parseView(await this.#readBody(body));
    const reply = await this.#await((id) => ({ kind: "view", id, view }));
    if (typeof reply !== "object") throw new Error(errors.stopping);
    const bytes = encoder.encode(formatView(reply));
    const head = encoder.encode(countedReply("VIEW", bytes.length));
    const answer = new Uint8Array(head.length + bytes.length);
    answer.set(head);
    answer.set(bytes, head.length);
    await session.write(answer);
  }

  /** Whether the node may serve. Right after a sleep longer than the lease it may not. */
  state(): RingState {
    if (this.#stop.signal.aborted) return "stopping";
    return this.#machine.stateAt(this.#deps.clock.nowMs());
  }

  /** The next hop, Alive or not; `undefined` before the node was wired. */
  next(): NodeAddress | undefined {
    return this.#machine.next;
  }

  /** The nearest predecessor that is Alive; `undefined` when there is no other node. */
  predecessor(): NodeAddress | undefined {
    const alive = this.aliveMembers();
    return alive.length > 1 ? alive.at(-1) : undefined;
  }

  /** All members in ring order, this node first; only itself before it was wired. */
  members(): readonly Member[] {
    return this.#machine.view.members();
  }

  /** Who may hold new parts and be read from: in ring order, this node first. */
  aliveMembers(): readonly NodeAddress[] {
    const { self } = this.#machine.view;
    return this.members().flatMap(({ address, status }) =>
      address === self || status === "Alive" ? address : []
    );
  }

  /**
   * Who takes commits, in ring order, this node first: also who is Joining, and who was called Dead
   * a moment ago and may not know yet.
   */
  commitMembers(): readonly NodeAddress[] {
    return this.#machine.commitMembers(this.#deps.clock.nowMs());
  }

  /** What the netmap says of a member; `undefined` for strangers. */
  statusOf(address: NodeAddress): "Alive" | "Dead" | undefined {
    const status = this.#machine.view.member(address)?.status;
    return status === "Joining" ? "Dead" : status;
  }

  /** Which program a member runs, as far as the ring knows. */
  programOf(address: NodeAddress): Program {
    return this.#machine.view.member(address)?.program ?? "unknown";
  }

  /**
   * Where the parts of a new push go.
   *
   * @throws {Error} when fewer nodes are Alive than it takes.
   */
  placement(wish: Omit<PlacementChoice, "alive" | "memberCount">): Placement {
    const alive = this.aliveMembers();
    return placementFrom({ ...wish, alive, memberCount: this.#machine.view.fromSelf.length });
  }

  /** Equal on two nodes when they see the same ring. */
  viewDigest(): string {
    return this.#machine.view.digest;
  }

  /**
   * Calls a member Dead that refused or broke a connection, or missed a deadline that must be kept.
   * That holds at once. Resolves when the member itself has heard of it, so that it catches up
   * before it serves again, or when it could not be told within a second. Strangers, Dead members
   * and this node itself stay what they are.
   */
  async markDead(address: NodeAddress, reason: string): Promise<void> {
    await this.#await((id) => ({ kind: "mark-dead", id, address, reason }));
  }

  /** Makes the node catch up before it serves again, as when it has lost its catalog. */
  rejoin(reason: string): void {
    this.#step({ kind: "rejoin", reason });
  }

  /** Steps the machine with an event that has an id, and waits for the effect that has it too. */
  #await(event: (id: number) => RingEvent): Promise<string | ViewMessage | undefined> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#step(event(id));
      if (this.#stop.signal.aborted) resolve(undefined);
    });
  }

  #step(event: RingEvent): void {
    for (const effect of this.#machine.step(event, this.#deps.clock.nowMs())) this.#do(effect);
    this.#setWake();
  }

  #do(effect: Effect): void {
    const { log, onPeerDigest, onStatus, peers, respawner, tagsFor } = this.#deps;
    switch (effect.kind) {
      case "request":
        return this.#run("request", () => this.#request(effect));
      case "reply":
        return this.#resolve(effect.id, effect.text);
      case "reply-view":
        return this.#resolve(effect.id, effect.view);
      case "told":
        return this.#resolve(effect.id, undefined);
      case "respawn":
        return this.#run("respawn", async () => {
          const { address, options } = effect;
          const outcome = await respawner.respawn(address, options, this.#stop.signal);
          this.#step({ kind: "respawned", address, outcome });
        });
      case "catch-up":
        return this.#beginCatchUp(effect.round, effect.peers);
      case "catalog-differs":
        return onPeerDigest(effect.peer, effect.catalogDigest);
      case "send-tags":
        return this.#run("tags", () => tagsFor(effect.to));
      case "status":
        if (effect.member.status === "Dead") peers.forget(effect.member.address);
        return onStatus(effect);
      case "save":
        return this.#save();
      case "log":
        return log[effect.level](effect.event, effect.fields);
    }
  }

  async #request({ id, to, message, deadlineMs }: RequestEffect): Promise<void> {
    const { clock, peers } = this.#deps;
    const answer = this.#stop.signal.aborted
      ? { kind: "local" } as const
      : await askRing({ peers, clock, signal: this.#stop.signal }, { to, message, deadlineMs });
    if (!this.#stop.signal.aborted) this.#step({ kind: "answered", id, answer });
  }

  #beginCatchUp(round: number, peers: readonly CatchUpPeer[]): void {
    const before = this.#catchUp;
    before?.abort.abort(new Error("The ring has changed"));
    const abort = new AbortController();
    const ended = (before?.ended ?? Promise.resolve()).then(async () => {
      if (abort.signal.aborted) return;
      try {
        await this.#deps.catchUp(peers, abort.signal);
        this.#step({ kind: "caught-up", round });
      } catch (error) {
        if (abort.signal.aborted) return;
        this.#deps.log.warn("cannot catch up yet", { reason: reasonOf(error) });
        this.#step({ kind: "catch-up-failed", round });
      }
    });
    this.#catchUp = { ended, abort };
    this.#run("catch up", () => ended);
  }

  /** Saves what the machine knows; changes that come while it is being saved are saved after. */
  #save(): void {
    this.#unsaved = true;
    if (this.#saving) return;
    this.#saving = true;
    this.#run("save", async () => {
      try {
        while (this.#unsaved) {
          this.#unsaved = false;
          await this.#deps.saveView(formatView(this.#machine.snapshot()));
        }
      } finally {
        this.#saving = false;
      }
    });
  }

  #setWake(): void {
    const atMs = this.#machine.wakeAtMs;
    if (atMs === undefined || this.#stop.signal.aborted) return;
    if (this.#wake !== undefined && this.#wake.atMs <= atMs) return;
    this.#wake?.timer.abort(new Error("Another time is set"));
    const timer = new AbortController();
    this.#wake = { atMs, timer };
    const { clock } = this.#deps;
    clock.sleep(Math.max(0, atMs - clock.nowMs()), timer.signal).then(
      () => {
        this.#wake = undefined;
        this.#step({ kind: "wake" });
      },
      () => {
        // Another time was set, or the driver stops.
      },
    );
  }

  /** Runs a task that `stop` waits for. */
  #run(what: string, task: () => Promise<void>): void {
    const running: Promise<void> = task()
      .catch((error) => {
        if (this.#stop.signal.aborted) return;
        this.#deps.log.warn("ring task failed", { what, reason: reasonOf(error) });
      })
      .finally(() => this.#tasks.delete(running));
    this.#tasks.add(running);
  }

  #resolve(id: number, result: string | ViewMessage | undefined): void {
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.(result);
  }

  #loadView(): ViewMessage | undefined {
    const saved = this.#deps.loadView();
    try {
      return saved === undefined ? undefined : parseView(saved);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // The ring tells its members again; nothing else is lost.
      this.#deps.log.warn("the saved members cannot be read", { reason: error.message });
      return undefined;
    }
  }

  async #readBody(body: ViewBody): Promise<string> {
    let bytes = new Uint8Array(Math.min(body.remaining, viewBufferBytes));
    let filled = 0;
    try {
      this.#viewsBytes += bytes.length;
      while (body.remaining > 0) {
        if (this.#viewsBytes > viewsBytesMax) throw new BusyError(errors.busy);
        if (filled === bytes.length) {
          const larger = new Uint8Array(Math.min(2 * filled, filled + body.remaining));
          this.#viewsBytes += larger.length - bytes.length;
          larger.set(bytes);
          bytes = larger;
        }
        filled += await body.read(bytes.subarray(filled));
      }
      return decoder.decode(bytes.subarray(0, filled));
    } finally {
      this.#viewsBytes -= bytes.length;
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
