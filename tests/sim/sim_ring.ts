import { formatAddress, type NodeAddress } from "../../src/protocol/address.ts";
import type { RingTiming } from "../../src/ring/config.ts";
import type { Effect } from "../../src/ring/effects.ts";
import type { RespawnOutcome } from "../../src/ring/healing.ts";
import { initialView, parseView, type ViewMessage } from "../../src/ring/view_codec.ts";
import { Scheduler } from "./scheduler.ts";
import { goodNetwork, type NetworkFaults, SimNetwork } from "./sim_network.ts";
import {
  type SimAnswer,
  type SimApplication,
  SimNode,
  type SimQuestion,
  type SimWorld,
} from "./sim_node.ts";

/** What a simulated ring is made of. */
export interface SimRingOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Default: 1,000 ms. */
  readonly gossipIntervalMs?: number;
  readonly network?: NetworkFaults;
  readonly timing?: Partial<RingTiming>;
  /** Default: one that has nothing to do. */
  readonly application?: (node: SimNode) => SimApplication;
  /** The chance that a respawn fails though the port is free. */
  readonly respawnFailureRate?: number;
}

/** What was counted. */
export interface SimCounts {
  respawns: number;
  started: number;
  stillThere: number;
  failed: number;
  /** How often no node was left. */
  allDead: number;
  /** Nodes that the ring had not brought back in time. */
  bySupervisor: number;
}

/** How long a process takes from its start until it listens, in ms. */
const bootMinMs = 150;
const bootMaxMs = 600;

/** How often the supervisor looks whether its nodes run. */
const supervisorMs = 500;

/** How long it leaves a node to the ring while others live, in ms. */
const supervisorPatienceMs = 20_000;

/**
 * A ring of simulated nodes with what surrounds it: processes, locks, and a supervisor that starts
 * all of them, tells them of each other, and starts them again when none is left, or when nobody
 * has for long: the one that lives may have lost its memory with its directory.
 *
 * What must never happen throws at once, with the seed: a second process for a port, a second
 * respawn of a node by the same machine while one is under way.
 */
export class SimRing implements SimWorld {
  readonly scheduler: Scheduler;
  readonly network: SimNetwork<SimQuestion, SimAnswer>;
  readonly gossipIntervalMs: number;
  readonly timing: Partial<RingTiming>;
  readonly nodes: readonly SimNode[];
  readonly counts: SimCounts = {
    respawns: 0,
    started: 0,
    stillThere: 0,
    failed: 0,
    allDead: 0,
    bySupervisor: 0,
  };
  /** Lines of what the machines log; only kept when asked for. */
  readonly trace: string[] | undefined;
  readonly #options: SimRingOptions;
  readonly #byAddress: ReadonlyMap<NodeAddress, SimNode>;
  readonly #deadMs = new Map<SimNode, number>();
  readonly #initialView: ViewMessage;
  #isWhole = true;

  constructor(options: SimRingOptions, trace?: string[]) {
    this.#options = options;
    this.trace = trace;
    this.scheduler = new Scheduler(options.seed);
    this.network = new SimNetwork(this.scheduler);
    this.network.faults = options.network ?? goodNetwork;
    this.gossipIntervalMs = options.gossipIntervalMs ?? 1_000;
    this.timing = options.timing ?? {};
    this.nodes = Array.from(
      { length: options.nodes },
      (_, index) => new SimNode(this, formatAddress("127.0.0.1", 7_000 + index)),
    );
    const order = this.nodes.map(({ address }) => address);
    this.#initialView = parseView(initialView({ order, options: "{}" }));
    this.#byAddress = new Map(this.nodes.map((node) => [node.address, node]));
  }

  /** Starts all nodes, then gives each the ring as soon as it listens. */
  start(): void {
    for (const node of this.nodes) this.#startBySupervisor(node);
    this.#supervise();
  }

  node(address: NodeAddress): SimNode {
    const node = this.#byAddress.get(address);
    if (node === undefined) throw new RangeError(`${address} is not simulated`);
    return node;
  }

  application(node: SimNode): SimApplication {
    return this.#options.application?.(node) ?? idleApplication(node);
  }

  spawn(address: NodeAddress, done: (outcome: RespawnOutcome) => void): void {
    const node = this.node(address);
    const bootMs = this.#bootMs();
    this.counts.respawns++;
    if (node.isRunning) {
      this.counts.stillThere++;
      this.scheduler.after(bootMs, () => done({ kind: "still-there" }));
    } else if (this.scheduler.chance(this.#options.respawnFailureRate ?? 0)) {
      this.counts.failed++;
      this.scheduler.after(bootMs, () => done({ kind: "failed", reason: "bad luck" }));
    } else {
      this.counts.started++;
      node.start(bootMs);
      // The respawner looks every few ms whether the node answers, and whether its process lives.
      this.scheduler.after(bootMs + 10, () => {
        done(node.isListening ? { kind: "started" } : { kind: "failed", reason: "it ended" });
      });
    }
  }

  onEffect(node: SimNode, effect: Effect): void {
    if (effect.kind !== "log" || this.trace === undefined) return;
    const time = (this.scheduler.nowMs / 1_000).toFixed(3).padStart(9);
    this.trace.push(
      `${time} ${node.address} ${effect.level} ${effect.event} ${JSON.stringify(effect.fields)}`,
    );
  }

  /** What is not as it should be in a ring that has had quiet time; empty when all is well. */
  faults(): string[] {
    const faults: string[] = [];
    const digests = new Set<string>();
    for (const node of this.nodes) {
      const { machine, address } = node;
      if (machine === undefined) {
        faults.push(`${address} does not run`);
        continue;
      }
      digests.add(machine.view.digest);
      if (!node.isReady) faults.push(`${address} is not ready`);
      for (const member of machine.view.members()) {
        if (member.status === "Alive") continue;
        faults.push(`${address} takes ${member.address} for ${member.status}`);
      }
    }
    if (digests.size > 1) faults.push(`there are ${digests.size} views`);
    return faults;
  }

  /** Whether there are no {@linkcode SimRing.faults}, at less cost. */
  get isWell(): boolean {
    const [first] = this.nodes;
    const digest = first?.machine?.view.digest;
    for (const node of this.nodes) {
      if (!node.isReady || node.machine?.view.digest !== digest) return false;
    }
    // Views of one digest say the same.
    return first?.machine?.view.members().every(({ status }) => status === "Alive") === true;
  }

  /** A node's disk was wiped. */
  wiped(): void {
    this.#isWhole = false;
  }

  /**
   * Whether every record is everywhere again since the last wipe. Another one before that may lose
   * what only these two nodes had, as two disks may that are lost at once.
   */
  hasAllCopies(): boolean {
    const digests = new Set(this.nodes.map((node) => node.application?.catalogDigest()));
    this.#isWhole ||= digests.size === 1 && this.isWell;
    return this.#isWhole;
  }

  /** Lets time pass until all is well; the ms that took, `undefined` when it did not come to that. */
  runUntilWell(limitMs: number): number | undefined {
    const startMs = this.scheduler.nowMs;
    while (this.scheduler.nowMs - startMs < limitMs) {
      if (this.isWell) return this.scheduler.nowMs - startMs;
      this.scheduler.runFor(50);
    }
    return this.isWell ? limitMs : undefined;
  }

  /** The requests each node sends in `ms`: the mean and the most. */
  measure(ms: number): { readonly mean: number; readonly most: number } {
    this.network.sent.clear();
    this.scheduler.runFor(ms);
    const counts = this.nodes.map((node) => this.network.sent.get(node.address) ?? 0);
    const sum = counts.reduce((total, count) => total + count, 0);
    return { mean: sum / counts.length, most: Math.max(...counts) };
  }

  #startBySupervisor(node: SimNode): void {
    if (node.isRunning) return;
    const bootMs = this.#bootMs();
    node.start(bootMs);
    this.scheduler.after(bootMs + 20, () => node.giveView(this.#initialView));
  }

  #supervise(): void {
    this.scheduler.after(supervisorMs, () => {
      this.#supervise();
      const areAllDead = !this.nodes.some((node) => node.isRunning);
      if (areAllDead) this.counts.allDead++;
      if (!this.#isWhole) this.hasAllCopies();
      for (const node of this.nodes) {
        const deadMs = node.isRunning ? 0 : (this.#deadMs.get(node) ?? 0) + supervisorMs;
        this.#deadMs.set(node, deadMs);
        if (!areAllDead && deadMs < supervisorPatienceMs) continue;
        if (!areAllDead) this.counts.bySupervisor++;
        this.#startBySupervisor(node);
      }
    });
  }

  #bootMs(): number {
    return this.scheduler.between(bootMinMs, bootMaxMs);
  }
}

/** An application with nothing to do: its catalogs are always equal, after a moment. */
function idleApplication(node: SimNode): SimApplication {
  return {
    catalogDigest: () => "0",
    catchUp: (_peers, done) => node.later(5, () => done(true)),
    onPeerDigest: () => {},
    serve: (payload, answer) => answer(payload),
  };
}
