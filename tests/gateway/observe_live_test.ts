/**
 * What a gateway tells those who watch a ring of real processes: `/metrics` and `/events`.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseEvent, type RingEvent } from "../../src/protocol/ring_event.ts";
import { lintFamilies, parseExposition, valueOf } from "../support/exposition.ts";
import { askText, type LiveRing, liveRing } from "../support/live_ring.ts";
import { waitUntil } from "../support/program.ts";

/** The metrics of a ring's gateway. */
async function metricsOf(ring: LiveRing, query = "") {
  const answer = await fetch(`http://127.0.0.1:${ring.gatewayPort}/metrics${query}`);
  assertEquals(answer.status, 200);
  assertMatch(answer.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  return parseExposition(await answer.text());
}

/** A client of `/events`, as a browser is one. */
class EventClient implements AsyncDisposable {
  readonly heard: RingEvent[] = [];
  lastId = "";
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;

  constructor(ring: LiveRing, lastId?: string) {
    const headers = lastId === undefined ? {} : { "last-event-id": lastId };
    this.#reading = this.#read(`http://127.0.0.1:${ring.gatewayPort}/events`, headers);
  }

  kinds(): string[] {
    return this.heard.map(({ kind }) => kind);
  }

  async waitFor(kind: string): Promise<RingEvent> {
    await waitUntil(`${kind} is told`, 15_000, () => this.kinds().includes(kind));
    const event = this.heard.find((each) => each.kind === kind);
    assert(event !== undefined);
    return event;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(url: string, headers: Record<string, string>): Promise<void> {
    try {
      const answer = await fetch(url, { headers, signal: this.#stop.signal });
      assertEquals(answer.headers.get("content-type"), "text/event-stream");
      let text = "";
      const decoder = new TextDecoder();
      for await (const bytes of answer.body ?? []) {
        text += decoder.decode(bytes, { stream: true });
        const messages = text.split("\n\n");
        text = messages.pop() ?? "";
        for (const message of messages) this.#take(message);
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  #take(message: string): void {
    const [, id] = /^id: (\S+)$/m.exec(message) ?? [];
    const [, data] = /^data: (.*)$/m.exec(message) ?? [];
    if (id === undefined || data === undefined) return;
    const event = parseEvent(data);
    assert(event !== undefined, data);
    this.lastId = id;
    this.heard.push(event);
  }
}

Deno.test("a gateway tells of the ring what operators and the page ask for", async (t) => {
  await using ring = await liveRing(3);
  const base = `http://127.0.0.1:${ring.gatewayPort}`;
  const name = '<b>"ä" & more';
  const path = `/files/${encodeURIComponent(name)}`;

  await t.step("/events tells what was before, and then what happens", async () => {
    await askText(ring.port(1), "FILE PUSH 5 before.txt\nhello");
    await using client = new EventClient(ring);
    const before = await client.waitFor("file-stored");
    assert(before.kind === "file-stored");
    assertEquals([before.name, before.by], ["before.txt", `127.0.0.1:${ring.port(1)}`]);
    const put = await fetch(`${base}${path}`, { method: "PUT", body: "hello" });
    await put.body?.cancel();
    await waitUntil("the second file is told", 5_000, () => client.heard.length === 2);
    const { lastId } = client;
    const deleted = await fetch(`${base}${path}`, { method: "DELETE" });
    await deleted.body?.cancel();
    const event = await client.waitFor("file-deleted");
    assert(event.kind === "file-deleted");
    assertEquals(event.name, name);
    await using again = new EventClient(ring, lastId);
    await again.waitFor("file-deleted");
    assertEquals(again.kinds(), ["file-deleted"], "what was heard is not told again");
  });

  await t.step("/events tells once that a node died, and that it is back", async () => {
    const node = `127.0.0.1:${ring.port(2)}`;
    await using client = new EventClient(ring);
    await client.waitFor("file-deleted");
    await ring.kill(ring.port(2));
    for (const kind of ["node-died", "heal-started", "node-respawned", "heal-finished"]) {
      assertEquals((await client.waitFor(kind)).node, node);
    }
    await ring.waitAllAlive();
    assertEquals(client.kinds().filter((kind) => kind === "node-died").length, 1);
    assertEquals(client.kinds().filter((kind) => kind === "node-alive").length, 1);
  });

  await t.step("/metrics keeps the rules, and counts what has happened", async () => {
    const all = await metricsOf(ring);
    assertEquals(lintFamilies(all.values()), []);
    const value = (name: string, labels = {}) => valueOf(all, `ouroboros_${name}`, labels);
    assertEquals(value("ring_requests_total", { operation: "push" }), 2);
    assertEquals(value("ring_requests_total", { operation: "delete" }), 1);
    assertEquals(value("ring_received_bytes_total", { operation: "push" }), 10);
    assertEquals(value("ring_files"), 1);
    assertEquals(value("ring_file_bytes"), 5);
    assert(value("ring_deaths_noticed_total") >= 1, "two may notice it at once");
    assert(value("ring_heals_started_total") >= 1);
    assert(value("ring_heal_duration_seconds_count") >= 1);
    assert(value("ring_heal_duration_seconds_sum") > 0);
    assert(value("gateway_received_bytes_total", { protocol: "http" }) > 500);
    const put = { operation: "store", method: "PUT", code: "201" };
    assertEquals(value("gateway_http_requests_total", put), 1);
    for (const port of ring.ports) {
      assertEquals(value("node_up", { node: `127.0.0.1:${port}` }), 1);
      assert(value("node_resident_memory_bytes", { node: `127.0.0.1:${port}` }) > 10e6);
    }
    const own = await metricsOf(ring, "?scope=gateway");
    assertEquals([...own.keys()].filter((name) => !name.startsWith("ouroboros_gateway_")), []);
  });

  await t.step("damage is told, and counted, and its repair", async () => {
    await using client = new EventClient(ring);
    const directory = `${ring.dataDir}/${ring.port(1)}/content`;
    const [chunk = ""] = await Array.fromAsync(Deno.readDir(directory), (entry) => entry.name);
    await Deno.writeTextFile(`${directory}/${chunk}`, "?");
    const scrubbed = await fetch(`${base}/scrub`, { method: "POST" });
    assertEquals((await scrubbed.json()).lost, 0);
    const damaged = await client.waitFor("chunk-damaged");
    assert(damaged.kind === "chunk-damaged");
    assertEquals([damaged.node, damaged.name], [`127.0.0.1:${ring.port(1)}`, "before.txt"]);
    const repaired = await client.waitFor("chunk-repaired");
    assert(repaired.kind === "chunk-repaired");
    assertEquals([repaired.name, repaired.count], ["before.txt", 1]);
    await client.waitFor("scrub-finished");
    const all = await metricsOf(ring);
    const counts = ["damaged", "repaired"].map((what) =>
      valueOf(all, `ouroboros_ring_chunks_${what}_total`)
    );
    assertEquals(counts, [1, 1]);
    assert(valueOf(all, "ouroboros_ring_chunks_checked_total") >= 5);
  });

  await t.step("/metrics counts the line protocol that passes through", async () => {
    const before = await metricsOf(ring, "?scope=gateway");
    assertEquals(await askText(ring.gatewayPort, "FILE PULL before.txt\n"), "hello");
    const after = await metricsOf(ring, "?scope=gateway");
    const grown = (name: string) =>
      valueOf(after, name, { protocol: "line" }) - valueOf(before, name, { protocol: "line" });
    assertEquals(grown("ouroboros_gateway_connections_total"), 1);
    assertEquals(grown("ouroboros_gateway_received_bytes_total"), "FILE PULL before.txt\n".length);
    assertEquals(grown("ouroboros_gateway_sent_bytes_total"), 5);
  });

  await t.step("/nodes tells more of each node, when it is asked to", async () => {
    const nodesOf = async (query: string) =>
      (await (await fetch(`${base}/nodes${query}`)).json()).nodes as Record<string, unknown>[];
    const [node] = await nodesOf("?detail");
    assertEquals(node?.["port"], ring.port(0));
    assertEquals(node?.["pid"], await ring.pid(ring.port(0)));
    assertEquals([node?.["state"], node?.["files"]], ["ready", 1]);
    const [short = {}] = await nodesOf("");
    assertEquals(Object.keys(short), ["address", "port", "status"]);
  });

  await t.step("/metrics waits for no node that has stopped", async () => {
    const pid = await ring.pid(ring.port(0));
    Deno.kill(pid, "SIGSTOP");
    try {
      const startMs = performance.now();
      const all = await metricsOf(ring);
      assert(performance.now() - startMs < 4_000);
      const up = ring.ports.map((port) =>
        valueOf(all, "ouroboros_node_up", { node: `127.0.0.1:${port}` })
      );
      assertEquals(up, [0, 1, 1]);
      assertEquals(valueOf(all, "ouroboros_ring_requests_total", { operation: "push" }), 2);
    } finally {
      Deno.kill(pid, "SIGCONT");
    }
  });
});
