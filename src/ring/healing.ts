import type { NodeAddress } from "../protocol/address.ts";
import { parseRingPong } from "../protocol/peer_replies.ts";
import { healedMax, respawnsMax } from "./config.ts";
import type { RingCore } from "./core.ts";
import type { Answer } from "./effects.ts";
import type { Exchange } from "./exchange.ts";
import type { Life } from "./life.ts";
import type { Member } from "./member.ts";
import { edgesOfOrder } from "./topology.ts";

/** What became of a respawn. */
export type RespawnOutcome =
  /** The node answers. */
  | { readonly kind: "started" }
  /** Another process holds its lock or its port: no respawn failed. */
  | { readonly kind: "still-there" }
  | { readonly kind: "failed"; readonly reason: string };

/** The work on one Dead member. */
interface Task {
  readonly address: NodeAddress;
  stage: "idle" | "asking" | "spawning" | "telling";
  /** Tries that came to nothing. */
  attempts: number;
  nextMs: number;
}

/**
 * Brings Dead members back.
 *
 * 1. A node heals the Dead members that follow it in the ring, up to the first that is Alive; and it
 *    ends what it began when somebody between them comes back first.
 * 2. It asks before it acts. Who answers is told what it missed, that it was called Dead included,
 *    and comes back by itself. Only where nobody listens a process is started.
 * 3. At most one respawn of a member is under way from one node, whatever happens meanwhile. Two
 *    nodes may start one each; the lock of the node's directory lets one of them live.
 * 4. A node that has just come back leaves respawns to those who saw the death, for one interval.
 * 5. Originals are not respawned: they get what they need once they are back.
 */
export class Healing {
  readonly #core: RingCore;
  readonly #exchange: Exchange;
  readonly #life: Life;
  readonly #tasks = new Map<NodeAddress, Task>();
  readonly #spawning = new Set<NodeAddress>();
  #demandedUntilMs = -Infinity;

  constructor(core: RingCore, exchange: Exchange, life: Life) {
    this.#core = core;
    this.#exchange = exchange;
    this.#life = life;
  }

  /** Heals at once, until then, even if this node never respawns by itself. */
  demand(untilMs: number): void {
    this.#demandedUntilMs = Math.max(this.#demandedUntilMs, untilMs);
    for (const task of this.#tasks.values()) task.nextMs = this.#core.nowMs;
  }

  /** No heal walk wants anything of this node any more. */
  release(): void {
    this.#demandedUntilMs = -Infinity;
  }

  /** Takes what became of a respawn. */
  respawned(address: NodeAddress, outcome: RespawnOutcome): void {
    this.#spawning.delete(address);
    const task = this.#tasks.get(address);
    if (task === undefined) return;
    task.stage = "idle";
    switch (outcome.kind) {
      case "started":
        this.#core.log("info", "node was respawned", { node: address });
        return this.#tell(task);
      case "still-there":
        this.#core.log("info", "node is not respawned: its process is still there", {
          node: address,
        });
        return this.#again(task, this.#core.timing.stillThereMs);
      case "failed":
        this.#core.log("warn", "cannot respawn", { node: address, reason: outcome.reason });
        return this.#backOff(task);
    }
  }

  /** Does what the latest changes make due. */
  review(): void {
    const core = this.#core;
    const isAsked = core.config.gossipIntervalMs > 0 || core.nowMs < this.#demandedUntilMs;
    if (!isAsked || core.isPaused || this.#life.healsSinceMs > core.nowMs) return;
    if (this.#life.isStopped) return;
    const watched = this.#deadSuccessors();
    for (const { address } of watched) {
      if (this.#tasks.has(address)) continue;
      this.#tasks.set(address, { address, stage: "idle", attempts: 0, nextMs: core.nowMs });
    }
    for (const task of this.#tasks.values()) this.#proceed(task, watched);
  }

  /** The Dead members between this node and the first that is Alive. */
  #deadSuccessors(): Set<Member> {
    const { view } = this.#core;
    const dead = new Set<Member>();
    for (let step = 1; step < view.fromSelf.length && dead.size < healedMax; step++) {
      const member = view.at(step);
      if (member?.status === "Alive") break;
      if (member?.status === "Dead") dead.add(member);
    }
    return dead;
  }

  #proceed(task: Task, watched: ReadonlySet<Member>): void {
    const member = this.#core.view.member(task.address);
    if (member?.status !== "Dead") return void this.#tasks.delete(task.address);
    if (task.stage !== "idle") return;
    const isMine = watched.has(member) || task.attempts === 0;
    if (!isMine) return void this.#tasks.delete(task.address);
    if (task.nextMs > this.#core.nowMs) return;
    task.stage = "asking";
    this.#core.ping(task.address, (answer) => {
      task.stage = "idle";
      if (this.#tasks.get(task.address) === task) this.#asked(task, answer);
    });
  }

  #asked(task: Task, answer: Answer): void {
    const { timing, view } = this.#core;
    const member = view.member(task.address);
    if (member?.status !== "Dead") return;
    switch (answer.kind) {
      case "line":
        if (parseRingPong(answer.line) !== undefined) return this.#tell(task);
        return this.#originalIsBack(member);
      case "error":
        if (member.program === "original") return this.#originalIsBack(member);
        return this.#backOff(task);
      case "refused":
        return this.#respawn(task, member);
      case "silent":
        return this.#again(task, timing.stillThereMs * 2 ** Math.min(task.attempts++, 2));
      case "local":
      case "view":
        return this.#again(task, timing.stillThereMs);
    }
  }

  #respawn(task: Task, member: Member): void {
    const { address, program, options } = member;
    if (program === "original" || options === "") return this.#backOff(task);
    const waitMs = this.#patienceMs(address);
    if (waitMs > 0) return this.#again(task, waitMs);
    if (this.#spawning.has(address) || this.#spawning.size >= respawnsMax) {
      return this.#again(task, this.#core.timing.retryMs);
    }
    task.stage = "spawning";
    this.#spawning.add(address);
    this.#core.log("info", "respawning", { node: address, attempt: task.attempts + 1 });
    this.#core.emit({ kind: "respawn", address, options });
  }

  /** How long to leave the respawn to others: a death from before this node's time is theirs. */
  #patienceMs(address: NodeAddress): number {
    const { config, diedMs, nowMs, timing } = this.#core;
    if (nowMs < this.#demandedUntilMs) return 0;
    const { healsSinceMs } = this.#life;
    if ((diedMs.get(address) ?? -Infinity) >= healsSinceMs) return 0;
    return healsSinceMs + Math.max(config.gossipIntervalMs, timing.answerMs) - nowMs;
  }

  /** The node is there and must hear that it was called Dead. */
  #tell(task: Task): void {
    task.stage = "telling";
    this.#exchange.handOver(task.address, () => {
      task.stage = "idle";
      task.attempts++;
      this.#again(task, this.#core.timing.toldMs);
    });
  }

  #originalIsBack(member: Member): void {
    const core = this.#core;
    const { address } = member;
    core.declare({ ...member, program: "original", status: "Alive", epoch: member.epoch + 1 });
    const edges = edgesOfOrder(core.view.shape.order, address);
    const next = edges[0]?.to ?? address;
    core.askCommand(address, { kind: "node-next", address: next }, () => {
      core.askCommand(address, { kind: "topology-set", edges }, () => {
        core.askCommand(address, { kind: "netmap-set", entries: core.netmap() }, () => {
          core.emit({ kind: "send-tags", to: address });
        });
      });
    });
  }

  #backOff(task: Task): void {
    const { respawnBackoffMs, respawnBackoffMaxMs } = this.#core.timing;
    const doublings = Math.min(task.attempts++, 16);
    this.#again(task, Math.min(respawnBackoffMs * 2 ** doublings, respawnBackoffMaxMs));
  }

  /** The timer does nothing itself: every step ends with a review. */
  #again(task: Task, ms: number): void {
    task.nextMs = this.#core.nowMs + ms;
    this.#core.later(`heal ${task.address}`, ms, () => {});
  }
}
