import { assert, assertEquals, assertRejects } from "@std/assert";
import { PeerPool } from "../../src/net/peer_pool.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { writeAll, writeText } from "../../src/net/write_all.ts";
import { ConnectionBody } from "../../src/node/body.ts";
import { pullCatalog, serveCatalogPull } from "../../src/node/catalog_exchange.ts";
import type { NodeContext } from "../../src/node/context.ts";
import type { Session } from "../../src/node/session.ts";
import { blockBytes } from "../../src/protocol/limits.ts";
import type { FileRecord, StoredFile } from "../../src/protocol/record.ts";
import { formatRecord } from "../../src/protocol/record_codec.ts";
import { nextVersion, ulidTimeMs } from "../../src/protocol/ulid.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeTransport } from "../support/fake_transport.ts";
import { bytesOf } from "../support/line_client.ts";
import { type LineCall, LineNode } from "../support/line_node.ts";
import { address, self, StoreFixture, tombstone, ulid } from "../support/store_fixture.ts";

const peer = address(1);

/** A file of one part, whose record is as large as its blocks are many. */
function fileRecord(name: string, version: number, blocks = 1): StoredFile {
  return {
    kind: "file",
    name,
    version: ulid(version),
    pushId: `push-${name.replace(" ", "-")}`,
    size: blocks * blockBytes,
    sha256: "0".repeat(64),
    start: peer,
    timeMs: version,
    foreign: false,
    placement: [{
      nodes: [peer, self],
      length: blocks * blockBytes,
      checksums: "0".repeat(8 * blocks),
    }],
  };
}

/** A message of records. */
function message(...records: readonly (FileRecord | string)[]): Uint8Array {
  const lines = records.map((record) =>
    `${typeof record === "string" ? record : formatRecord(record)}\n`
  ).join("");
  const body = bytesOf(lines);
  return bytesOf(`RECORDS ${body.length}\n`, body);
}

/** A node with an empty catalog, that has a peer which answers `CATALOG PULL` as a test wants. */
class Exchange implements AsyncDisposable {
  readonly store: StoreFixture;
  readonly clock = new FakeClock(ulidTimeMs(ulid(0)));
  /** Names whose repair was asked for. */
  readonly repairs: string[] = [];
  /** What the calendar of the peer says, if it told. */
  theirMs: number | undefined;
  readonly transport = new FakeTransport();
  readonly #node: LineNode;
  readonly #peers: PeerPool;

  constructor(store: StoreFixture, answer: (call: LineCall) => Promise<undefined | "close">) {
    this.store = store;
    const { clock, transport } = this;
    this.#peers = new PeerPool({ transport, clock, watchdog: new Watchdog(clock) });
    this.#node = new LineNode(transport, peer, async (line, call) => {
      if (line === "NODE INFO") return `address: ${peer}\nOK\n`;
      const bytes = Number(/^CATALOG PULL ([0-9]+)$/.exec(line)?.[1]);
      assert(bytes > 0, line);
      return await answer(call);
    });
  }

  /** Has the node fetch what its peer has. */
  pull() {
    const { catalog } = this.store.store;
    const context = {
      catalog,
      chunks: this.store.store,
      clock: this.clock,
      log: silentLogger,
      peers: this.#peers,
      peerClocks: { wallMs: () => this.theirMs },
      repair: { enqueue: (name: string) => void this.repairs.push(name) },
    };
    return pullCatalog(context as unknown as NodeContext, peer);
  }

  /** The names that the node knows. */
  get names(): string[] {
    return this.store.store.catalog.records("", 1_000).map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#peers[Symbol.dispose]();
    await this.#node[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }
}

/** A peer that has sent these bytes and then does nothing, or ends the connection. */
async function peerThatSends(bytes: Uint8Array, end: "waits" | "closes"): Promise<Exchange> {
  return new Exchange(await StoreFixture.open(), async ({ conn, reader }) => {
    await reader.readFull(new Uint8Array(8 * 1024));
    await writeAll(conn, bytes);
    return end === "closes" ? "close" : undefined;
  });
}

Deno.test("pullCatalog() fetches all that differs in messages of 1 MiB, and then nothing", async () => {
  await using theirs = await StoreFixture.open();
  const messages: number[] = [];
  await using mine = new Exchange(await StoreFixture.open(), async ({ conn, reader }) => {
    const session = {
      beginAnswer() {},
      reply: (text: string) => writeText(conn, text),
      write: (bytes: Uint8Array) => {
        if (bytes.length > 30) messages.push(bytes.length);
        return writeAll(conn, bytes);
      },
    };
    const context = { catalog: theirs.store.catalog, ring: { state: () => "ready" } };
    await serveCatalogPull(
      context as unknown as NodeContext,
      session as unknown as Session,
      new ConnectionBody(reader, 8 * 1024),
    );
    return undefined;
  });
  // What both have, what the peer has newer, and older; and more of what only it has than a page of either.
  const both = fileRecord("both", 1);
  await theirs.store.commitAll([both, fileRecord("newer", 2), fileRecord("older", 1)]);
  await mine.store.store.commitAll([both, fileRecord("newer", 1), fileRecord("older", 2)]);
  const many = Array.from({ length: 600 }, (_, i) => tombstone(`gone ${i}`, 1));
  const large = Array.from({ length: 5 }, (_, i) => fileRecord(`large ${i}`, 1, 60_000));
  // These two are the other way round in JavaScript's own order.
  const last = [tombstone("\u{FF5E}", 1), tombstone("\u{1F600}", 1)];
  await theirs.store.commitAll([...many, ...large, ...last]);

  assertEquals(await mine.pull(), { stored: 608, ahead: 0, state: "ready" });
  const { catalog } = mine.store.store;
  assertEquals(mine.names.length, 610);
  assertEquals(catalog.record("newer")?.version, ulid(2));
  assertEquals(catalog.record("older")?.version, ulid(2));
  assertEquals(mine.repairs.toSorted(), [...large.map(({ name }) => name), "newer"]);
  const bytes = messages.reduce((sum, length) => sum + length, 0);
  assert(bytes > 2.4e6 && messages.length >= 3, `${messages}`);
  assertEquals(messages.filter((length) => length > 1024 * 1024), []);

  messages.length = 0;
  await theirs.store.commitAll([fileRecord("older", 2)]);
  assertEquals(catalog.digest.root(), theirs.store.catalog.digest.root());
  assertEquals(await mine.pull(), { stored: 0, ahead: 0, state: "ready" });
  assertEquals(messages, [], "equal catalogs cost their digests and no record");
});

Deno.test("pullCatalog() keeps what came before its peer died", async () => {
  const whole = message(tombstone("a", 1), tombstone("b", 1));
  const next = message(tombstone("c", 1));
  for (const bytes of [whole, bytesOf(whole, "RECORDS 1"), bytesOf(whole, next.subarray(0, -9))]) {
    await using mine = await peerThatSends(bytes, "closes");
    await assertRejects(() => mine.pull(), Error, "ended the connection");
    assertEquals([mine.names, mine.transport.open], [["a", "b"], 0]);
  }
});

Deno.test("pullCatalog() waits 10 s for a message, then gives up", async () => {
  await using mine = await peerThatSends(message(tombstone("a", 1)), "waits");
  const pull = assertRejects(() => mine.pull(), Error);
  await mine.clock.advance(9_000);
  assertEquals(mine.transport.open, 1);
  await mine.clock.advance(3_000);
  await pull;
  assertEquals([mine.names, mine.transport.open], [["a"], 0]);
});

Deno.test("pullCatalog() takes no message that lies, and nothing after it", async () => {
  const odd = (fields: Record<string, unknown>) =>
    JSON.stringify({ ...tombstone("odd", 1), ...fields });
  const many = Array.from({ length: 40_000 }, (_, i) => tombstone(`many ${1_000_000 + i}`, 1));
  const lies: [string, Uint8Array, string | RegExp][] = [
    ["garbage", message("what?"), /JSON|Unexpected/],
    ["noise", message("\0\u{FFFD}\u0007"), /JSON|Unexpected/],
    ["no record", message("[]"), "no object"],
    ["a path", message(odd({ name: "../odd" })), "not normalised"],
    ["a name with a colon", message(odd({ name: "a:1" })), "not normalised"],
    ["an empty name", message(odd({ name: "" })), "not normalised"],
    ["a version that is none", message(odd({ version: "9" })), "no ULID"],
    ["an unknown field", message(odd({ extra: 1 })), "unknown"],
    ["a good one before a bad one", message(tombstone("good", 1), "{"), /JSON|Expected/],
    ["a name before the last", message(tombstone("A", 1)), "sent 'A' again"],
    ["a name twice", message(tombstone("x", 1), tombstone("x", 2)), "sent 'x' again"],
    ["more than a message holds", message(...many), "bytes of records at a time"],
    ["more than memory holds", bytesOf(`RECORDS ${64 * 1024 * 1024 + 1}\n`), "for records"],
    ["another answer", bytesOf("OK well\n"), "for records"],
    ["an error", bytesOf("ERR catching up\n"), "catching up"],
  ];
  const before = message(tombstone("a", 1), fileRecord("b", 1));
  const after = bytesOf(message(tombstone("z", 1)), "OK ready\n");
  for (const [what, lie, reason] of lies) {
    await using mine = await peerThatSends(bytesOf(before, lie, after), "waits");
    const error = await assertRejects(() => mine.pull(), Error);
    const isExpected = typeof reason === "string"
      ? error.message.includes(reason)
      : reason.test(error.message);
    assert(isExpected, `${what}: ${error.message.slice(0, 200)}`);
    assertEquals([what, mine.names, mine.transport.open], [what, ["a", "b"], 0]);
  }
});

Deno.test("pullCatalog() leaves out a version that no honest node has made, and takes the rest", async () => {
  const ahead = { ...tombstone("ahead", 1), version: `7${"Z".repeat(25)}` };
  const sent = message(ahead, tombstone("b", 1), fileRecord("c", 1));
  await using mine = await peerThatSends(bytesOf(sent, "OK catching-up\n"), "waits");
  assertEquals(await mine.pull(), { stored: 2, ahead: 0, state: "catching-up" });
  assertEquals(mine.names, ["b", "c"]);
});

Deno.test("pullCatalog() tells of versions that are right by the calendar of its peer", async () => {
  const yearMs = 365 * 24 * 3_600_000;
  const theirMs = ulidTimeMs(ulid(1)) + 3 * yearMs;
  const random = new Uint8Array(10);
  const ahead = { ...tombstone("ahead", 1), version: nextVersion(theirMs, random, undefined) };
  const wrong = { ...tombstone("wrong", 1), version: `7${"Z".repeat(25)}` };
  const sent = message(ahead, tombstone("b", 1), wrong);
  await using mine = await peerThatSends(bytesOf(sent, "OK ready\n"), "waits");
  mine.theirMs = theirMs;
  assertEquals(await mine.pull(), { stored: 1, ahead: 1, state: "ready" });
  assertEquals(mine.names, ["b"]);
});
