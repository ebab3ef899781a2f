import { assert, assertEquals } from "@std/assert";
import type { BufferLease } from "../../src/net/buffer_pool.ts";
import { PeerPool } from "../../src/net/peer_pool.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { writeAll } from "../../src/net/write_all.ts";
import type { NodeContext } from "../../src/node/context.ts";
import { SmallFiles } from "../../src/node/small_files.ts";
import { TransferBuffers } from "../../src/node/transfer_buffers.ts";
import { fileHeader } from "../../src/protocol/file_replies.ts";
import { partLengths } from "../../src/protocol/names.ts";
import { parseCommand } from "../../src/protocol/parse.ts";
import type { StoredFile } from "../../src/protocol/record.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { FakeTransport } from "../support/fake_transport.ts";
import { bytesOf } from "../support/line_client.ts";
import { type LineCall, LineNode } from "../support/line_node.ts";
import { sha256 } from "../support/live_ring.ts";
import { randomBytes } from "../support/real_file.ts";
import {
  address,
  checksumsOf,
  nodes,
  self,
  stagePart,
  StoreFixture,
  type TestPush,
} from "../support/store_fixture.ts";

const mebibyte = 1024 * 1024;
const name = "a file";

/** Who has which of five parts: two nodes share what this one has not. */
const holders = [self, self, address(1), address(2), address(1)];

/** A push of a file over five parts. */
function pushOf(bytes: Uint8Array): TestPush {
  let at = 0;
  const parts = partLengths(bytes.length, holders.length)
    .map((length) => bytes.slice(at, at += length));
  const record: StoredFile = {
    kind: "file",
    name,
    version: "01HF7YAT000000000000000001",
    pushId: "push-1",
    size: bytes.length,
    sha256: "0".repeat(64),
    start: self,
    timeMs: 1,
    foreign: false,
    placement: parts.map((part, index) => ({
      nodes: [holders[index]!],
      length: part.length,
      checksums: checksumsOf(part),
    })),
  };
  return { name, pushId: "push-1", parts, record: () => record };
}

/** What another node does when it is asked for parts; by default it sends them. */
type Serve = (parts: readonly number[], call: LineCall) => Promise<string | undefined>;

/** A node that has its parts of a file on disk, two others that have the rest, and a client. */
class ReadingNode implements AsyncDisposable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly push: TestPush;
  readonly clock = new FakeClock();
  readonly transport = new FakeTransport();
  readonly buffers = new TransferBuffers(this.clock);
  readonly files: SmallFiles;
  /** What the client got, write by write. */
  readonly sent: Uint8Array[] = [];
  /** What the others do instead of sending the parts they are asked for. */
  readonly serveBy = new Map<string, Serve>();
  readonly #fixture: StoreFixture;
  readonly #watchdog = new Watchdog(this.clock);
  readonly #peers: PeerPool;
  readonly #others: readonly LineNode[];

  private constructor(fixture: StoreFixture, size: number) {
    const { clock, transport, buffers } = this;
    this.bytes = randomBytes(size);
    this.push = pushOf(this.bytes);
    this.#fixture = fixture;
    this.#peers = new PeerPool({ transport, watchdog: this.#watchdog, clock });
    this.#others = nodes.slice(1).map((node) => {
      return new LineNode(transport, node, (line, call) => this.#answer(node, line, call));
    });
    const record = this.push.record(1);
    const context = {
      self,
      clock,
      buffers,
      options: { cacheBytes: mebibyte },
      catalog: { record: () => record, currentVersion: () => record },
      chunks: fixture.store,
      peers: this.#peers,
      ring: { aliveMembers: () => nodes },
    };
    this.files = new SmallFiles(context as unknown as NodeContext);
  }

  static async open(size: number): Promise<ReadingNode> {
    const fixture = await StoreFixture.open();
    const node = new ReadingNode(fixture, size);
    for (const [part, holder] of holders.entries()) {
      if (holder === self) await stagePart(fixture.store, node.push, part, 0);
    }
    await fixture.store.commit(node.push.record(1));
    return node;
  }

  /** Sends the file to the client. */
  send(isHeaded = true): Promise<boolean> {
    const sink = {
      write: (bytes: Uint8Array) => Promise.resolve(void this.sent.push(bytes.slice())),
    };
    return this.files.send(sink, { name, isHeaded });
  }

  /** Answers `FILE FETCH` for parts of this node; what was sent, if anything. */
  async serve(parts: readonly number[]): Promise<Uint8Array | undefined> {
    let sent: Uint8Array | undefined;
    const sink = { write: (bytes: Uint8Array) => Promise.resolve(void (sent = bytes.slice())) };
    await this.files.serve(sink, { pushId: "push-1", parts });
    return sent;
  }

  /** The answer to `FILE FETCH` for some parts. */
  dataOf(parts: readonly number[]): Uint8Array<ArrayBuffer> {
    const data = bytesOf(...parts.map((part) => this.push.parts[part]!));
    return bytesOf(`DATA ${data.length}\n`, data);
  }

  /** How often the others were asked for parts. */
  get fetches(): number {
    const lines = this.#others.flatMap(({ lines }) => lines);
    return lines.filter((line) => line.startsWith("FILE FETCH")).length;
  }

  /** All long buffers that are spare. */
  async takeLongBuffers(): Promise<BufferLease<1>[]> {
    const leases: BufferLease<1>[] = [];
    for (;;) {
      const lease = await this.buffers.spareForFile(mebibyte);
      if (lease === undefined) return leases;
      leases.push(lease);
    }
  }

  /** Whether every buffer is back. */
  async assertBuffersAreBack(): Promise<void> {
    const leases = await this.takeLongBuffers();
    for (const lease of leases) lease.release();
    assertEquals([leases.length, this.buffers.reads.usedBuffers], [6, 0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#peers.close();
    for (const node of this.#others) await node[Symbol.asyncDispose]();
    this.#watchdog.close();
    await this.#fixture[Symbol.asyncDispose]();
  }

  async #answer(node: string, line: string, call: LineCall): Promise<string | undefined> {
    if (line === "NODE INFO") return "program: ouroboros\nverbs: FILE GET FETCH STAGE\nOK\n";
    const parsed = parseCommand(line);
    assert(parsed.ok && parsed.command.kind === "file-fetch", line);
    const { parts } = parsed.command;
    assert(parts.every((part) => holders[part] === node), `${node} has not all of ${parts}`);
    const serve = this.serveBy.get(node);
    if (serve !== undefined) return await serve(parts, call);
    await writeAll(call.conn, this.dataOf(parts));
    return undefined;
  }
}

for (const size of [64 * 1024 + 1, 262_000, 262_144, mebibyte - 100, mebibyte]) {
  Deno.test(`SmallFiles.send() sends a file of ${size} bytes as it is`, async () => {
    await using node = await ReadingNode.open(size);
    for (const isHeaded of [true, false]) {
      assertEquals(await node.send(isHeaded), true);
      const header = isHeaded ? fileHeader(node.push.record(1)) : "";
      // The line and the longest file do not fit in one buffer.
      assertEquals(node.sent.length, isHeaded && size > mebibyte - 140 ? 2 : 1);
      assertEquals(sha256(bytesOf(...node.sent.splice(0))), sha256(bytesOf(header, node.bytes)));
      await node.assertBuffersAreBack();
    }
    // One node is asked twice when one answer would not hold both of its parts.
    assertEquals(node.fetches, 2 * (size > 5 * 131_064 ? 3 : 2));
  });
}

Deno.test("SmallFiles.send() leaves a file of more than 1 MiB to the long way", async () => {
  await using node = await ReadingNode.open(mebibyte + 1);
  assertEquals([await node.send(), node.sent.length, node.fetches], [false, 0, 0]);
});

Deno.test("SmallFiles.send() leaves a file to the long way when no buffer is spare", async () => {
  await using node = await ReadingNode.open(mebibyte);
  const leases = await node.takeLongBuffers();
  assertEquals([await node.send(), node.sent.length, node.fetches], [false, 0, 0]);
  leases.pop()?.release();
  assertEquals(await node.send(), true);
  for (const lease of leases) lease.release();
  await node.assertBuffersAreBack();
});

Deno.test("SmallFiles.send() sends nothing of what came damaged", async () => {
  await using node = await ReadingNode.open(mebibyte);
  node.serveBy.set(address(2), async (parts, { conn }) => {
    const answer = node.dataOf(parts);
    answer[answer.length - 1]! ^= 1;
    await writeAll(conn, answer);
    return undefined;
  });
  assertEquals([await node.send(), node.sent.length], [false, 0]);
  await node.assertBuffersAreBack();
});

Deno.test("SmallFiles.send() asks a node that refuses on the same connection again", async () => {
  await using node = await ReadingNode.open(mebibyte);
  node.serveBy.set(address(2), () => Promise.resolve("ERR chunk not found\n"));
  assertEquals([await node.send(), node.sent.length], [false, 0]);
  await node.assertBuffersAreBack();
  node.serveBy.delete(address(2));
  const { dials } = node.transport;
  assertEquals([await node.send(), node.transport.dials], [true, dials]);
});

Deno.test("SmallFiles.send() lends no buffer that a slow node may still write into", async () => {
  await using node = await ReadingNode.open(mebibyte);
  const goOn = Promise.withResolvers<void>();
  node.serveBy.set(address(1), async (parts, { conn }) => {
    const answer = node.dataOf(parts);
    await writeAll(conn, answer.subarray(0, 100_000));
    await goOn.promise;
    await writeAll(conn, answer.subarray(100_000));
    return undefined;
  });
  node.serveBy.set(address(2), () => Promise.resolve("ERR chunk not found\n"));
  let result: boolean | undefined;
  const sending = node.send().then((isSent) => result = isSent);
  for (let turn = 0; turn < 5; turn++) await settle();
  assertEquals(result, undefined, "somebody still writes into the buffer");
  await node.clock.advance(750);
  assertEquals(await sending, false);
  const leases = await node.takeLongBuffers();
  assertEquals(leases.length, 6);
  for (const { buffers: [buffer] } of leases) buffer.fill(7);
  goOn.resolve();
  for (let turn = 0; turn < 5; turn++) await settle();
  for (const { buffers: [buffer] } of leases) assert(buffer.every((byte) => byte === 7));
  for (const lease of leases) lease.release();
  assertEquals(node.sent.length, 0);
});

Deno.test("SmallFiles.send() gives a file's buffer back when its client is gone", async () => {
  await using node = await ReadingNode.open(mebibyte);
  const sink = { write: () => Promise.reject(new Error("gone")) };
  const error = await node.files.send(sink, { name, isHeaded: true }).catch((error) => error);
  assertEquals(error.message, "gone");
  await node.assertBuffersAreBack();
});

Deno.test("SmallFiles.serve() gives what one buffer holds, and less when none is spare", async () => {
  await using long = await ReadingNode.open(5 * 131_064);
  assertEquals(await long.serve([0, 1]), long.dataOf([0, 1]));
  await using longer = await ReadingNode.open(5 * 131_064 + 1);
  assertEquals(await longer.serve([0, 1]), undefined);
  assertEquals(await longer.serve([0]), longer.dataOf([0]));
  await using longest = await ReadingNode.open(5 * 262_129);
  assertEquals(await longest.serve([0, 1]), undefined);
  assertEquals(await longest.serve([0]), longest.dataOf([0]));
  const leases = await longest.takeLongBuffers();
  assertEquals(await longest.serve([0]), undefined);
  for (const lease of leases) lease.release();
  await using short = await ReadingNode.open(5 * 32 * 1024);
  for (const node of [longer, short]) {
    using _others = await node.buffers.reads.acquire(node.buffers.reads.buffersMax);
    assertEquals(await node.serve([0]), node === short ? node.dataOf([0]) : undefined);
  }
  assertEquals(await short.serve([0, 1]), short.dataOf([0, 1]));
  for (const node of [long, longer, longest, short]) await node.assertBuffersAreBack();
});
