import { askInfo } from "../client/questions.ts";
import type { PeerConnection } from "../net/peer_connection.ts";
import { nodeArgs, type NodeOptions } from "../node/options.ts";
import type { NodeAddress } from "../protocol/address.ts";
import { exitOrAbort, GatewayKeeper } from "./gateway_keeper.ts";
import { NetworkError } from "./network_error.ts";
import type { NetworkPlan } from "./plan.ts";
import type { Child } from "./spawner.ts";
import { stopRing } from "./stop.ts";
import { Watcher, type WatcherDependencies } from "./watcher.ts";
import { giveView, keepTrying, waitForPing, waitUntilReady, withPeer } from "./wire.ts";

/**
 * How long a ring may take to be ready, in ms, and how much longer for each node. Catalogs are
 * compared before a node is ready, so a ring with many files on a slow disk needs its time.
 */
const readyMs = 60_000;
const readyPerNodeMs = 3_000;

/** How long a node that another process has started may take to say so, in ms. */
const takenOverMs = 3_000;

/** The processes of a network: started, watched, stopped. */
export class Network {
  /** By the clock's monotonic time. */
  readonly startedMs: number;
  readonly #deps: WatcherDependencies;
  readonly #plan: NetworkPlan;
  readonly #keeper: GatewayKeeper | undefined;
  #gateway: Child | undefined;

  constructor(
    deps: WatcherDependencies,
    options: { readonly plan: NetworkPlan; readonly control: NodeAddress },
  ) {
    this.#deps = deps;
    this.#plan = options.plan;
    this.startedMs = deps.clock.nowMs();
    const { gateway, nodes } = options.plan;
    const [first] = nodes;
    if (gateway === undefined || first === undefined) return;
    this.#keeper = new GatewayKeeper(deps, {
      gateway,
      nodes: nodes.map((node) => node.address),
      supervisor: options.control,
      logLevel: first.logLevel,
      logJson: first.logJson,
    });
  }

  /**
   * Starts all processes; resolves when the ring is ready, or the signal aborts.
   *
   * @throws {NetworkError} When a process ends before that, or it takes too long.
   */
  async start(signal: AbortSignal): Promise<void> {
    const { nodes } = this.#plan;
    const failed = new AbortController();
    const late = AbortSignal.timeout(readyMs + readyPerNodeMs * nodes.length);
    const begun = AbortSignal.any([signal, failed.signal, late]);
    const settled = new AbortController();
    // Nodes first: they have more to do.
    for (const node of nodes) {
      const child = this.#spawn(node);
      exitOrAbort(child, settled.signal).then(async (code) => {
        if (code === undefined || code === heldExitCode && await this.#isThere(node)) return;
        failed.abort(endedEarly(node, code));
      });
    }
    this.#gateway = this.#keeper?.start();
    if (this.#gateway !== undefined) {
      exitOrAbort(this.#gateway, settled.signal).then((code) => {
        if (code !== undefined) failed.abort(gatewayEndedEarly(this.#plan, code));
      });
    }
    try {
      await this.#wire(begun);
    } catch (error) {
      if (signal.aborted) return;
      if (late.aborted) throw this.#notReady(error);
      throw error;
    } finally {
      settled.abort();
    }
  }

  /** Resolves when the signal aborts; starts what has died until then. */
  async watch(signal: AbortSignal, onRingStopping: () => void): Promise<void> {
    if (signal.aborted) return;
    const watcher = new Watcher(this.#deps, { plan: this.#plan, onRingStopping });
    const tasks = [watcher.run(signal)];
    if (this.#keeper !== undefined && this.#gateway !== undefined) {
      tasks.push(this.#keeper.run(this.#gateway, signal));
    }
    await Promise.all(tasks);
  }

  /** Stops every process behind the network's addresses. */
  async stop(): Promise<void> {
    const nodes = this.#plan.nodes.map((node) => node.address);
    await stopRing(this.#deps, { nodes, gateway: this.#plan.gateway?.address });
  }

  #spawn(node: NodeOptions): Child {
    const child = this.#deps.spawner.spawn(nodeArgs(node));
    this.#deps.book.started(node.address, child);
    return child;
  }

  async #wire(signal: AbortSignal): Promise<void> {
    const addresses = this.#plan.nodes.map((node) => node.address);
    await Promise.all(addresses.map((address) => waitForPing(this.#deps, address, signal)));
    await keepTrying(this.#deps, signal, async () => {
      await giveView(this.#deps, this.#plan, { addresses, signal });
      return true;
    });
    await waitUntilReady(this.#deps, addresses, signal);
    const gateway = this.#plan.gateway?.address;
    // Its answer to a ping comes from a node: then the way through is open.
    if (gateway !== undefined) await waitForPing(this.#deps, gateway, signal);
  }

  /**
   * Whether another process is the node: in a ring that knows its members, a neighbour may have
   * started the node as well, and won.
   */
  async #isThere(node: NodeOptions): Promise<boolean> {
    const signal = AbortSignal.timeout(takenOverMs);
    let dataDir: string | undefined;
    const ask = async (peer: PeerConnection) => {
      dataDir = (await askInfo(peer)).get("data_dir");
      return true;
    };
    await keepTrying(
      this.#deps,
      signal,
      () => withPeer(this.#deps, { address: node.address, signal }, ask),
    ).catch(() => {
      // It does not tell; then it is somebody else.
    });
    return dataDir === node.dataDir;
  }

  #notReady(cause: unknown): NetworkError {
    const seconds = Math.round((this.#deps.clock.nowMs() - this.startedMs) / 1000);
    return new NetworkError(
      `The ring was not ready after ${seconds} s; '${this.#plan.nodes[0]?.logFile}' and its ` +
        "like may tell why",
      { cause },
    );
  }
}

function endedEarly(node: NodeOptions, exitCode: number): NetworkError {
  const why = exitCode === heldExitCode
    ? "another process has its port or its directory"
    : `it ended with code ${exitCode}; see '${node.logFile}'`;
  return new NetworkError(`Node ${node.address} did not start: ${why}`);
}

function gatewayEndedEarly(plan: NetworkPlan, exitCode: number): NetworkError {
  const why = exitCode === heldExitCode
    ? "another process has its port"
    : `it ended with code ${exitCode}; see '${plan.gateway?.logFile}'`;
  return new NetworkError(`The gateway on ${plan.gateway?.address} did not start: ${why}`);
}

/** What a node or gateway exits with when another process has its port or directory; see `runNode`. */
const heldExitCode = 75;
