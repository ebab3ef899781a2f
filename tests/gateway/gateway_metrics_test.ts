import { assert, assertEquals, assertThrows } from "@std/assert";
import { GatewayMetrics } from "../../src/gateway/observe/gateway_metrics.ts";
import { ringFamilies } from "../../src/gateway/observe/ring_families.ts";
import { NodeScraper, type ScrapedNode } from "../../src/gateway/observe/node_scraper.ts";
import { nodeFamilies } from "../../src/gateway/observe/node_families.ts";
import { RingTotals } from "../../src/gateway/observe/ring_totals.ts";
import { Traffic } from "../../src/gateway/observe/traffic.ts";
import { NodePicker } from "../../src/gateway/node_picker.ts";
import { PeerPool } from "../../src/net/peer_pool.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { NodeCounters } from "../../src/node/counters.ts";
import { formatMetrics, type NodeMetrics, parseMetrics } from "../../src/protocol/node_metrics.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { connectionPair } from "../support/fake_connection.ts";
import { address, FakeTransport } from "../support/fake_transport.ts";
import { LineNode } from "../support/line_node.ts";
import { lintFamilies, parseExposition, valueOf } from "../support/exposition.ts";

const first = address("127.0.0.1:7000");
const second = address("127.0.0.1:7001");
const third = address("127.0.0.1:7002");

/** What a node tells that has served so many pushes of a byte, and healed as often. */
function metricsOf(run: string, pushes: number): NodeMetrics {
  const counters = new NodeCounters();
  for (let push = 0; push < pushes; push++) {
    const counts = { isFailed: push === 0, receivedBytes: 1, sentBytes: 3 };
    counters.served({ kind: "file-push", ms: 2 + push, ...counts });
    counters.healing.durations.add(1.5);
  }
  const told = parseMetrics(JSON.stringify({
    ...{ run, version: "0.1.0", state: "ready", operations: counters.operations() },
    records: { files: { count: 7, bytes: 700 } },
    disk: { freeBytes: 10 * pushes, sizeBytes: 1000 },
  }));
  return {
    ...told,
    healing: { ...told.healing, durations: counters.healing.durations.snapshot() },
  };
}

function scraped(metrics: readonly (NodeMetrics | undefined)[]): ScrapedNode[] {
  return metrics.map((each, index) => ({
    address: [first, second, third][index] ?? first,
    status: each === undefined ? "Dead" : "Alive",
    isUp: each !== undefined,
    metrics: each,
  }));
}

/** The metrics of a gateway whose nodes are as `nodes` says. */
function metricsWith(nodes: () => readonly ScrapedNode[], traffic = new Traffic()) {
  return new GatewayMetrics({
    clock: new FakeClock(1_000),
    traffic,
    scraper: { scrape: () => Promise.resolve(nodes()) },
    eventListeners: () => 2,
  });
}

Deno.test("GatewayMetrics.expose() keeps the rules of Prometheus for names, helps and series", async () => {
  const metrics = metricsWith(() => scraped([metricsOf("a", 2), metricsOf("b", 1), undefined]));
  metrics.answered({ operation: "read", method: "GET", status: 200, ms: 12 });
  metrics.answered({ operation: "events", method: "GET", status: 200, ms: 1e9 });
  metrics.answered({ operation: "other", method: 'BREW\n"', status: 405, ms: 1 });
  const families = parseExposition((await metrics.expose()).text);
  assertEquals(lintFamilies(families.values()), []);
  assert(families.size > 70, `${families.size}`);
  assertEquals(
    valueOf(families, "ouroboros_gateway_http_requests_total", {
      ...{ operation: "other", method: "other", code: "405" },
    }),
    1,
  );
  assertEquals(
    families.get("ouroboros_gateway_http_request_duration_seconds")?.samples
      .filter(({ labels }) => labels["operation"] === "events"),
    [],
  );
  assertEquals(valueOf(families, "ouroboros_gateway_event_listeners"), 2);
  assertEquals(valueOf(families, "ouroboros_gateway_start_time_seconds"), 1);
});

Deno.test("GatewayMetrics.expose() tells of each node, and of the ring", async () => {
  const metrics = metricsWith(() => scraped([metricsOf("a", 3), metricsOf("b", 2), undefined]));
  const families = parseExposition((await metrics.expose()).text);
  const node = (name: string, node: string, labels = {}) =>
    valueOf(families, `ouroboros_node_${name}`, { node, ...labels });
  const ring = (name: string, labels = {}) => valueOf(families, `ouroboros_ring_${name}`, labels);
  assertEquals([first, second, third].map((each) => node("up", each)), [1, 1, 0]);
  assertEquals(ring("nodes", { state: "alive" }), 2);
  assertEquals(ring("nodes", { state: "dead" }), 1);
  assertEquals(node("requests_total", first, { operation: "push" }), 3);
  assertEquals(ring("requests_total", { operation: "push" }), 5);
  assertEquals(ring("request_errors_total", { operation: "push" }), 2);
  assertEquals(ring("received_bytes_total", { operation: "push" }), 5);
  assertEquals(ring("request_duration_seconds_bucket", { operation: "push", le: "0.005" }), 5);
  assertEquals(ring("request_duration_seconds_bucket", { operation: "push", le: "0.001" }), 0);
  assertEquals(ring("heal_duration_seconds_count"), 5);
  assertEquals(ring("heal_duration_seconds_sum"), 7.5);
  assertEquals(ring("files"), 7, "every node lists the same files");
  assertEquals(ring("disk_free_bytes"), 20, "the fullest disk");
  assertEquals(ring("ready"), 2);
  assertThrows(() => node("ready", third), Error, "There is no");
});

Deno.test("RingTotals never become less, though nodes begin anew and are away", async () => {
  let nodes = scraped([metricsOf("a", 5), metricsOf("b", 3)]);
  const metrics = metricsWith(() => nodes);
  const pushes = async () =>
    valueOf(parseExposition((await metrics.expose()).text), "ouroboros_ring_requests_total", {
      operation: "push",
    });
  assertEquals(await pushes(), 8);
  assertEquals(await pushes(), 8, "what was counted is not counted again");
  nodes = scraped([metricsOf("a", 6), undefined]);
  assertEquals(await pushes(), 9);
  nodes = scraped([metricsOf("a", 6), metricsOf("b2", 1)]);
  assertEquals(await pushes(), 10, "the process is another one");
  nodes = scraped([metricsOf("a", 6), metricsOf("b2", 4)]);
  assertEquals(await pushes(), 13);
});

Deno.test("ringFamilies() have each metric of the nodes once, also without nodes", () => {
  const families = ringFamilies([], new RingTotals());
  const names = families.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  assertEquals(
    names.filter((name) => name.startsWith("ouroboros_node_")).length,
    3 + nodeFamilies.length,
  );
});

Deno.test("GatewayMetrics.exposeOwn() asks no node", async () => {
  const metrics = metricsWith(() => {
    throw new Error("a node was asked");
  });
  const families = parseExposition((await metrics.exposeOwn()).text);
  assertEquals([...families.keys()].every((name) => name.startsWith("ouroboros_gateway_")), true);
});

Deno.test("NodeScraper waits for nobody longer than its deadline, and for all at once", async () => {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  using watchdog = new Watchdog(clock);
  using peers = new PeerPool({ transport, watchdog, clock });
  const picker = new NodePicker([first, second, third]);
  picker.update([{ address: first, status: "Alive" }, { address: second, status: "Alive" }]);
  const body = formatMetrics(metricsOf("a", 1));
  await using answering = new LineNode(transport, first, () => `METRICS ${body.length}\n${body}`);
  await using _silent = new LineNode(transport, second, () => undefined);
  const scraper = new NodeScraper({ peers, picker, clock, log: silentLogger });
  const both = Promise.all([scraper.scrape(), scraper.scrape()]);
  await clock.advance(2_000);
  const [nodes, again] = await both;
  assertEquals(again, nodes);
  assertEquals(answering.lines, ["NODE METRICS"], "who asks at the same time gets the same answer");
  assertEquals(nodes.map(({ address, isUp, status }) => [address, isUp, status]), [
    [first, true, "Alive"],
    [second, false, "Alive"],
    [third, false, "unknown"],
  ]);
  assertEquals(nodes[0]?.metrics?.operations.push?.durations.count, 1);
});

Deno.test("NodeScraper does not take a connection that died at rest for a node that did", async () => {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  using watchdog = new Watchdog(clock);
  using peers = new PeerPool({ transport, watchdog, clock });
  const body = formatMetrics(metricsOf("a", 1));
  let served = 0;
  await using _node = new LineNode(transport, first, () => {
    return ++served === 2 ? "close" : `METRICS ${body.length}\n${body}`;
  });
  const picker = new NodePicker([first]);
  const scraper = new NodeScraper({ peers, picker, clock, log: silentLogger });
  for (const connections of [1, 2]) {
    const [node] = await scraper.scrape();
    assertEquals([node?.isUp, transport.dials], [true, connections]);
  }
});

Deno.test("NodeScraper knows an original, which is up and counts nothing", async () => {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  using watchdog = new Watchdog(clock);
  using peers = new PeerPool({ transport, watchdog, clock });
  const picker = new NodePicker([first, second]);
  await using _original = new LineNode(transport, first, () => "ERR unknown NODE command\n");
  await using _liar = new LineNode(transport, second, () => "METRICS 5\nhello");
  const scraper = new NodeScraper({ peers, picker, clock, log: silentLogger });
  const nodes = await scraper.scrape();
  assertEquals(nodes.map(({ isUp, metrics }) => [isUp, metrics]), [
    [true, undefined],
    [false, undefined],
  ]);
  const families = parseExposition((await metricsWith(() => nodes).expose()).text);
  const [info] = families.get("ouroboros_node_info")?.samples ?? [];
  assertEquals(info?.labels["program"], "original");
});

Deno.test("Traffic counts what came before it was known what a connection speaks", async () => {
  const traffic = new Traffic();
  const [near, far] = connectionPair();
  const metered = traffic.meter(near);
  assertEquals(traffic.of("none").open, 1);
  await far.write(new TextEncoder().encode("GET / HTTP/1.1\r\n"));
  await metered.read(new Uint8Array(100));
  assertEquals(traffic.of("none").receivedBytes, 0);
  metered.speaks("http");
  await metered.write(new Uint8Array(7));
  const counts = { open: 1, connections: 1, receivedBytes: 16, sentBytes: 7 };
  assertEquals(traffic.of("http"), counts);
  metered.close();
  metered.close();
  assertEquals(traffic.of("http"), { ...counts, open: 0 });
  assertEquals(traffic.of("none"), { open: 0, connections: 0, receivedBytes: 0, sentBytes: 0 });
  far.close();
});

Deno.test("parseExposition() refuses what Prometheus would", () => {
  const head = "# HELP a_total All.\n# TYPE a_total counter\n";
  const bad = [
    ...["a_total 1\n", `${head}b_total 1\n`, `${head}a_total x\n`, `${head}a_total 1`],
    ...[`${head}a_total{x="1"} 1\na_total{x="1"} 2\n`, `${head}a_total{x=1} 1\n`],
    ...[`${head}a_total{x="1",x="2"} 1\n`, `${head}${head}`],
  ];
  for (const text of bad) assertThrows(() => parseExposition(text), SyntaxError, undefined, text);
  assertEquals(lintFamilies(parseExposition(`${head}a_total{x="\\"\\n"} 1\n`).values()), [
    "a_total: begins with ouroboros_",
  ]);
});
