import type { PeerPool } from "../../net/peer_pool.ts";
import { randomId } from "../../runtime/random.ts";
import type { AskedRequest } from "../http_door.ts";
import type { NodePicker } from "../node_picker.ts";
import { EventHub, type EventHubDependencies } from "./event_hub.ts";
import { GatewayMetrics } from "./gateway_metrics.ts";
import { httpOperation } from "./http_operation.ts";
import { NodeScraper } from "./node_scraper.ts";
import { Traffic } from "./traffic.ts";

/** What an {@linkcode Observation} works with. */
export interface ObservationDependencies extends Omit<EventHubDependencies, "run" | "picker"> {
  readonly picker: NodePicker;
  readonly peers: PeerPool;
}

/** What a gateway counts of itself, and asks of the nodes for who watches the ring. */
export class Observation {
  readonly traffic = new Traffic();
  readonly events: EventHub;
  readonly metrics: GatewayMetrics;

  constructor(dependencies: ObservationDependencies) {
    const { traffic } = this;
    const { clock } = dependencies;
    const events = new EventHub({ ...dependencies, run: randomId() });
    const scraper = new NodeScraper(dependencies);
    this.events = events;
    this.metrics = new GatewayMetrics({
      clock,
      traffic,
      scraper,
      eventListeners: () => events.listeners,
    });
  }

  /** Counts an answer whose last byte is sent, or whose client has broken off. */
  answered({ method, url }: AskedRequest, { status }: Response, ms: number): void {
    this.metrics.answered({ operation: httpOperation(method, new URL(url)), method, status, ms });
  }
}
