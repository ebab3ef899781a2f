import type { Clock } from "../../runtime/clock.ts";
import { programVersion } from "../../runtime/version.ts";
import type { Exposition } from "./exposition.ts";
import { type AnsweredRequest, HttpCounters } from "./http_counters.ts";
import { type MetricFamily, type MetricType, type Sample, sample } from "./metric_family.ts";
import type { NodeScraper, ScrapedNode } from "./node_scraper.ts";
import { ringFamilies } from "./ring_families.ts";
import { RingTotals } from "./ring_totals.ts";
import { spoken, type Traffic, type TrafficCounts } from "./traffic.ts";

/** What {@linkcode GatewayMetrics} measures. */
export interface GatewayMetricsDependencies {
  readonly clock: Clock;
  readonly traffic: Traffic;
  readonly scraper: Pick<NodeScraper, "scrape">;
  /** Clients that listen to `/events` now. */
  readonly eventListeners: () => number;
}

/**
 * What `/metrics` tells: of this gateway, and of the nodes, which are asked each time. The gateway keeps
 * nothing on a disk, so its own counts, and the sums over the ring, begin anew with its process; what
 * a node counts begins anew with the node's.
 */
export class GatewayMetrics {
  readonly #dependencies: GatewayMetricsDependencies;
  readonly #http = new HttpCounters();
  readonly #totals = new RingTotals();
  readonly #startTimeMs: number;

  constructor(dependencies: GatewayMetricsDependencies) {
    this.#dependencies = dependencies;
    this.#startTimeMs = dependencies.clock.wallMs();
  }

  /** Counts a request that was answered. */
  answered(request: AnsweredRequest): void {
    this.#http.answered(request);
  }

  /** All metrics; the nodes are asked now, each within its deadline. */
  async expose(): Promise<Exposition> {
    const { clock } = this.#dependencies;
    const startMs = clock.nowMs();
    const nodes = await this.nodes();
    const scrape: MetricFamily = {
      name: "ouroboros_gateway_scrape_duration_seconds",
      help: "How long the nodes took to tell their metrics, this time.",
      type: "gauge",
      samples: [sample((clock.nowMs() - startMs) / 1000)],
    };
    this.#totals.take(nodes);
    return await expose([...this.#families(), scrape, ...ringFamilies(nodes, this.#totals)]);
  }

  /** The metrics of this process alone, for which no node is asked. */
  async exposeOwn(): Promise<Exposition> {
    return await expose(this.#families());
  }

  /** What the nodes say now. */
  nodes(): Promise<readonly ScrapedNode[]> {
    return this.#dependencies.scraper.scrape();
  }

  #families(): MetricFamily[] {
    const { eventListeners, traffic } = this.#dependencies;
    const byProtocol = (key: keyof TrafficCounts) =>
      spoken.map((protocol) => sample(traffic.of(protocol)[key], { protocol }));
    const families: readonly [type: MetricType, name: string, help: string, Sample[]][] = [
      [
        ...["counter", "http_requests_total"] as const,
        "HTTP requests answered since this gateway was started.",
        this.#http.requests(),
      ],
      [
        ...["histogram", "http_request_duration_seconds"] as const,
        "Time from the headers of a request to the last byte of the answer, but for /events.",
        this.#http.durations(),
      ],
      [
        ...["gauge", "connections"] as const,
        "Open connections of clients, by what they speak.",
        byProtocol("open"),
      ],
      [
        ...["counter", "connections_total"] as const,
        "Connections of clients, by what they spoke.",
        byProtocol("connections"),
      ],
      [
        ...["counter", "connections_refused_total"] as const,
        "Connections of clients refused as too many were open.",
        [sample(traffic.refused)],
      ],
      [
        ...["counter", "received_bytes_total"] as const,
        "Bytes from clients, by what they speak.",
        byProtocol("receivedBytes"),
      ],
      [
        ...["counter", "sent_bytes_total"] as const,
        "Bytes to clients, by what they speak.",
        byProtocol("sentBytes"),
      ],
      [
        ...["gauge", "event_listeners"] as const,
        "Clients that listen to /events.",
        [sample(eventListeners())],
      ],
      [
        ...["gauge", "info"] as const,
        "1, with the version of the program.",
        [sample(1, { version: programVersion })],
      ],
      [
        ...["gauge", "start_time_seconds"] as const,
        "When this gateway was started, since the epoch: what it counts is forgotten with it.",
        [sample(this.#startTimeMs / 1000)],
      ],
      [
        ...["gauge", "resident_memory_bytes"] as const,
        "Resident memory of this gateway.",
        [sample(Deno.memoryUsage().rss)],
      ],
    ];
    return families.map(([type, name, help, samples]) => ({
      name: `ouroboros_gateway_${name}`,
      help,
      type,
      samples,
    }));
  }
}

/** Loads what writes the text when it is needed for the first time. */
async function expose(families: readonly MetricFamily[]): Promise<Exposition> {
  const { exposeFamilies } = await import("./exposition.ts");
  return await exposeFamilies(families);
}
