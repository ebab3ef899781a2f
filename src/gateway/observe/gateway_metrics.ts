import { Counter, Gauge, Histogram, type Metric, Registry } from "prom-client";
import { durationBounds } from "../../protocol/node_metrics.ts";
import type { Clock } from "../../runtime/clock.ts";
import { programVersion } from "../../runtime/version.ts";
import type { HttpOperation } from "./http_operation.ts";
import type { MetricFamily } from "./metric_family.ts";
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

/** A request that was answered. */
export interface AnsweredRequest {
  readonly operation: HttpOperation;
  readonly method: string;
  /** Of the answer. */
  readonly status: number;
  /** From the request's headers to the last byte of the answer, or to the moment at which it was cut. */
  readonly ms: number;
}

/**
 * What `/metrics` tells: of this gateway, and of the nodes, which are asked each time. The gateway keeps
 * nothing on a disk, so its own counts, and the sums over the ring, begin anew with its process; what
 * a node counts begins anew with the node's.
 */
export class GatewayMetrics {
  /** The media type of the text. */
  readonly contentType: string;
  readonly #dependencies: GatewayMetricsDependencies;
  readonly #own = new Registry();
  readonly #totals = new RingTotals();
  readonly #requests: Counter<"operation" | "method" | "code">;
  readonly #durations: Histogram<"operation">;
  readonly #scrapes: Gauge;

  constructor(dependencies: GatewayMetricsDependencies) {
    this.#dependencies = dependencies;
    const registers = [this.#own];
    this.contentType = this.#own.contentType;
    this.#requests = new Counter({
      name: "ouroboros_gateway_http_requests_total",
      help: "HTTP requests answered since this gateway was started.",
      labelNames: ["operation", "method", "code"],
      registers,
    });
    this.#durations = new Histogram({
      name: "ouroboros_gateway_http_request_duration_seconds",
      help: "Time from the headers of a request to the last byte of the answer, but for /events.",
      labelNames: ["operation"],
      buckets: [...durationBounds],
      registers,
    });
    this.#scrapes = new Gauge({
      name: "ouroboros_gateway_scrape_duration_seconds",
      help: "How long the nodes took to tell their metrics, this time.",
      registers,
    });
    this.#addTraffic();
    this.#addProcess();
  }

  /** Counts a request that was answered. */
  answered({ operation, method, status, ms }: AnsweredRequest): void {
    const known = methods.has(method) ? method : "other";
    this.#requests.inc({ operation, method: known, code: String(status) });
    // It lasts as long as its client listens.
    if (operation !== "events") this.#durations.observe({ operation }, ms / 1000);
  }

  /** All metrics in the text format of Prometheus; the nodes are asked now, each within its deadline. */
  async text(): Promise<string> {
    const { clock, scraper } = this.#dependencies;
    const startMs = clock.nowMs();
    const nodes = await scraper.scrape();
    this.#scrapes.set((clock.nowMs() - startMs) / 1000);
    this.#totals.take(nodes);
    const ofRing = new Registry();
    for (const family of ringFamilies(nodes, this.#totals)) {
      // The registry takes what has a name and tells its values, which nodes counted elsewhere.
      ofRing.registerMetric(new RelayedMetric(family) as unknown as Metric);
    }
    return await this.ownText() + await ofRing.metrics();
  }

  /** What the nodes say now. */
  nodes(): Promise<readonly ScrapedNode[]> {
    return this.#dependencies.scraper.scrape();
  }

  /** The metrics of this process alone, for which no node is asked. */
  async ownText(): Promise<string> {
    return await this.#own.metrics();
  }

  #addTraffic(): void {
    const { traffic } = this.#dependencies;
    const registers = [this.#own];
    const labelNames = ["protocol"];
    new Gauge({
      name: "ouroboros_gateway_connections",
      help: "Open connections of clients, by what they speak.",
      labelNames,
      registers,
      collect() {
        for (const protocol of spoken) this.set({ protocol }, traffic.of(protocol).open);
      },
    });
    const counters: readonly [name: string, help: string, key: keyof TrafficCounts][] = [
      ["connections_total", "Connections of clients, by what they spoke.", "connections"],
      ["received_bytes_total", "Bytes from clients, by what they speak.", "receivedBytes"],
      ["sent_bytes_total", "Bytes to clients, by what they speak.", "sentBytes"],
    ];
    for (const [name, help, key] of counters) {
      new Counter({
        name: `ouroboros_gateway_${name}`,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const protocol of spoken) this.inc({ protocol }, traffic.of(protocol)[key]);
        },
      });
    }
    new Counter({
      name: "ouroboros_gateway_connections_refused_total",
      help: "Connections of clients refused as too many were open.",
      registers,
      collect() {
        this.reset();
        this.inc(traffic.refused);
      },
    });
  }

  #addProcess(): void {
    const { clock, eventListeners } = this.#dependencies;
    const registers = [this.#own];
    new Gauge({
      name: "ouroboros_gateway_info",
      help: "1, with the version of the program.",
      labelNames: ["version"],
      registers,
    }).set({ version: programVersion }, 1);
    new Gauge({
      name: "ouroboros_gateway_start_time_seconds",
      help: "When this gateway was started, since the epoch: what it counts is forgotten with it.",
      registers,
    }).set(clock.wallMs() / 1000);
    new Gauge({
      name: "ouroboros_gateway_resident_memory_bytes",
      help: "Resident memory of this gateway.",
      registers,
      collect() {
        this.set(Deno.memoryUsage().rss);
      },
    });
    new Gauge({
      name: "ouroboros_gateway_event_listeners",
      help: "Clients that listen to /events.",
      registers,
      collect() {
        this.set(eventListeners());
      },
    });
  }
}

/** A family whose values come from elsewhere, as a registry takes it. */
class RelayedMetric {
  readonly name: string;
  readonly #family: MetricFamily;

  constructor(family: MetricFamily) {
    this.name = family.name;
    this.#family = family;
  }

  /** What a registry asks of a metric. */
  get(): Promise<unknown> {
    const { name, help, type, samples } = this.#family;
    const values = samples.map(({ suffix, labels, value }) => ({
      metricName: `${name}${suffix}`,
      labels,
      value,
    }));
    return Promise.resolve({ name, help, type, values, aggregator: "sum" });
  }
}

/** The methods that are told apart. */
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);
