import type { NodeAddress } from "../../src/protocol/address.ts";
import type { RingTiming } from "../../src/ring/config.ts";
import type { Answer, CatchUpPeer, Effect, RingMessage } from "../../src/ring/effects.ts";
import type { RespawnOutcome } from "../../src/ring/healing.ts";
import { type RingCommand, type RingEvent, RingMachine } from "../../src/ring/machine.ts";
import { parseErrorReply } from "../../src/protocol/replies.ts";
import type { ViewMessage } from "../../src/ring/view_codec.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Delivery, Host, SimNetwork } from "./sim_network.ts";

/** When the simulation begins, in ms since the epoch. */
const epochMs = 1_800_000_000_000;

/** What travels between simulated nodes: what the ring machine says, or their application. */
export type SimQuestion =
  | { readonly kind: "ring"; readonly message: RingMessage }
  | { readonly kind: "application"; readonly payload: unknown };

/** The answer to a {@linkcode SimQuestion}. */
export type SimAnswer =
  | { readonly kind: "ring"; readonly answer: Answer }
  | { readonly kind: "application"; readonly payload: unknown };

/**
 * What a simulated node does besides being in the ring, such as keep a catalog. One for each process;
 * what must outlive it goes to the disk.
 */
export interface SimApplication {
  catalogDigest(): string;
  /** Compares catalogs with all of `peers`; `done` says whether that worked. */
  catchUp(peers: readonly CatchUpPeer[], done: (isCaughtUp: boolean) => void): void;
  /** Gossip has found another catalog. */
  onPeerDigest(peer: NodeAddress, digest: string): void;
  /** Serves another application's request. */
  serve(payload: unknown, answer: (payload: unknown) => void): void;
}

/** What survives the death of a process; a wipe makes a new one. */
export class SimDisk {
  /** What the ring machine saved. */
  view: ViewMessage | undefined;
  /** What the application saved. */
  data: unknown;
  constructor(readonly incarnation: string) {}
}

/** What the world has in common. */
export interface SimWorld {
  readonly scheduler: Scheduler;
  readonly network: SimNetwork<SimQuestion, SimAnswer>;
  readonly gossipIntervalMs: number;
  readonly timing: Partial<RingTiming>;
  /** Starts a process for an address, as a respawner does. */
  spawn(address: NodeAddress, done: (outcome: RespawnOutcome) => void): void;
  application(node: SimNode): SimApplication;
  /** Sees every effect, to count and to check. */
  onEffect?: (node: SimNode, effect: Effect) => void;
}

/** The process of a node: a machine that is stepped as long as it lives. */
interface SimProcess {
  readonly machine: RingMachine;
  readonly application: SimApplication;
  /** What a monotonic clock says when the world's says 0: every process has its own. */
  readonly clockOffsetMs: number;
  isListening: boolean;
  isSaving: boolean;
  cancelWake: (() => void) | undefined;
  wakeAtMs: number | undefined;
  /** Respawns that its machine has asked for and knows no outcome of. */
  readonly respawning: Set<NodeAddress>;
  /** Clients that wait for an answer. */
  readonly clients: Map<number, (text: string) => void>;
  /** Requests that are being served: what to do when the process ends first. */
  readonly serving: Map<number, { readonly answer: (answer: SimAnswer) => void; broken(): void }>;
}

/** One port of the simulated machine: its disk, its lock, and its process, if one runs. */
export class SimNode implements Host<SimQuestion, SimAnswer> {
  readonly address: NodeAddress;
  disk: SimDisk;
  /** How far the node's calendar is off, in ms. */
  clockSkewMs = 0;
  readonly #world: SimWorld;
  #process: SimProcess | undefined;
  /** What happens to a stopped process waits until it goes on. */
  #held: (() => void)[] | undefined;
  #lastId = 0;
  #wipes = 0;

  constructor(world: SimWorld, address: NodeAddress) {
    this.#world = world;
    this.address = address;
    this.disk = new SimDisk(`${address}-0`.replaceAll(/[.:]/g, "-"));
    world.network.add(this);
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  get isStopped(): boolean {
    return this.#held !== undefined;
  }

  get isListening(): boolean {
    return this.#process?.isListening === true;
  }

  /** The machine of the process that runs; `undefined` when none does. */
  get machine(): RingMachine | undefined {
    return this.#process?.machine;
  }

  get application(): SimApplication | undefined {
    return this.#process?.application;
  }

  /** Whether a client that asked now would be served: one that knows no ring yet has to wait. */
  get isReady(): boolean {
    const process = this.#process;
    if (process?.isListening !== true || this.#held !== undefined) return false;
    const { machine } = process;
    return machine.view.isWired && machine.stateAt(this.#machineMs(process)) === "ready";
  }

  /** Milliseconds since the epoch, as the node's calendar has it. */
  wallMs(): number {
    return epochMs + this.#world.scheduler.nowMs + this.clockSkewMs;
  }

  /** Random bytes, from the seed. */
  randomBytes(count: number): Uint8Array<ArrayBuffer> {
    return this.#world.scheduler.random.bytes(count);
  }

  /** Who takes commits, as the machine sees it now. */
  commitMembers(): readonly NodeAddress[] {
    const process = this.#process;
    return process?.machine.commitMembers(this.#machineMs(process)) ?? [];
  }

  /** Starts a process that holds the lock from now on and listens in `bootMs`. */
  start(bootMs: number): void {
    if (this.#process !== undefined) throw new Error(`Two processes for ${this.address}`);
    const { scheduler, gossipIntervalMs, timing } = this.#world;
    const application = this.#world.application(this);
    const process: SimProcess = {
      machine: new RingMachine({
        self: this.address,
        incarnation: this.disk.incarnation,
        gossipIntervalMs,
        options: "{}",
        catalogDigest: () => application.catalogDigest(),
        timing,
      }),
      application,
      clockOffsetMs: scheduler.random.integer(1_000_000_000),
      isListening: false,
      isSaving: false,
      cancelWake: undefined,
      wakeAtMs: undefined,
      respawning: new Set(),
      clients: new Map(),
      serving: new Map(),
    };
    this.#process = process;
    scheduler.after(bootMs, () => {
      if (this.#process !== process) return;
      process.isListening = true;
      const { view } = this.disk;
      this.#step(process, view === undefined ? { kind: "start" } : { kind: "start", saved: view });
    });
  }

  /** Ends the process at once. */
  kill(): void {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    this.#held = undefined;
    process.cancelWake?.();
    for (const { broken } of process.serving.values()) broken();
  }

  /** Stops the process where it is, as SIGSTOP does. */
  pause(): void {
    if (this.#process !== undefined) this.#held ??= [];
  }

  /** Lets it go on. */
  resume(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const run of held ?? []) run();
  }

  /** Makes the directory a new, empty one; the process must have ended. */
  wipe(): void {
    if (this.#process !== undefined) throw new Error(`${this.address} runs`);
    this.disk = new SimDisk(`${this.address}-${++this.#wipes}`.replaceAll(/[.:]/g, "-"));
  }

  /** Gives the process a view, as the supervisor does; nothing happens when it does not listen. */
  giveView(view: ViewMessage): void {
    const message = { kind: "view", view } as const;
    if (!this.isListening) return;
    this.serve({ kind: "ring", message }, { answer: () => {}, broken: () => {} });
  }

  /** Sends a command as a client does; `done` gets the answer, nothing if the process ends first. */
  command(command: RingCommand, done: (text: string) => void = () => {}): void {
    const process = this.#process;
    if (process === undefined || !process.isListening) return;
    const id = ++this.#lastId;
    process.clients.set(id, done);
    this.#event(process, { kind: "command", id, command, token: `${this.address}/${id}` });
  }

  /** The application found a member dead; `done` when that member knows, or cannot be told. */
  markDead(address: NodeAddress, done: () => void): void {
    const process = this.#process;
    if (process === undefined) return;
    const id = ++this.#lastId;
    process.serving.set(id, { answer: done, broken: () => {} });
    this.#step(process, { kind: "mark-dead", id, address, reason: "the application says so" });
  }

  /** The application asks another node's. `done` is not called once the process has ended. */
  ask(
    to: NodeAddress,
    payload: unknown,
    options: { deadlineMs: number; done: (delivery: Delivery<SimAnswer>) => void },
  ): void {
    const process = this.#process;
    const request = { kind: "application", payload } as const;
    const { deadlineMs, done } = options;
    this.#world.network.request({ from: this.address, to, request, deadlineMs }, (delivery) => {
      if (process !== undefined) this.#whenRunning(process, () => done(delivery));
    });
  }

  /** Has something happen to the process that runs now, unless it ends before. */
  later(ms: number, run: () => void): void {
    const process = this.#process;
    this.#world.scheduler.after(ms, () => {
      if (process !== undefined) this.#whenRunning(process, run);
    });
  }

  serve(
    request: SimQuestion,
    end: { answer: (answer: SimAnswer) => void; broken: () => void },
  ): void {
    const process = this.#process;
    if (process === undefined) return end.broken();
    if (this.#held !== undefined) {
      this.#held.push(() => this.#serveNow(process, request, end));
      return;
    }
    this.#serveNow(process, request, end);
  }

  #serveNow(
    process: SimProcess,
    request: SimQuestion,
    end: { answer: (answer: SimAnswer) => void; broken: () => void },
  ): void {
    if (request.kind === "ring") return this.#serveRing(process, request.message, end);
    process.application.serve(request.payload, (payload) => {
      if (this.#process === process) end.answer({ kind: "application", payload });
    });
  }

  #serveRing(
    process: SimProcess,
    message: RingMessage,
    end: { answer: (answer: SimAnswer) => void; broken: () => void },
  ): void {
    const id = ++this.#lastId;
    process.serving.set(id, end);
    if (message.kind === "view") {
      return this.#step(process, { kind: "view", id, view: message.view });
    }
    const command = message.command as RingCommand;
    this.#step(process, { kind: "command", id, command, token: `${this.address}/${id}` });
  }

  #step(process: SimProcess, event: RingEvent): void {
    if (this.#process !== process) return;
    const effects = process.machine.step(event, this.#machineMs(process));
    for (const effect of effects) this.#do(process, effect);
    this.#setWake(process);
  }

  #do(process: SimProcess, effect: Effect): void {
    this.#world.onEffect?.(this, effect);
    switch (effect.kind) {
      case "request":
        return this.#request(process, effect);
      case "reply":
        process.clients.get(effect.id)?.(effect.text);
        process.clients.delete(effect.id);
        return this.#answer(process, effect.id, answerOfText(effect.text));
      case "reply-view":
        return this.#answer(process, effect.id, { kind: "view", view: effect.view });
      case "told":
        return this.#answer(process, effect.id, { kind: "line", line: "OK" });
      case "respawn":
        return this.#respawn(process, effect.address);
      case "catch-up":
        return process.application.catchUp(effect.peers, (isCaughtUp) => {
          const kind = isCaughtUp ? "caught-up" : "catch-up-failed";
          this.#event(process, { kind, round: effect.round });
        });
      case "catalog-differs":
        return process.application.onPeerDigest(effect.peer, effect.catalogDigest);
      case "save":
        return this.#save(process);
      case "send-tags":
      case "status":
      case "log":
        return;
    }
  }

  #respawn(process: SimProcess, address: NodeAddress): void {
    const { scheduler } = this.#world;
    if (process.respawning.has(address)) {
      throw new Error(`seed ${scheduler.seed}: ${this.address} respawns ${address} twice at once`);
    }
    process.respawning.add(address);
    this.#world.spawn(address, (outcome) => {
      this.#whenRunning(process, () => {
        process.respawning.delete(address);
        this.#step(process, { kind: "respawned", address, outcome });
      });
    });
  }

  #request(process: SimProcess, effect: Effect & { readonly kind: "request" }): void {
    const { id, to, message, deadlineMs } = effect;
    const request = { kind: "ring", message } as const;
    this.#world.network.request({ from: this.address, to, request, deadlineMs }, (delivery) => {
      this.#event(process, { kind: "answered", id, answer: answerOf(delivery) });
    });
  }

  #answer(process: SimProcess, id: number, answer: Answer): void {
    const end = process.serving.get(id);
    process.serving.delete(id);
    end?.answer({ kind: "ring", answer });
  }

  /** What is saved is durable a moment later, unless the process ends before. */
  #save(process: SimProcess): void {
    const { disk } = this;
    if (process.isSaving) return;
    process.isSaving = true;
    this.later(5, () => {
      process.isSaving = false;
      if (this.disk === disk) disk.view = process.machine.snapshot();
    });
  }

  #event(process: SimProcess, event: RingEvent): void {
    this.#whenRunning(process, () => this.#step(process, event));
  }

  #whenRunning(process: SimProcess, run: () => void): void {
    if (this.#process !== process) return;
    if (this.#held === undefined) return run();
    this.#held.push(() => {
      if (this.#process === process) run();
    });
  }

  #setWake(process: SimProcess): void {
    const atMs = process.machine.wakeAtMs;
    if (atMs === undefined || this.#process !== process) return;
    if (process.wakeAtMs !== undefined && process.wakeAtMs <= atMs) return;
    process.cancelWake?.();
    process.wakeAtMs = atMs;
    const inMs = Math.max(0, atMs - this.#machineMs(process));
    process.cancelWake = this.#world.scheduler.after(inMs, () => {
      process.wakeAtMs = undefined;
      this.#event(process, { kind: "wake" });
    });
  }

  #machineMs(process: SimProcess): number {
    return this.#world.scheduler.nowMs + process.clockOffsetMs;
  }
}

function answerOf(delivery: Delivery<SimAnswer>): Answer {
  if (delivery.kind !== "answer") return delivery;
  if (delivery.answer.kind === "ring") return delivery.answer.answer;
  throw new TypeError("The ring was answered by an application");
}

/** What a client sees of a reply: its first line, or the error. */
function answerOfText(text: string): Answer {
  const line = text.slice(0, text.indexOf("\n"));
  const error = parseErrorReply(line);
  return error === undefined ? { kind: "line", line } : { kind: "error", error };
}
