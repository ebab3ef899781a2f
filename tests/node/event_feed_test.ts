import { assert, assertEquals, assertRejects } from "@std/assert";
import { BusyError } from "../../src/net/busy_error.ts";
import {
  EventFeed,
  eventIdleMs,
  eventsKept,
  fileEventsMax,
  listenersMax,
} from "../../src/node/event_feed.ts";
import type { EventLine } from "../../src/protocol/ring_event.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { address } from "../support/fake_transport.ts";

const by = address("127.0.0.1:7000");
const dead = address("127.0.0.1:7001");

function feedOn(clock: FakeClock): EventFeed {
  return new EventFeed({ by, run: "k3f", clock });
}

function die(feed: EventFeed, epoch: number): void {
  feed.tell({ kind: "node-died", node: dead, epoch, reason: "a test" });
}

/** Who listens in the background, and notes what it hears. */
class Listener implements AsyncDisposable {
  readonly heard: string[] = [];
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(feed: EventFeed, after = "0") {
    this.#ended = this.#listen(feed.listen(after, this.#stop.signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #listen(pieces: AsyncGenerator<readonly EventLine[]>): Promise<void> {
    for await (const lines of pieces) {
      for (const line of lines) {
        if (line.kind === "event") this.heard.push(line.event.id);
        else this.heard.push(line.kind === "missed" ? `missed ${line.count}` : "idle");
      }
    }
  }
}

Deno.test("EventFeed tells what it has kept, then each event as it happens", async () => {
  const feed = feedOn(new FakeClock(5));
  die(feed, 1);
  await using early = new Listener(feed);
  await settle();
  assertEquals(early.heard, ["k3f-1"]);
  die(feed, 2);
  await settle();
  assertEquals(early.heard, ["k3f-1", "k3f-2"]);
  await using late = new Listener(feed, "k3f-1");
  await using stranger = new Listener(feed, "other-2");
  await settle();
  assertEquals(late.heard, ["k3f-2"]);
  assertEquals(stranger.heard, ["k3f-1", "k3f-2"], "an id of another process says nothing");
  assertEquals(feed.listeners, 3);
});

Deno.test("EventFeed says with each event who tells it, and when", async () => {
  const feed = feedOn(new FakeClock(5));
  die(feed, 3);
  const pieces = feed.listen("0", new AbortController().signal);
  const { value } = await pieces.next();
  const event = {
    ...{ id: "k3f-1", timeMs: 5, by, kind: "node-died", node: dead, epoch: 3, reason: "a test" },
  } as const;
  assertEquals(value, [{ kind: "event", event }]);
  await pieces.return(undefined);
  assertEquals(feed.listeners, 0);
});

Deno.test("EventFeed keeps so many events, and says how many a slow listener has missed", async () => {
  const feed = feedOn(new FakeClock());
  const slow = feed.listen("0", new AbortController().signal);
  assertEquals((await slow.next()).value, []);
  for (let epoch = 1; epoch <= eventsKept + 44; epoch++) die(feed, epoch);
  const { value: lines = [] } = await slow.next();
  assertEquals(lines[0], { kind: "missed", count: 44 });
  assert(lines[1]?.kind === "event");
  assertEquals(lines[1].event.id, "k3f-45");
  let last = "";
  for (let piece = 0; piece < 3; piece++) {
    const { value: more = [] } = await slow.next();
    for (const line of more) if (line.kind === "event") last = line.event.id;
  }
  assertEquals(last, `k3f-${eventsKept + 44}`);
  await slow.return(undefined);
  await using fresh = new Listener(feed);
  await settle();
  assertEquals(fresh.heard.length, eventsKept, "who has just come has missed nothing");
});

Deno.test("EventFeed says now and then that nothing happens", async () => {
  const clock = new FakeClock();
  const feed = feedOn(clock);
  await using listener = new Listener(feed);
  await clock.advance(eventIdleMs);
  await clock.advance(eventIdleMs);
  assertEquals(listener.heard, ["idle", "idle"]);
  die(feed, 1);
  await settle();
  assertEquals(listener.heard, ["idle", "idle", "k3f-1"]);
});

Deno.test("EventFeed takes few listeners, and lets all go when it is closed", async () => {
  const clock = new FakeClock();
  const feed = feedOn(clock);
  const listeners = Array.from({ length: listenersMax }, () => new Listener(feed));
  await settle();
  const oneMore = feed.listen("0", new AbortController().signal);
  await assertRejects(() => oneMore.next(), BusyError);
  feed.close();
  await settle();
  assertEquals(feed.listeners, 0);
  assertEquals(clock.pending, 0);
  for (const listener of listeners) await listener[Symbol.asyncDispose]();
});

Deno.test("EventFeed tells of many files at once by their number", async () => {
  const clock = new FakeClock();
  const feed = feedOn(clock);
  for (let number = 0; number < 5_000; number++) {
    feed.tell({ kind: "file-deleted", node: by, name: `${number}` });
  }
  assertEquals(feed.told, fileEventsMax);
  await clock.advance(1_000);
  const pieces = feed.listen(`k3f-${fileEventsMax}`, new AbortController().signal);
  const [line] = (await pieces.next()).value ?? [];
  assert(line?.kind === "event" && line.event.kind === "files-changed");
  assertEquals(line.event.count, 5_000 - fileEventsMax);
  await pieces.return(undefined);
  feed.tell({ kind: "file-deleted", node: by, name: "later" });
  assertEquals(feed.told, fileEventsMax + 2);
  assertEquals(clock.pending, 0);
});
