import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { BusyError } from "../../src/net/busy_error.ts";
import { ByteReader } from "../../src/net/byte_reader.ts";
import { PeerError, PeerUnreachable } from "../../src/net/peer_errors.ts";
import { PeerPool, type PeerPoolOptions } from "../../src/net/peer_pool.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { writeText } from "../../src/net/write_all.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { address, type FakeConnection, FakeTransport } from "../support/fake_transport.ts";

const pure = { permissions: "none" } as const;
const node = address("127.0.0.1:7001");
const other = address("127.0.0.1:7002");
const timeoutMs = 1_000;
const ping = { kind: "node-ping" } as const;

/** What a node says to a line; nothing when it breaks the connection. */
type Answer = string | undefined | Promise<string>;

/** A pool, and two nodes that answer every line by `answer`. */
function poolWithNodes(options: PeerPoolOptions = {}) {
  const clock = new FakeClock();
  const watchdog = new Watchdog(clock);
  const transport = new FakeTransport();
  const served: FakeConnection[] = [];
  const nodes = { answer: (_line: string): Answer => "PONG\n", served };
  for (const port of [7001, 7002]) void serve(transport, port, nodes);
  const pool = new PeerPool({ transport, watchdog, clock }, options);
  return { clock, watchdog, transport, nodes, pool };
}

async function serve(
  transport: FakeTransport,
  port: number,
  nodes: { answer(line: string): Answer; served: FakeConnection[] },
) {
  using listener = transport.listen("127.0.0.1", port);
  for (let conn = await listener.accept(); conn !== undefined; conn = await listener.accept()) {
    nodes.served.push(conn);
    void answerLines(conn, nodes);
  }
}

async function answerLines(
  conn: FakeConnection,
  nodes: { answer(line: string): Answer },
) {
  const reader = new ByteReader(conn);
  try {
    for (let line = await reader.readLine(100); line !== "eof"; line = await reader.readLine(100)) {
      const answer = await nodes.answer(new TextDecoder().decode(line as Uint8Array));
      if (answer === undefined) return conn.cut();
      await writeText(conn, answer);
    }
    conn.close();
  } catch {
    // The test has cut the connection.
  }
}

Deno.test("PeerPool lends a connection again after a complete exchange", pure, async () => {
  const { pool, transport } = poolWithNodes();
  const first = await pool.borrow(node, { timeoutMs });
  assertEquals([first.fresh, pool.idleCount, pool.openCount], [true, 0, 1]);
  await first.request(ping, { deadlineMs: 100 });
  first.release();
  assertEquals([pool.idleCount, pool.openCount], [1, 1]);
  {
    using second = await pool.borrow(node, { timeoutMs });
    assertFalse(second.fresh);
    assertEquals(await second.request(ping, { deadlineMs: 100 }), "PONG");
    first.close();
    await assertRejects(() => first.writeText("x"), PeerUnreachable, "closed");
    assertEquals(await second.request(ping, { deadlineMs: 100 }), "PONG");
    second.release();
  }
  assertEquals([pool.idleCount, transport.dials, transport.open], [1, 1, 1]);
  pool.close();
  assertEquals([pool.openCount, transport.open], [0, 0]);
});

Deno.test("PeerPool remembers which program a connection leads to", pure, async () => {
  const { pool, nodes } = poolWithNodes();
  let asked = 0;
  nodes.answer = () => {
    asked += 1;
    return "ERR unknown NODE command\n";
  };
  for (let round = 0; round < 3; round++) {
    using peer = await pool.borrow(node, { timeoutMs });
    assertEquals(await peer.ensureProgram(), "original");
    peer.release();
  }
  assertEquals(asked, 1);
});

Deno.test("PeerPool does not lend what was left in the middle of an exchange", pure, async () => {
  const { pool, transport, nodes } = poolWithNodes();
  {
    using _disposed = await pool.borrow(node, { timeoutMs });
  }
  const owing = await pool.borrow(node, { timeoutMs });
  await owing.send(ping);
  owing.release();
  nodes.answer = () => "DATA 5\nhello";
  const unread = await pool.borrow(node, { timeoutMs });
  await unread.request(ping, { deadlineMs: 100 });
  unread.release();
  nodes.answer = () => undefined;
  const broken = await pool.borrow(node, { timeoutMs });
  await assertRejects(() => broken.request(ping, { deadlineMs: 100 }), PeerUnreachable);
  broken.release();
  assertEquals([pool.idleCount, pool.openCount, transport.dials, transport.open], [0, 0, 4, 0]);
});

Deno.test(
  "PeerPool drops a connection at rest whose peer ends, dies or babbles",
  pure,
  async () => {
    const { pool, transport, nodes } = poolWithNodes();
    const ends: ((conn: FakeConnection) => unknown)[] = [
      (conn) => conn.close(),
      (conn) => conn.cut(),
      (conn) => writeText(conn, "HELLO\n"),
    ];
    for (const end of ends) {
      await pool.request(node, ping, { deadlineMs: 100 });
      assertEquals(pool.idleCount, 1);
      end(nodes.served.at(-1) as FakeConnection);
      await settle();
      assertEquals([pool.idleCount, pool.openCount, transport.open], [0, 0, 0]);
    }
  },
);

Deno.test("PeerPool closes connections that rest too long", pure, async () => {
  const { pool, clock, transport } = poolWithNodes({ idleMs: 20_000 });
  await pool.request(node, ping, { deadlineMs: 100 });
  await clock.advance(15_000);
  assertEquals(pool.idleCount, 1);
  await clock.advance(10_000);
  assertEquals([pool.idleCount, transport.open], [0, 0]);
});

Deno.test("PeerPool bounds what rests, and what is open", pure, async () => {
  const { pool } = poolWithNodes({ idlePerPeerMax: 2, totalMax: 3, openMax: 5 });
  const borrow = () => pool.borrow(node, { timeoutMs });
  const peers = [await borrow(), await borrow(), await borrow(), await borrow(), await borrow()];
  await assertRejects(borrow, BusyError, "5 connections are open");
  for (const peer of peers) peer.release();
  assertEquals([pool.idleCount, pool.openCount], [2, 2]);
  const others = await Promise.all([1, 2, 3].map(() => pool.borrow(other, { timeoutMs })));
  assertEquals(pool.openCount, 5);
  // What rests makes room for who needs another peer.
  others.push(await pool.borrow(other, { timeoutMs }));
  assertEquals([pool.idleCount, pool.openCount], [1, 5]);
  for (const peer of others) peer.release();
  assertEquals([pool.idleCount, pool.openCount], [3, 3]);
});

Deno.test(
  "request() tries an idempotent command again when a pooled connection was dead",
  pure,
  async () => {
    const { pool, transport, nodes } = poolWithNodes();
    const diesOnce = () => {
      let first = true;
      return () => {
        if (!first) return "PONG\n";
        first = false;
        return undefined;
      };
    };
    await pool.request(node, ping, { deadlineMs: 100 });
    nodes.answer = diesOnce();
    assertEquals(await pool.request(node, ping, { deadlineMs: 100, idempotent: true }), "PONG");
    assertEquals(transport.dials, 2);
    nodes.answer = diesOnce();
    await assertRejects(() => pool.request(node, ping, { deadlineMs: 100 }), PeerUnreachable);
    assertEquals(pool.openCount, 0);
    // A connection of its own that breaks says something about the peer: no second try.
    nodes.answer = () => undefined;
    await assertRejects(
      () => pool.request(node, ping, { deadlineMs: 100, idempotent: true }),
      PeerUnreachable,
    );
    assertEquals(transport.dials, 3);
  },
);

Deno.test(
  "request() keeps the connection after ERR, and drops it at its deadline",
  pure,
  async () => {
    const { pool, nodes, clock } = poolWithNodes();
    nodes.answer = () => "ERR file not found\n";
    await assertRejects(() => pool.request(node, ping, { deadlineMs: 100 }), PeerError);
    assertEquals(pool.idleCount, 1);
    nodes.answer = () => "";
    const slow = assertRejects(
      () => pool.request(node, ping, { deadlineMs: 100 }),
      PeerUnreachable,
    );
    await clock.advance(500);
    assertEquals((await slow).kind, "timeout");
    assertEquals(pool.openCount, 0);
  },
);

Deno.test("request() ends by its signal", pure, async () => {
  const { pool, nodes } = poolWithNodes();
  nodes.answer = () => "";
  const controller = new AbortController();
  const { signal } = controller;
  const asked = assertRejects(
    () => pool.request(node, ping, { deadlineMs: 100, signal }),
    Error,
    "stop",
  );
  await settle();
  controller.abort(new Error("stop"));
  await asked;
  await assertRejects(() => pool.request(node, ping, { deadlineMs: 100, signal }), Error, "stop");
  assertEquals(pool.openCount, 0);
});

Deno.test("forget() ends what was borrowed until then, and nothing else", pure, async () => {
  const { pool, nodes } = poolWithNodes();
  const silent = Promise.withResolvers<string>();
  nodes.answer = () => silent.promise;
  const borrow = (peer: typeof node, untilForgotten: boolean) =>
    pool.borrow(peer, { timeoutMs, untilForgotten });
  using waiting = await borrow(node, true);
  using patient = await borrow(node, false);
  using elsewhere = await borrow(other, true);
  const [left, ...answered] = [waiting, patient, elsewhere].map((peer) =>
    peer.request(ping, { deadlineMs: 30_000 })
  );
  const failed = assertRejects(() => left as Promise<string>, PeerUnreachable, "was left");
  await settle();
  pool.forget(node);
  assertEquals((await failed).kind, "local");
  assertEquals(pool.openCount, 2);
  silent.resolve("PONG\n");
  assertEquals(await Promise.all(answered), ["PONG", "PONG"]);
  pool.close();
});

Deno.test(
  "a connection that owes an answer to one of two commands serves nobody else",
  pure,
  async () => {
    for (const answers of [1, 2]) {
      const { pool, nodes } = poolWithNodes();
      const late = Promise.withResolvers<string>();
      const said = ["PONG\n", late.promise];
      nodes.answer = () => answers === 2 ? "PONG\n" : said.shift();
      const peer = await pool.borrow(node, { timeoutMs });
      await peer.sendTogether([ping, ping]);
      for (let i = 0; i < answers; i++) assertEquals(await peer.readReply(), "PONG");
      peer.release();
      assertEquals(pool.idleCount, answers - 1);
      late.resolve("PONG\n");
      pool.close();
    }
  },
);

Deno.test("forget() closes what rests for one peer only", pure, async () => {
  const { pool } = poolWithNodes();
  const peers = [await pool.borrow(node, { timeoutMs }), await pool.borrow(node, { timeoutMs })];
  for (const peer of peers) peer.release();
  await pool.request(other, ping, { deadlineMs: 100 });
  pool.forget(node);
  assertEquals([pool.idleCount, pool.openCount], [1, 1]);
  pool.forget(node);
});

Deno.test("close() ends the pool; what is borrowed closes as it comes back", pure, async () => {
  const { pool, clock, transport, watchdog } = poolWithNodes();
  const peer = await pool.borrow(node, { timeoutMs });
  transport.hang(other);
  const dialling = assertRejects(() => pool.borrow(other, { timeoutMs }), PeerUnreachable);
  await settle();
  pool.close();
  assertEquals(await peer.request(ping, { deadlineMs: 100 }), "PONG");
  peer.release();
  transport.expireDials(other);
  await dialling;
  assertEquals([pool.openCount, transport.open], [0, 0]);
  const error = await assertRejects(() => pool.borrow(node, { timeoutMs }), PeerUnreachable);
  assertEquals(error.kind, "local");
  watchdog.close();
  assertEquals(clock.pending, 0);
});

Deno.test("PeerPool marks a failed dial as the dialler sees it", pure, async () => {
  const { pool, transport } = poolWithNodes();
  transport.refuse(node);
  const error = await assertRejects(() => pool.borrow(node, { timeoutMs }), PeerUnreachable);
  assert(error.refused);
  assertEquals(pool.openCount, 0);
  transport.restore(node);
  assertEquals(await pool.request(node, ping, { deadlineMs: 100 }), "PONG");
});
