import { assert, assertEquals, assertRejects } from "@std/assert";
import { EventHub, hubListenersMax } from "../../src/gateway/observe/event_hub.ts";
import { StatusFilter } from "../../src/gateway/observe/status_filter.ts";
import { NodePicker } from "../../src/gateway/node_picker.ts";
import { BusyError } from "../../src/net/busy_error.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { writeText } from "../../src/net/write_all.ts";
import type { NodeAddress } from "../../src/protocol/address.ts";
import { formatEventLine, type Happening, type RingEvent } from "../../src/protocol/ring_event.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { address, FakeTransport } from "../support/fake_transport.ts";
import { type LineCall, LineNode } from "../support/line_node.ts";

const self = address("127.0.0.1:8000");
const first = address("127.0.0.1:7000");
const second = address("127.0.0.1:7001");
const third = address("127.0.0.1:7002");

/** A node that tells its events as the test has them happen. */
class TellingNode implements AsyncDisposable {
  readonly #by: NodeAddress;
  readonly #transport: FakeTransport;
  readonly #events: RingEvent[] = [];
  readonly #calls = new Set<LineCall>();
  #node: LineNode;

  constructor(transport: FakeTransport, by: NodeAddress) {
    this.#by = by;
    this.#transport = transport;
    this.#node = this.#listen();
  }

  /** The ids after which it was asked for events. */
  get asked(): string[] {
    return this.#node.lines.filter((line) => line.startsWith("RING")).map((line) => line.slice(12));
  }

  get open(): number {
    return this.#node.open;
  }

  async tell(happening: Happening, timeMs: number): Promise<void> {
    const id = `run${this.#by.slice(-4)}-${this.#events.length + 1}`;
    const event = { id, timeMs, by: this.#by, ...happening };
    this.#events.push(event);
    for (const { conn } of this.#calls) {
      await writeText(conn, formatEventLine({ kind: "event", event })).catch(() => {
        // Who listened on it has gone.
      });
    }
  }

  async restart(): Promise<void> {
    await this.#node[Symbol.asyncDispose]();
    this.#calls.clear();
    this.#node = this.#listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node[Symbol.asyncDispose]();
  }

  #listen(): LineNode {
    return new LineNode(this.#transport, this.#by, (line, call) => {
      if (line === "NODE INFO") return "incarnation: i1\nOK\n";
      if (!line.startsWith("RING EVENTS ")) return "ERR unknown NODE command\n";
      this.#calls.add(call);
      const from = this.#events.findIndex(({ id }) => id === line.slice(12)) + 1;
      const lines = this.#events.slice(from).map((event) =>
        formatEventLine({ kind: "event", event })
      );
      return `OK\n${lines.join("")}`;
    });
  }
}

/** A hub on a clock that stands still, and who listens to it. */
class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly transport = new FakeTransport();
  readonly picker = new NodePicker([first, second]);
  readonly hub: EventHub;
  readonly #watchdog = new Watchdog(this.clock);
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #listening: Promise<void>[] = [];

  constructor() {
    const { clock, transport, picker } = this;
    const sources = { clock, transport, picker, watchdog: this.#watchdog, log: silentLogger };
    this.hub = new EventHub({ ...sources, self, run: "hub" });
    this.#running = this.hub.run(this.#stop.signal);
  }

  /** Listens until the signal aborts; what was heard grows. */
  listen(
    lastId = "",
    signal = new AbortController().signal,
  ): { heard: RingEvent[]; ids: string[] } {
    const listener = { heard: [] as RingEvent[], ids: [] as string[] };
    const pieces = this.hub.listen(lastId, signal);
    this.#listening.push((async () => {
      for await (const { events } of pieces) {
        for (const { id, json } of events) {
          listener.ids.push(id);
          listener.heard.push(JSON.parse(json));
        }
      }
    })());
    return listener;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await Promise.all(this.#listening);
    this.#watchdog.close();
    assertEquals(this.transport.open, 0);
  }
}

function died(node: NodeAddress, epoch: number): Happening {
  return { kind: "node-died", node, epoch, reason: "a test" };
}

function alive(node: NodeAddress, epoch: number): Happening {
  return { kind: "node-alive", node, epoch };
}

function deleted(node: NodeAddress, name: string): Happening {
  return { kind: "file-deleted", node, name };
}

function sum(events: readonly RingEvent[]): string[] {
  return events.map((event) => `${event.kind} ${event.node.slice(-4)}`);
}

Deno.test("EventHub tells what was before in the order of its time, and each death once", async () => {
  await using stage = new Stage();
  await using a = new TellingNode(stage.transport, first);
  await using b = new TellingNode(stage.transport, second);
  await a.tell(died(third, 2), 30);
  await b.tell(deleted(second, "x"), 10);
  await b.tell(died(third, 2), 40);
  assertEquals(stage.transport.dials, 0, "while nobody listens no node is asked");
  const listener = stage.listen();
  await stage.clock.advance(1_000);
  assertEquals(sum(listener.heard), ["file-deleted 7001", "node-died 7002"]);
  await b.tell(alive(third, 3), 50);
  await a.tell(alive(third, 3), 51);
  await a.tell(died(third, 2), 52);
  await stage.clock.advance(100);
  assertEquals(sum(listener.heard).slice(2), ["node-alive 7002"]);
  assertEquals(listener.heard[2]?.by, second);
});

Deno.test("EventHub lets a client go on where it was, and gives a stranger all", async () => {
  await using stage = new Stage();
  await using a = new TellingNode(stage.transport, first);
  for (const name of ["x", "y", "z"]) await a.tell(deleted(first, name), 1);
  const early = stage.listen();
  await stage.clock.advance(1_000);
  assertEquals(early.ids, ["hub-1", "hub-2", "hub-3"]);
  assertEquals(stage.listen("hub-2").ids.length, 0);
  const late = stage.listen("hub-2");
  const stranger = stage.listen("other-2");
  await stage.clock.advance(0);
  assertEquals(late.ids, ["hub-3"]);
  assertEquals(stranger.ids, early.ids);
});

Deno.test("EventHub finds a node back, and hears nothing twice from it", async () => {
  await using stage = new Stage();
  await using a = new TellingNode(stage.transport, first);
  await a.tell(deleted(first, "x"), 1);
  const listener = stage.listen();
  await stage.clock.advance(1_000);
  await a.restart();
  await a.tell(deleted(first, "y"), 2);
  await stage.clock.advance(6_000);
  assertEquals(a.asked, ["run7000-1"]);
  assertEquals(listener.ids, ["hub-1", "hub-2"]);
});

Deno.test("EventHub leaves the nodes alone when nobody has listened for a while", async () => {
  await using stage = new Stage();
  await using a = new TellingNode(stage.transport, first);
  const gone = new AbortController();
  stage.listen("", gone.signal);
  await stage.clock.advance(1_000);
  assertEquals(a.open, 1);
  gone.abort();
  await stage.clock.advance(29_000);
  assertEquals([a.open, stage.hub.listeners], [1, 0]);
  await stage.clock.advance(3_000);
  assertEquals([a.open, stage.transport.open], [0, 0]);
  await a.tell(deleted(first, "meanwhile"), 1);
  const listener = stage.listen();
  await stage.clock.advance(1_000);
  assertEquals(sum(listener.heard), ["file-deleted 7000"]);
});

Deno.test("EventHub tells the changes of the netmap while no node of ours does", async () => {
  await using stage = new Stage();
  await using _original = new LineNode(stage.transport, first, (line) => {
    return line.startsWith("NODE INFO") ? "ERR unknown NODE command\n" : "ERR unknown command\n";
  });
  const change = (from: "Alive" | "Dead", to: "Alive" | "Dead") =>
    stage.hub.netmapChanged([{ address: second, from, to }]);
  change("Alive", "Dead");
  const listener = stage.listen();
  await stage.clock.advance(2_000);
  change("Dead", "Alive");
  stage.hub.netmapChanged([{ address: third, from: "unknown", to: "Alive" }]);
  await stage.clock.advance(2_000);
  assertEquals(sum(listener.heard), ["node-died 7001", "node-alive 7001"]);
  assertEquals(listener.heard[0]?.by, self);
});

Deno.test("EventHub believes a node of ours rather than the netmap", async () => {
  await using stage = new Stage();
  await using a = new TellingNode(stage.transport, first);
  stage.hub.netmapChanged([{ address: second, from: "Alive", to: "Dead" }]);
  await a.tell(died(second, 4), 1);
  const listener = stage.listen();
  await stage.clock.advance(2_000);
  stage.hub.netmapChanged([{ address: second, from: "Dead", to: "Alive" }]);
  await stage.clock.advance(2_000);
  assertEquals(sum(listener.heard), ["node-died 7001"]);
  assertEquals(listener.heard[0]?.by, first);
});

Deno.test("EventHub takes so many clients, and lets all go at its end", async () => {
  const stage = new Stage();
  for (let client = 0; client < hubListenersMax; client++) stage.listen();
  await stage.clock.advance(0);
  const oneMore = stage.hub.listen("", new AbortController().signal);
  await assertRejects(() => oneMore.next(), BusyError);
  await stage[Symbol.asyncDispose]();
  assertEquals(stage.hub.listeners, 0);
});

Deno.test("StatusFilter lets each change pass once, and old news never", () => {
  const filter = new StatusFilter();
  const of = (happening: Happening): RingEvent => ({
    ...{ id: "a-1", timeMs: 1, by: first },
    ...happening,
  });
  const joining: Happening = { kind: "node-joining", node: third, epoch: 3 };
  const sequence = [died(third, 2), died(third, 2), joining, died(third, 2), alive(third, 3)];
  assertEquals(sequence.map((each) => filter.isNews(of(each))), [true, false, true, false, true]);
  assert(filter.isNews(of(deleted(third, "x"))));
  assert(filter.isNews(of(deleted(third, "x"))));
  assertEquals(filter.guess(third, "Alive"), false);
  assertEquals(filter.guess(third, "Dead"), true);
  assertEquals(filter.isNews(of(died(third, 3))), false, "the netmap has told it");
  assertEquals(filter.isNews(of(alive(third, 4))), true);
  filter.forget(third);
  assertEquals(filter.isNews(of(alive(third, 0))), true, "its directory is a new one");
});
