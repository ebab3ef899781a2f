import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Balancer } from "../../src/gateway/balancer.ts";
import type { HttpDoor } from "../../src/gateway/http_door.ts";
import { NodePicker } from "../../src/gateway/node_picker.ts";
import { GatewayServer } from "../../src/gateway/server.ts";
import { BufferPool } from "../../src/net/buffer_pool.ts";
import { ByteReader } from "../../src/net/byte_reader.ts";
import type { Connection } from "../../src/net/transport.ts";
import { Traffic } from "../../src/gateway/observe/traffic.ts";
import { PeerPool } from "../../src/net/peer_pool.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { writeAll, writeText } from "../../src/net/write_all.ts";
import { formatAddress, type NodeAddress } from "../../src/protocol/address.ts";
import { connectionsMax, idleMs, lineBytesMax } from "../../src/protocol/limits.ts";
import { parseEntries } from "../../src/protocol/lists.ts";
import { decodeLine } from "../../src/protocol/parse.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { type FakeConnectionOptions, FakeTransport } from "../support/fake_transport.ts";
import { type Answer, LineNode } from "../support/line_node.ts";

const pure = { permissions: "none" } as const;
const door = formatAddress("127.0.0.1", 8000);
const first = formatAddress("127.0.0.1", 7000);
const second = formatAddress("127.0.0.1", 7001);

/** A gateway before two nodes that may or may not be there. */
class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly watchdog = new Watchdog(this.clock);
  readonly transport: FakeTransport;
  readonly picker = new NodePicker([first, second]);
  readonly pool = new BufferPool(this.clock, { bufferBytes: 32 * 1024, totalBytes: 128 * 1024 });
  readonly peers: PeerPool;
  readonly server: GatewayServer;
  stopped = 0;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: FakeConnectionOptions = {}) {
    this.transport = new FakeTransport(options);
    const { clock, watchdog, transport, picker, pool } = this;
    this.peers = new PeerPool({ transport, watchdog, clock });
    const verbs = {
      noun: "GATEWAY",
      id: "secret",
      info: () => "id: secret\nOK\n",
      stop: () => void (this.stopped += 1),
    };
    const log = silentLogger;
    const http: HttpDoor = {
      serve: async ({ conn, reader }) => {
        const line = await reader.readLine(lineBytesMax);
        await writeText(conn, `served ${typeof line === "string" ? line : decodeLine(line)}`);
      },
    };
    const balancer = new Balancer(picker, "first");
    const traffic = new Traffic();
    const { peers } = this;
    const shared = { clock, watchdog, transport, picker, balancer, pool, peers, log, traffic };
    this.server = new GatewayServer({ ...shared, verbs, http });
    this.#running = this.server.run(transport.listen("127.0.0.1", 8000), this.#stop.signal);
  }

  /** A node that takes `NODE RESTRICT`, then answers as told. */
  node(address: NodeAddress, answer: Answer): LineNode {
    return new LineNode(
      this.transport,
      address,
      (line, call) => line === "NODE RESTRICT" ? "OK\n" : answer(line, call),
    );
  }

  connect(): Promise<Connection> {
    return this.transport.dial(door, { timeoutMs: 1_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.peers.close();
    this.watchdog.close();
    assertEquals(this.server.connections, 0);
    assertEquals(this.pool.usedBuffers, 0);
  }
}

/** Reads until the other side ends. */
async function readAll(conn: Connection): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: number[] = [];
  const buffer = new Uint8Array(8 * 1024);
  for (let count; (count = await conn.read(buffer)) !== null;) {
    pieces.push(...buffer.subarray(0, count));
  }
  return new Uint8Array(pieces);
}

async function ask(conn: Connection, text: string): Promise<string> {
  await writeText(conn, text);
  await conn.closeWrite();
  return new TextDecoder().decode(await readAll(conn));
}

Deno.test("the gateway passes lines to the first node, and its answers back", pure, async () => {
  await using stage = new Stage();
  await using node = stage.node(first, (line) => `you said ${line}\n`);
  await using other = stage.node(second, () => "wrong node\n");
  using conn = await stage.connect();
  assertEquals(
    await ask(conn, "NODE PING\nFILE LIST\r\n"),
    "you said NODE PING\nyou said FILE LIST\n",
  );
  assertEquals(node.lines, ["NODE RESTRICT", "NODE PING", "FILE LIST"]);
  assertEquals(other.lines, []);
});

Deno.test("the gateway takes a last line without its end for a line", pure, async () => {
  await using stage = new Stage({ readBytesMax: 1 });
  await using _node = stage.node(first, (line) => `${line}!\n`);
  using conn = await stage.connect();
  assertEquals(await ask(conn, "NODE PING"), "NODE PING!\n");
});

Deno.test("the gateway restricts an original too, and swallows its refusal", pure, async () => {
  await using stage = new Stage();
  await using _original = new LineNode(
    stage.transport,
    first,
    (line) => line === "NODE PING" ? "PONG\n" : "ERR unknown NODE command\n",
  );
  using conn = await stage.connect();
  assertEquals(await ask(conn, "NODE PING\n"), "PONG\n");
});

Deno.test(
  "the gateway tries the next node when one refuses, hangs up or is busy",
  pure,
  async () => {
    const answers: Answer[] = [() => "close", () => "ERR busy\n"];
    for (const answer of answers) {
      await using stage = new Stage();
      await using _bad = new LineNode(stage.transport, first, answer);
      await using _good = stage.node(second, () => "PONG\n");
      using conn = await stage.connect();
      assertEquals(await ask(conn, "NODE PING\n"), "PONG\n");
    }
    await using stage = new Stage();
    await using _good = stage.node(second, () => "PONG\n");
    using conn = await stage.connect();
    assertEquals(await ask(conn, "NODE PING\n"), "PONG\n");
  },
);

Deno.test("the gateway tries the next node when one does not answer in time", pure, async () => {
  await using stage = new Stage();
  await using _silent = new LineNode(stage.transport, first, () => undefined);
  await using _good = stage.node(second, () => "PONG\n");
  using conn = await stage.connect();
  const answered = ask(conn, "NODE PING\n");
  await stage.clock.advance(3_000);
  assertEquals(await answered, "PONG\n");
  assertEquals(stage.picker.candidates(), [second, first]);
});

Deno.test(
  "the gateway says when no node is alive, and finds one that came back",
  pure,
  async () => {
    await using stage = new Stage();
    using before = await stage.connect();
    assertEquals(await ask(before, "NODE PING\n"), "ERR no node is alive\n");
    stage.picker.update(parseEntries("7000=Dead,7001=Dead")!);
    await using _node = stage.node(second, () => "PONG\n");
    using after = await stage.connect();
    assertEquals(await ask(after, "NODE PING\n"), "PONG\n");
  },
);

Deno.test("the gateway says busy when every node is", pure, async () => {
  await using stage = new Stage();
  await using _first = new LineNode(stage.transport, first, () => "ERR busy\n");
  await using _second = new LineNode(stage.transport, second, () => "ERR busy\n");
  using conn = await stage.connect();
  assertEquals(await ask(conn, "NODE PING\n"), "ERR busy\n");
});

Deno.test("the gateway leaves bodies as they are, byte by byte and in bulk", pure, async () => {
  const body = new Uint8Array(200_000).map((_, index) => (index * 7) % 256);
  for (
    const options of [{ readBytesMax: 1_000, writeBytesMax: 777 }, { windowBytes: 256 * 1024 }]
  ) {
    await using stage = new Stage(options);
    const received = new Uint8Array(body.length);
    let receivedBytes = 0;
    await using _node = stage.node(first, async (_line, { conn, reader }) => {
      receivedBytes = await reader.readFull(received);
      await writeAll(conn, body);
      return "close";
    });
    using conn = await stage.connect();
    await writeText(conn, `FILE PUSH ${body.length} a\n`);
    await writeAll(conn, body);
    await conn.closeWrite();
    const answer = await readAll(conn);
    assertEquals([answer.length, receivedBytes], [body.length, body.length]);
    assert(answer.every((byte, index) => byte === body[index]));
    assert(received.every((byte, index) => byte === body[index]));
  }
});

Deno.test("the gateway brings the client a refusal though it is still sending", pure, async () => {
  for (const lineBytes of [0, 200_000]) {
    await using stage = new Stage();
    await using _node = stage.node(first, async (_line, { conn, reader }) => {
      await reader.discard(lineBytes);
      await writeText(conn, "ERR File size is too large\n");
      return "close";
    });
    using conn = await stage.connect();
    const sending = (async () => {
      await writeText(conn, "FILE PUSH 9000000 a\n");
      for (let sent = 0; sent < 9_000_000; sent += 100_000) {
        await writeAll(conn, new Uint8Array(100_000));
      }
    })().catch(() => "refused");
    const reading = readAll(conn);
    await stage.clock.advance(5_000);
    assertEquals(new TextDecoder().decode(await reading), "ERR File size is too large\n");
    assertEquals(await sending, "refused");
    assertEquals(stage.server.connections, 0);
  }
});

Deno.test("the gateway lets the client read on when it has ended its own side", pure, async () => {
  await using stage = new Stage();
  await using _node = stage.node(first, async (_line, { conn, reader }) => {
    // Answers only once the client's end has come through.
    assertEquals(await reader.readLine(10), "eof");
    await writeText(conn, "at last\n");
    return "close";
  });
  using conn = await stage.connect();
  assertEquals(await ask(conn, "FILE LIST\n"), "at last\n");
});

Deno.test("the gateway closes the node's side when the client vanishes", pure, async () => {
  await using stage = new Stage();
  await using node = stage.node(first, () => undefined);
  const conn = await stage.connect();
  await writeText(conn, "FILE PUSH 1000 a\nhalf");
  await settle();
  assertEquals(node.open, 1);
  (conn as unknown as { cut(): void }).cut();
  await stage.clock.advance(100);
  assertEquals([node.open, stage.server.connections], [0, 0]);
  conn.close();
});

Deno.test(
  "the gateway closes a client that goes on sending after the node has ended",
  pure,
  async () => {
    await using stage = new Stage();
    await using _node = stage.node(first, () => "close");
    using conn = await stage.connect();
    await writeText(conn, "FILE PULL a\n");
    assertEquals(await readAll(conn), new Uint8Array());
    assertEquals(stage.server.connections, 1);
    await stage.clock.advance(3_000);
    assertEquals(stage.server.connections, 0);
  },
);

Deno.test("the gateway drops a client that says nothing", pure, async () => {
  await using stage = new Stage();
  using conn = await stage.connect();
  const ended = readAll(conn);
  await stage.clock.advance(idleMs - 1_000);
  assertEquals(stage.server.connections, 1);
  await stage.clock.advance(2_000);
  assertEquals(await ended, new Uint8Array());
});

for (const line of ["GET /files/a HTTP/1.1\r\n", "FILE LIST ........................"]) {
  Deno.test(
    `the gateway drops a client whose first line comes byte by byte: ${line.trim()}`,
    pure,
    async () => {
      await using stage = new Stage();
      using conn = await stage.connect();
      let sent = 0;
      for (; sent < line.length; sent++) {
        await writeText(conn, line.charAt(sent)).catch(() => {/* dropped */});
        await stage.clock.advance(4_000);
        if (stage.server.connections === 0) break;
      }
      assertEquals((sent + 1) * 4_000, idleMs);
    },
  );
}

Deno.test(
  "the gateway waits for a heal walk, and drops what is silent for longer",
  pure,
  async () => {
    await using stage = new Stage();
    await using _node = stage.node(first, () => undefined);
    using conn = await stage.connect();
    await writeText(conn, "NODE HEAL\n");
    await stage.clock.advance(70_000);
    assertEquals(stage.server.connections, 1);
    await stage.clock.advance(30_000);
    assertEquals(stage.server.connections, 0);
  },
);

for (
  const [what, pieces] of [
    ["as the first line", ["NODE SCRUB\n"]],
    ["as the last of three lines, in one piece", ["NODE PING\nNODE HEAL\nNODE SCRUB\n"]],
    ["before another line", ["NODE STATUS\nNODE SCRUB\nNODE PING\n"]],
    ["in pieces", ["NODE PING\nNO", "DE SC", "RUB\r", "\n"]],
    ["without its line end", ["NODE HEAL\nnode scrub"]],
    ["behind a file", [`FILE PUSH 300000 a\n${"x".repeat(300_000)}`, "NODE SCRUB\n"]],
    ["in one piece with a file", [`FILE PUSH 300000 a\n${"x".repeat(300_000)}NODE SCRUB\n`]],
  ] as const
) {
  Deno.test(`the gateway waits for a scrub that takes half an hour: ${what}`, pure, async () => {
    await using stage = new Stage();
    const scrubbed = Promise.withResolvers<string>();
    await using _node = stage.node(first, async (line, { reader }) => {
      const bytes = /^FILE PUSH ([0-9]+)/.exec(line)?.[1];
      if (bytes !== undefined) await reader.discard(Number(bytes));
      return /^node scrub/i.test(line) ? scrubbed.promise : "OK\n";
    });
    using conn = await stage.connect();
    const answer = readAll(conn);
    for (const piece of pieces) {
      await writeText(conn, piece);
      await stage.clock.advance(0);
    }
    await conn.closeWrite();
    await stage.clock.advance(30 * 60_000);
    scrubbed.resolve("DONE\n");
    assertMatch(new TextDecoder().decode(await answer), /DONE\n(OK\n)?$/);
  });
}

Deno.test("the gateway waits no longer for lines that only begin like a scrub", pure, async () => {
  await using stage = new Stage();
  await using _node = stage.node(first, () => undefined);
  using conn = await stage.connect();
  await writeText(conn, "NODE HEAL\nNODE SCRUBS\nNODE SCRUB it\nSCRUB\n");
  await stage.clock.advance(70_000);
  assertEquals(stage.server.connections, 1);
  await stage.clock.advance(30_000);
  assertEquals(stage.server.connections, 0);
});

Deno.test("the gateway drops a client that does not read", pure, async () => {
  await using stage = new Stage();
  await using node = stage.node(first, async (_line, { conn }) => {
    await writeAll(conn, new Uint8Array(1_000_000));
    return "close";
  });
  using conn = await stage.connect();
  await writeText(conn, "FILE PULL a\n");
  await stage.clock.advance(40_000);
  assertEquals(node.open, 1);
  await stage.clock.advance(10_000);
  assertEquals([node.open, stage.server.connections], [0, 0]);
});

Deno.test("the gateway hands HTTP over from its first byte, and asks no node", pure, async () => {
  await using stage = new Stage();
  await using node = stage.node(first, () => "PONG\n");
  using conn = await stage.connect();
  const request = "GET /files HTTP/1.1\r\nHost: localhost\r\n\r\nNODE PING\n";
  assertEquals(await ask(conn, request), "served GET /files HTTP/1.1");
  assertEquals(node.lines, []);
});

Deno.test("the gateway answers GATEWAY INFO and STOP itself", pure, async () => {
  await using stage = new Stage();
  await using node = stage.node(first, () => "PONG\n");
  using conn = await stage.connect();
  assertEquals(
    await ask(conn, "gateway info\nGATEWAY STOP wrong\n"),
    [
      "id: secret\nOK\n",
      "ERR GATEWAY STOP needs the id that INFO tells\n",
    ].join(""),
  );
  assertEquals(stage.stopped, 0);
  using again = await stage.connect();
  assertEquals(await ask(again, "GATEWAY STOP secret\n"), "OK\n");
  assertEquals([stage.stopped, node.lines.length], [1, 0]);
});

Deno.test("the gateway refuses a request line that does not end, in HTTP", pure, async () => {
  await using stage = new Stage();
  using conn = await stage.connect();
  const answer = await ask(conn, `GET /files/${"x".repeat(70_000)}`);
  assertStringIncludes(answer, "HTTP/1.1 414 URI Too Long\r\n");
});

Deno.test("the gateway refuses a line that does not end", pure, async () => {
  await using stage = new Stage();
  using conn = await stage.connect();
  assertEquals(await ask(conn, "x".repeat(70_000)), "ERR line too long\n");
});

Deno.test(
  "the gateway is busy when it has enough connections, and free again after",
  pure,
  async () => {
    await using stage = new Stage();
    await using _node = stage.node(first, () => "PONG\n");
    const held: Connection[] = [];
    while (held.length < connectionsMax) held.push(await stage.connect());
    await settle();
    using late = await stage.connect();
    assertEquals(await ask(late, "NODE PING\n"), "ERR busy\n");
    using request = await stage.connect();
    const answer = await ask(request, "GET / HTTP/1.1\r\n\r\n");
    assertStringIncludes(answer, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n");
    using silent = await stage.connect();
    const ended = readAll(silent);
    await stage.clock.advance(1_500);
    assertEquals(await ended, new Uint8Array());
    for (const conn of held) conn.close();
    await stage.clock.advance(2_000);
    assertEquals(stage.server.connections, 0);
    using conn = await stage.connect();
    assertStringIncludes(await ask(conn, "NODE PING\n"), "PONG");
  },
);

Deno.test("the gateway ends all connections when it stops", pure, async () => {
  const stage = new Stage();
  const node = stage.node(first, () => undefined);
  using passed = await stage.connect();
  using silent = await stage.connect();
  await writeText(passed, "NODE HEAL\n");
  await settle();
  await stage[Symbol.asyncDispose]();
  assertEquals([await readAll(passed), await readAll(silent)], [
    new Uint8Array(),
    new Uint8Array(),
  ]);
  await node[Symbol.asyncDispose]();
});

/** A node that has one file. */
function fileNode(stage: Stage, answer: Answer = () => `${fileLine}hello`): LineNode {
  return stage.node(first, (line, call) => {
    if (line === "NODE INFO") return "program: ouroboros\nOK\n";
    return line.startsWith("FILE GET") ? answer(line, call) : "wrong way\n";
  });
}

const fileLine = `FILE 5 ${"0".repeat(26)} - a\n`;

Deno.test("the gateway pulls on a connection that it keeps", pure, async () => {
  for (const options of [{}, { readBytesMax: 1 }]) {
    await using stage = new Stage(options);
    await using node = fileNode(stage);
    for (const line of ["FILE PULL a\n", "file pull dir/a", "FILE PULL a\r\n"]) {
      using conn = await stage.connect();
      assertEquals(await ask(conn, line), "hello");
    }
    assertEquals(node.lines, ["NODE INFO", "FILE GET a", "FILE GET a", "FILE GET a"]);
    assertEquals(node.open, 1);
    assertEquals(stage.peers.idleCount, 1);
  }
});

Deno.test("the gateway ends a pull early when its node does", pure, async () => {
  await using stage = new Stage();
  await using _node = fileNode(stage, async (_line, { conn }) => {
    await writeText(conn, `${fileLine}hel`);
    return "close";
  });
  using conn = await stage.connect();
  assertEquals(await ask(conn, "FILE PULL a\n"), "hel");
  assertEquals(stage.peers.openCount, 0);
});

Deno.test("the gateway passes on why a node has no file to pull", pure, async () => {
  await using stage = new Stage();
  await using node = fileNode(stage, () => "ERR file not found\n");
  using conn = await stage.connect();
  assertEquals(await ask(conn, "FILE PULL a\n"), "ERR file not found\n");
  assertEquals(node.lines, ["NODE INFO", "FILE GET a"]);
});

Deno.test("the gateway pulls as it passes lines when the short way fails", pure, async () => {
  const answers: Answer[] = [() => "close", () => "ERR busy\n", () => "what?\n", () => undefined];
  for (const answer of answers) {
    await using stage = new Stage();
    await using node = new LineNode(
      stage.transport,
      first,
      (line, call) => {
        if (line === "NODE INFO") return "program: ouroboros\nOK\n";
        if (line === "NODE RESTRICT") return "OK\n";
        return line.startsWith("FILE GET") ? answer(line, call) : "passed";
      },
    );
    using conn = await stage.connect();
    const answered = askThenEnd(conn, "FILE PULL a\n", "passed");
    await stage.clock.advance(3_000);
    await answered;
    assertEquals(node.lines.slice(-2), ["NODE RESTRICT", "FILE PULL a"]);
  }
  await using stage = new Stage();
  await using original = new LineNode(
    stage.transport,
    first,
    (line) => line.startsWith("FILE PULL") ? "passed" : "ERR unknown NODE command\n",
  );
  using conn = await stage.connect();
  await askThenEnd(conn, "FILE PULL a\n", "passed");
  assertEquals(original.lines, ["NODE INFO", "NODE RESTRICT", "FILE PULL a"]);
});

/** Asks, and ends when the answer is there: who answers waits for that. */
async function askThenEnd(conn: Connection, text: string, answer: string): Promise<void> {
  await writeText(conn, text);
  const reader = new ByteReader(conn);
  const buffer = new Uint8Array(answer.length);
  await reader.readFull(buffer);
  assertEquals(new TextDecoder().decode(buffer), answer);
  await conn.closeWrite();
}

Deno.test("the gateway sends no command along that must not be done twice", pure, async () => {
  await using stage = new Stage();
  await using lost = new LineNode(stage.transport, first, () => "close");
  await using node = stage.node(second, () => "OK\n");
  using conn = await stage.connect();
  assertEquals(await ask(conn, "FILE DELETE a\n"), "OK\n");
  assertEquals(lost.lines, ["NODE RESTRICT"]);
  assertEquals(node.lines, ["NODE RESTRICT", "FILE DELETE a"]);
});
