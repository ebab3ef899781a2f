import { askMetrics } from "../../client/metrics.ts";
import { isUnknownToPeer, PeerUnreachable } from "../../net/peer_errors.ts";
import type { PeerPool } from "../../net/peer_pool.ts";
import type { NodeAddress } from "../../protocol/address.ts";
import type { NodeStatus } from "../../protocol/lists.ts";
import type { NodeMetrics } from "../../protocol/node_metrics.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { NodePicker } from "../node_picker.ts";

/** What a {@linkcode NodeScraper} works with. */
export interface NodeScraperDependencies {
  readonly peers: PeerPool;
  readonly picker: Pick<NodePicker, "candidates" | "netmap">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What one node was found to be like. */
export interface ScrapedNode {
  readonly address: NodeAddress;
  /** What the ring says of it, as far as the gateway has heard. */
  readonly status: NodeStatus | "unknown";
  /** Whether it answered. */
  readonly isUp: boolean;
  /** What it told; nothing when it did not answer, or is an original, which counts nothing. */
  readonly metrics: NodeMetrics | undefined;
}

/** How long a node may take for the whole answer, in ms: who scrapes waits some seconds for all. */
const nodeMs = 1_500;

/** The same for one that the ring calls Dead: most likely nobody is there. */
const deadNodeMs = 300;

/** Nodes that are asked at once. */
const atOnceMax = 64;

/** Asks the nodes of the ring what they count and measure. */
export class NodeScraper {
  readonly #dependencies: NodeScraperDependencies;
  #running: Promise<readonly ScrapedNode[]> | undefined;

  constructor(dependencies: NodeScraperDependencies) {
    this.#dependencies = dependencies;
  }

  /** Asks all nodes; who asks while that is under way gets the same answer. Never rejects. */
  scrape(): Promise<readonly ScrapedNode[]> {
    this.#running ??= this.#scrapeAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #scrapeAll(): Promise<readonly ScrapedNode[]> {
    const { picker } = this.#dependencies;
    const known = new Map(picker.netmap().map(({ address, status }) => [address, status]));
    const addresses = picker.candidates();
    const scraped: ScrapedNode[] = [];
    let next = 0;
    const worker = async () => {
      for (let at = next++; at < addresses.length; at = next++) {
        const address = addresses[at];
        if (address === undefined) return;
        scraped[at] = await this.#scrapeNode(address, known.get(address) ?? "unknown");
      }
    };
    await Promise.all(Array.from({ length: atOnceMax }, worker));
    return scraped;
  }

  async #scrapeNode(
    address: NodeAddress,
    status: NodeStatus | "unknown",
  ): Promise<ScrapedNode> {
    const { clock, log } = this.#dependencies;
    const untilMs = clock.nowMs() + (status === "Dead" ? deadNodeMs : nodeMs);
    try {
      return { address, status, isUp: true, metrics: await this.#ask(address, untilMs) };
    } catch (error) {
      // Whatever it is: the node is not up, which is what the scrape tells.
      log.debug("node told no metrics", { node: address, error });
      return { address, status, isUp: false, metrics: undefined };
    }
  }

  /** What a node tells; nothing when it is an original. */
  async #ask(address: NodeAddress, untilMs: number): Promise<NodeMetrics | undefined> {
    const { clock, peers } = this.#dependencies;
    const leftMs = () => Math.max(1, untilMs - clock.nowMs());
    for (let fresh = false;; fresh = true) {
      using peer = await peers.borrow(address, { timeoutMs: leftMs(), fresh });
      try {
        const metrics = await askMetrics(peer, leftMs());
        peer.release();
        return metrics;
      } catch (error) {
        // A connection that has rested may be one to a process that is gone.
        const isStale = error instanceof PeerUnreachable && error.kind === "broken" && !peer.fresh;
        if (isStale) continue;
        if (!isUnknownToPeer(error)) throw error;
        peer.release();
        return undefined;
      }
    }
  }
}
