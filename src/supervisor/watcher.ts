import { nodeArgs, type NodeOptions } from "../node/options.ts";
import { isPeerFailure } from "../net/peer_errors.ts";
import type { NodeAddress } from "../protocol/address.ts";
import type { Logger } from "../runtime/log.ts";
import { NodeLink } from "./node_link.ts";
import type { NetworkPlan } from "./plan.ts";
import type { ProcessBook } from "./processes.ts";
import type { Spawner } from "./spawner.ts";
import { giveView, type WireDependencies } from "./wire.ts";

/** What the watcher works with. */
export interface WatcherDependencies extends WireDependencies {
  readonly log: Logger;
  readonly spawner: Spawner;
  readonly book: ProcessBook;
}

/** What is watched, and who is told when the ring is stopping though we were not asked. */
export interface WatcherOptions {
  readonly plan: NetworkPlan;
  /** Called when the nodes say that their ring stops: then the rest of it has to stop as well. */
  readonly onRingStopping: () => void;
}

/** The pause between two looks at a node that is down, in ms. */
const lookMs = 200;

/**
 * How much longer than its gossip interval the ring gets to heal a node by itself, in ms. Shorter
 * makes the supervisor race with the neighbours (harmless, as the node's lock lets only one of them
 * win, but it costs a process); longer leaves a node down that the ring cannot heal.
 */
const graceMs = 3_000;

/** How long no node at all may answer before the supervisor starts all of them, in ms. */
const allDownMs = 100;

/** How long a node that was started may take until it listens, in ms. */
const startMs = 10_000;

/** After a node that did not come up, the next attempt waits this long, in ms, then twice that … */
const backoffFirstMs = 250;

/** … up to this. */
const backoffMaxMs = 8_000;

/** How long an original must hold a port of ours before it is replaced, in ms. */
const originalMs = 1_000;

/**
 * The last watcher of a ring: starts a node again that nobody else can, because the node that
 * watches it is dead as well.
 *
 * 1. While any node is up the ring heals itself; the supervisor acts only when that has not
 *    happened within the gossip interval and {@linkcode graceMs}, or when no node is up at all.
 * 2. Nothing is polled while all nodes are up: a {@linkcode NodeLink} to each tells of its end.
 * 3. With a gossip interval of 0 no node is ever started again.
 */
export class Watcher {
  readonly #deps: WatcherDependencies;
  readonly #options: WatcherOptions;
  readonly #up = new Set<NodeAddress>();

  constructor(deps: WatcherDependencies, options: WatcherOptions) {
    this.#deps = deps;
    this.#options = options;
    // The ring was ready a moment ago; a link that does not come about says otherwise.
    for (const node of options.plan.nodes) this.#up.add(node.address);
  }

  /** Watches until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#options.plan.nodes.map((node) => this.#watch(node, signal)));
  }

  async #watch(node: NodeOptions, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    const outage = new Outage();
    while (!signal.aborted) {
      try {
        const link = await this.#open(node.address, signal);
        if (link === undefined) await this.#whileDown(node, outage, signal);
        else await this.#whileUp(node, link, { outage, signal });
      } catch (error) {
        if (signal.aborted) return;
        const known = isPeerFailure(error);
        log[known ? "debug" : "error"]("cannot watch a node", { node: node.address, error });
      }
      await clock.sleep(lookMs, signal).catch(() => {/* the loop looks at the signal */});
    }
  }

  async #open(address: NodeAddress, signal: AbortSignal): Promise<NodeLink | undefined> {
    const link = await NodeLink.open(this.#deps, address, signal);
    if (link === undefined) this.#up.delete(address);
    return link;
  }

  async #whileUp(
    node: NodeOptions,
    link: NodeLink,
    { outage, signal }: { readonly outage: Outage; readonly signal: AbortSignal },
  ): Promise<void> {
    using _closing = link;
    const { book, log } = this.#deps;
    const { address } = node;
    const info = await link.info();
    if (info === "original") return await this.#replaceOriginal(node, outage, signal);
    book.told(address, Number(info.get("pid")));
    if (outage.sinceMs !== undefined) log.info("node is back", { node: address });
    // A node that the supervisor started waits for the ring; to any other one this is no news.
    if (outage.started) {
      await giveView(this.#deps, this.#options.plan, { addresses: [address], signal });
    }
    outage.end();
    this.#up.add(address);
    await link.ended();
    if (signal.aborted) return;
    this.#up.delete(address);
    log.info("node is gone", { node: address });
    if (await this.#ringIsStopping(signal)) this.#options.onRingStopping();
  }

  async #whileDown(node: NodeOptions, outage: Outage, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const nowMs = clock.nowMs();
    outage.begin(nowMs);
    if (node.gossipIntervalMs === 0 || nowMs < outage.notBeforeMs) return;
    const patienceMs = this.#up.size === 0 ? allDownMs : node.gossipIntervalMs + graceMs;
    if (nowMs - (outage.sinceMs ?? nowMs) < patienceMs) return;
    await this.#start(node, outage, signal);
  }

  /** Starts the node, and waits until it is there or has ended. */
  async #start(node: NodeOptions, outage: Outage, signal: AbortSignal): Promise<void> {
    const { clock, log, spawner, book } = this.#deps;
    const { address } = node;
    log.info("node is started again", { node: address });
    const child = spawner.spawn(nodeArgs(node));
    book.started(address, child);
    outage.started = true;
    const deadlineMs = clock.nowMs() + startMs;
    let exitCode: number | undefined;
    const settled = new AbortController();
    child.exited.then((code) => {
      exitCode = code;
      settled.abort();
    });
    const end = AbortSignal.any([signal, settled.signal]);
    while (!end.aborted && clock.nowMs() < deadlineMs) {
      const link = await NodeLink.open(this.#deps, address, end).catch(() => undefined);
      if (link !== undefined) return link[Symbol.dispose]();
      await clock.sleep(lookMs / 4, end).catch(() => {/* the loop looks at the signal */});
    }
    if (signal.aborted) return child.kill();
    outage.failed(clock.nowMs());
    log.warn("node did not start", { node: address, exitCode });
  }

  /** Whether a node that is up says that its ring stops. */
  async #ringIsStopping(signal: AbortSignal): Promise<boolean> {
    for (const address of this.#up) {
      try {
        using link = await NodeLink.open(this.#deps, address, signal);
        const info = await link?.info();
        if (info !== undefined && info !== "original") return info.get("state") === "stopping";
      } catch (error) {
        if (!isPeerFailure(error)) throw error;
      }
    }
    return false;
  }

  /** An original node respawns its dead successor with its own program: ours takes its place. */
  async #replaceOriginal(node: NodeOptions, outage: Outage, signal: AbortSignal): Promise<void> {
    const { book, clock, log } = this.#deps;
    outage.begin(clock.nowMs());
    if (node.gossipIntervalMs === 0) return;
    await clock.sleep(originalMs, signal);
    log.warn("an original node took the port; it is replaced", { node: node.address });
    await book.kill(node.address);
    await this.#start(node, outage, signal);
  }
}

/** How long a node has been down, and what was tried. */
class Outage {
  sinceMs: number | undefined;
  /** Whether the supervisor started the node in this outage. */
  started = false;
  /** No further attempt before this. */
  notBeforeMs = 0;
  #backoffMs = backoffFirstMs;

  begin(nowMs: number): void {
    this.sinceMs ??= nowMs;
  }

  /** Notes that an attempt has failed. */
  failed(nowMs: number): void {
    this.notBeforeMs = nowMs + this.#backoffMs;
    this.#backoffMs = Math.min(this.#backoffMs * 2, backoffMaxMs);
  }

  end(): void {
    this.sinceMs = undefined;
    this.started = false;
    this.notBeforeMs = 0;
    this.#backoffMs = backoffFirstMs;
  }
}
