import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { LoopbackDoor } from "../../src/gateway/http_door.ts";
import { defaultHttpOptions, type GatewayHttpOptions } from "../../src/gateway/options.ts";
import { runGateway } from "../../src/gateway/run.ts";
import { spliceRestBytes } from "../../src/gateway/splice.ts";
import { BufferPool } from "../../src/net/buffer_pool.ts";
import { ByteReader } from "../../src/net/byte_reader.ts";
import { TcpTransport } from "../../src/net/tcp_transport.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { writeAll, writeText } from "../../src/net/write_all.ts";
import { formatAddress } from "../../src/protocol/address.ts";
import { idleMs } from "../../src/protocol/limits.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { LineClient } from "../support/line_client.ts";
import { type Answer, LineNode } from "../support/line_node.ts";
import { askText, freePorts } from "../support/live_ring.ts";
import { waitUntil } from "../support/program.ts";

const version = "01HF7YAT000000000000000000";
const sum = "0".repeat(64);

/** A gateway in this process, before stand-ins for nodes that answer as told. */
class Stage implements AsyncDisposable {
  readonly port: number;
  readonly base: string;
  readonly nodes: readonly LineNode[];
  readonly #stop = new AbortController();
  readonly #running: Promise<number>;

  constructor(answers: readonly Answer[], http: Partial<GatewayHttpOptions> = {}) {
    const first = freePorts(answers.length + 1);
    const transport = new TcpTransport();
    const ports = answers.map((_, index) => first + 1 + index);
    this.port = first;
    this.base = `http://127.0.0.1:${first}`;
    const netmap = `${ports.map((port) => `${port}=Alive\n`).join("")}OK\n`;
    this.nodes = answers.map((answer, index) =>
      new LineNode(
        transport,
        formatAddress("127.0.0.1", ports[index] ?? 0),
        (line, call) => line === "NETMAP GET" ? netmap : answer(line, call),
      )
    );
    this.#running = runGateway({
      address: formatAddress("127.0.0.1", this.port),
      nodes: this.nodes.map(({ address }) => address),
      pollMs: 60_000,
      balance: "first",
      http: { ...defaultHttpOptions, ...http },
      logLevel: "error",
      logJson: false,
    }, { signal: this.#stop.signal, log: silentLogger });
  }

  /** The lines about files that came to a node. */
  fileLines(node: number): string[] {
    return this.nodes[node]?.lines.filter((line) => line.startsWith("FILE")) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
  }
}

/** The line before the bytes of a file. */
function header(count: number, size = count): string {
  return `RANGE 0 ${count} ${size} ${version} ${sum} 1700000000000 f\n`;
}

Deno.test("a node that dies within a file cuts the connection, and every client notices", async () => {
  await using stage = new Stage([async (_line, { conn }) => {
    await writeText(conn, header(1_000_000));
    await writeAll(conn, new Uint8Array(300_000));
    return "close";
  }]);
  const answer = await fetch(`${stage.base}/files/f`);
  assertEquals([answer.status, answer.headers.get("content-length")], [200, "1000000"]);
  await assertRejects(() => answer.arrayBuffer());
  using client = await LineClient.open(
    stage.port,
    "GET /files/f HTTP/1.1\r\nHost: localhost\r\n\r\n",
  );
  const cut = await client.rest();
  assert(cut.length < 1_000_000, `${cut.length} bytes came`);
  const { code } = await new Deno.Command("curl", {
    args: ["--silent", "--output", "/dev/null", `${stage.base}/files/f`],
  }).output();
  assertEquals(code, 18);
});

Deno.test("a node that is busy or away is passed over, and one that talks nonsense is told of", async () => {
  for (const refusal of ["ERR busy\n", "ERR catching up\n", "ERR unknown FILE command\n"]) {
    await using stage = new Stage([() => refusal, () => `${header(3)}abc`]);
    const answer = await fetch(`${stage.base}/files/f`);
    assertEquals([answer.status, await answer.text()], [200, "abc"], refusal);
  }
  await using busy = new Stage([() => "ERR busy\n", () => "ERR busy\n"]);
  const answer = await fetch(`${busy.base}/files/f`);
  assertEquals([answer.status, answer.headers.get("retry-after")], [503, "2"]);
  assertStringIncludes(await answer.text(), `"detail":"busy"`);
  await using strange = new Stage([() => "what?\n"]);
  const strangely = await fetch(`${strange.base}/files/f`);
  assertEquals(strangely.status, 502);
  await strangely.body?.cancel();
  await using dead = new Stage([() => "close"]);
  const nobody = await fetch(`${dead.base}/files/f`);
  assertEquals(nobody.status, 503);
  await nobody.body?.cancel();
});

Deno.test("a file that is replaced while it is looked at is looked at again", async () => {
  let asked = 0;
  await using stage = new Stage([(line) => {
    if (/^FILE RANGE 0 0 - /.test(line)) return header(0, 3);
    return asked++ < 2 ? "ERR version gone\n" : header(2, 3) + "ab";
  }]);
  const headers = { range: "bytes=0-1" };
  const answer = await fetch(`${stage.base}/files/f`, { headers });
  assertEquals([answer.status, await answer.text()], [206, "ab"]);
  asked = -100;
  const never = await fetch(`${stage.base}/files/f`, { headers });
  assertEquals(never.status, 503);
  await never.body?.cancel();
});

Deno.test("a push that the ring refuses is answered before its body has come", async () => {
  const rows = [
    ["ERR File size is too large (5 > 1)\n", 413],
    ["ERR precondition failed for 'f': there is none\n", 412],
    ["ERR Not enough disk space (5 > 1)\n", 507],
  ] as const;
  for (const [refusal, status] of rows) {
    await using stage = new Stage([() => refusal]);
    using client = await LineClient.open(
      stage.port,
      "PUT /files/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n" +
        "Expect: 100-continue\r\n\r\n",
    );
    // The runtime's server says "go on" by itself, whatever comes of it.
    assertStringIncludes(await client.line(), "HTTP/1.1 100 ");
    await client.line();
    assertStringIncludes(await client.line(), `HTTP/1.1 ${status} `);
  }
});

Deno.test("a body that is cut or has another digest never reaches the node as a whole", async () => {
  const received: number[] = [];
  await using stage = new Stage([async (line, { conn, reader }) => {
    const size = Number(/^FILE PUT ([0-9]+) /.exec(line)?.[1]);
    await writeText(conn, "CONTINUE\n");
    received.push(await reader.discard(size));
    return "close";
  }]);
  const size = 600_000;
  using client = await LineClient.open(
    stage.port,
    `PUT /files/f HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${size}\r\n\r\n`,
  );
  await client.send(new Uint8Array(400_000));
  client.close();
  await waitUntil("the node sees the end", 5_000, () => received.length === 1);
  const answer = await fetch(`${stage.base}/files/f`, {
    method: "PUT",
    body: new Uint8Array(size),
    headers: { "content-digest": `sha-512=:${btoa("x".repeat(64))}:` },
  });
  assertEquals(answer.status, 400);
  assertStringIncludes(await answer.text(), "Digest mismatch: sha512");
  await waitUntil("the node sees the end", 5_000, () => received.length === 2);
  for (const count of received) assert(count < size, `${count} bytes came`);
});

Deno.test("an upload without a length is in no connection's way when it is refused", async () => {
  await using stage = new Stage([
    (line) => line === "NODE INFO" ? "file_bytes_max: 1000\nOK\n" : "ERR no\n",
  ]);
  const answer = await fetch(`${stage.base}/files/f`, {
    method: "PUT",
    body: new Blob([new Uint8Array(200_000)]).stream(),
  });
  assertEquals(answer.status, 413);
  await answer.body?.cancel();
  assertEquals(stage.fileLines(0), []);
});

Deno.test("the gateway is ready as soon as some node would take a push", async () => {
  const row = async (...said: string[]) => {
    await using stage = new Stage(said.map((push) => () => `push: ${push}\nOK\n`));
    const answer = await fetch(`${stage.base}/readyz`);
    return [answer.status, await answer.text()] as const;
  };
  const refusal = "not enough nodes alive (1 of 2)";
  assertEquals(await row(refusal, "ok"), [200, `{"status":"ready"}`]);
  const [status, text] = await row(refusal, "Not enough disk space (1 > 0)");
  assertEquals(status, 503);
  assertStringIncludes(text, refusal);
});

Deno.test("nothing is left of connections that have ended", async () => {
  await using stage = new Stage([() => `${header(3)}abc`]);
  for (let round = 0; round < 20; round++) {
    const answer = await fetch(`${stage.base}/files/f`);
    assertEquals(await answer.text(), "abc");
  }
  const half = await LineClient.open(stage.port, "GET /files/f HTTP/1.1\r\nHost: loc");
  half.close();
  using kept = await LineClient.open(
    stage.port,
    "GET /files/f HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
  );
  assertStringIncludes(await kept.restText(), "abc");
  await waitUntil("only connections at rest are open", 5_000, async () => {
    const info = await askText(stage.port, "GATEWAY INFO\n");
    // One of them is this question's, and fetch() keeps one.
    return Number(/^connections: ([0-9]+)$/m.exec(info)?.[1]) <= 2;
  });
});

/** A door on a clock that tests move, and a port before it. */
class Doorway implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly watchdog = new Watchdog(this.clock);
  readonly transport = new TcpTransport();
  readonly door: LoopbackDoor;
  readonly port: number;
  served = 0;
  readonly #listener = this.transport.listen("127.0.0.1", 0);
  readonly #accepting: Promise<void>;
  readonly #serving = new Set<Promise<void>>();

  constructor() {
    const { clock, transport, watchdog } = this;
    this.door = new LoopbackDoor({
      ...{ clock, transport, watchdog, log: silentLogger },
      handler: () => new Response(`${++this.served}`),
      onAnswered: () => {},
    });
    this.port = this.#listener.address.port;
    this.#accepting = this.#accept();
  }

  async #accept(): Promise<void> {
    const pool = new BufferPool(this.clock);
    const restPool = new BufferPool(this.clock, { bufferBytes: spliceRestBytes });
    for (;;) {
      const accepted = await this.#listener.accept();
      if (accepted === undefined) return;
      const conn = this.watchdog.guard(accepted, 0);
      const client = { conn, reader: new ByteReader(conn) };
      const serving: Promise<void> = this.door.serve(client, { pool, restPool })
        .catch(() => {/* the client broke off */})
        .finally(() => {
          conn.close();
          this.#serving.delete(serving);
        });
      this.#serving.add(serving);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    await Promise.all(this.#serving);
    await this.door[Symbol.asyncDispose]();
    this.watchdog.close();
  }
}

const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

Deno.test("the private port serves nobody but the gateway itself", async () => {
  await using doorway = new Doorway();
  {
    using stranger = await LineClient.open(doorway.door.port, request);
    assertStringIncludes(await stranger.line(), "HTTP/1.1 403 ");
  }
  assertEquals(doorway.served, 0);
  using client = await LineClient.open(doorway.port, request);
  assertStringIncludes(await client.line(), "HTTP/1.1 200 ");
});

Deno.test("a client that has no request under way is dropped after a minute", async () => {
  await using doorway = new Doorway();
  using slow = await LineClient.open(doorway.port, "GET / HTTP/1.1\r\nHost: loc");
  using idle = await LineClient.open(doorway.port, request);
  assertStringIncludes(await idle.line(), "HTTP/1.1 200 ");
  const idleEnd = idle.rest();
  await doorway.clock.advance(idleMs - 1_000);
  // A byte now and then is no request.
  await slow.send("al");
  await doorway.clock.advance(2_000);
  assertEquals(await slow.restText(), "");
  await idleEnd;
  using again = await LineClient.open(doorway.port, request + request);
  assertStringIncludes(await again.line(), "HTTP/1.1 200 ");
});

Deno.test("a client whose headers come byte by byte is dropped after a minute, as is its next request", async () => {
  for (const before of ["", request]) {
    await using doorway = new Doorway();
    const begun = `${before}GET / HTTP/1.1\r\nHost: localhost\r\n`;
    using slow = await LineClient.open(doorway.port, begun);
    if (before !== "") assertStringIncludes(await slow.line(), "HTTP/1.1 200 ");
    // By the time that a later client has its answer, the door counts the time of this one.
    using later = await LineClient.open(doorway.port, request);
    assertStringIncludes(await later.line(), "HTTP/1.1 200 ");
    let isOver = false;
    const rest = slow.restText().finally(() => isOver = true);
    const stepMs = (idleMs - 1_000) / 10;
    for (let step = 0; step < 10; step++) {
      await slow.send("X");
      await doorway.clock.advance(stepMs);
      assertEquals(isOver, false);
    }
    await doorway.clock.advance(2_000);
    assertEquals((await rest).includes("HTTP/1.1 "), false);
    assertEquals(doorway.served, before === "" ? 1 : 2);
  }
});
