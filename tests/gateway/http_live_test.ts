/**
 * The HTTP API before one real ring: what `curl` and browsers see. What only a misbehaving node shows is in
 * http_door_test.ts.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { defaultHttpOptions } from "../../src/gateway/options.ts";
import { runGateway } from "../../src/gateway/run.ts";
import { formatAddress } from "../../src/protocol/address.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { LineClient } from "../support/line_client.ts";
import { askText, freePorts, liveRing, sha256 } from "../support/live_ring.ts";
import { waitUntil } from "../support/program.ts";
import { randomBytes } from "../support/real_file.ts";

/** An answer with its whole body. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly text: string;
}

/** Asks over HTTP, as a program does. */
function asker(port: number): (path: string, init?: RequestInit) => Promise<Answer> {
  return async (path, init) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const { status, headers } = answer;
    return { status, headers, bytes, text: new TextDecoder().decode(bytes) };
  };
}

/** Sends a request as it is, and gives the whole answer; the connection ends with it. */
async function raw(port: number, request: string | Uint8Array, half = false): Promise<string> {
  using client = await LineClient.open(port);
  // A server that has refused may have hung up.
  await client.send(request).catch(() => {});
  if (half) await client.endSending().catch(() => {});
  return await client.restText();
}

const version = /^"([0-9A-Z]{26})"$/;

Deno.test("the gateway serves HTTP and the line protocol on one port", async (t) => {
  const args = ["--cors=https://page.example", "--allow-host=ring.example", "--file-size=3000000"];
  await using ring = await liveRing(3, { args });
  const { gatewayPort } = ring;
  const ask = asker(gatewayPort);
  const put = (name: string, body: BodyInit, headers: HeadersInit = {}) =>
    ask(`/files/${encodeURIComponent(name)}`, { method: "PUT", body, headers });
  const listed = async (prefix: string) => {
    const { text } = await ask(`/files?prefix=${encodeURIComponent(prefix)}`);
    return JSON.parse(text).files.map(({ name }: { name: string }) => name);
  };
  const bytes = randomBytes(1_200_007);

  await t.step("says that it is there, that the ring is, and what can be asked", async () => {
    assertEquals((await ask("/healthz")).status, 200);
    assertEquals((await ask("/readyz")).status, 200);
    assertEquals(JSON.parse((await ask("/openapi.json")).text).openapi, "3.1.0");
    const missing = await ask("/nothing");
    assertEquals(missing.headers.get("content-type"), "application/problem+json");
    assertEquals(JSON.parse(missing.text).status, 404);
    const wrong = await ask("/files", { method: "DELETE" });
    assertEquals([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  });

  await t.step("stores a file, tells of it, gives it back, deletes it", async () => {
    const stored = await put("a b.txt", "hello");
    assertEquals([stored.status, stored.headers.get("location")], [201, "/files/a%20b.txt"]);
    const etag = stored.headers.get("etag") ?? "";
    assertMatch(etag, version);
    const read = await ask("/files/a%20b.txt");
    assertEquals([read.status, read.text, read.headers.get("etag")], [200, "hello", etag]);
    assertEquals(read.headers.get("content-type"), "text/plain; charset=utf-8");
    assertEquals(
      read.headers.get("repr-digest"),
      "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
    );
    const head = await ask("/files/a%20b.txt", { method: "HEAD" });
    assertEquals([head.status, head.text, head.headers.get("content-length")], [200, "", "5"]);
    for (const name of ["etag", "last-modified", "digest", "accept-ranges", "content-type"]) {
      assertEquals(head.headers.get(name), read.headers.get(name), name);
    }
    assertEquals(await askText(gatewayPort, "FILE PULL a b.txt\n"), "hello");
    assertEquals((await put("a b.txt", "again")).status, 200);
    const [file] = JSON.parse((await ask("/files?prefix=a%20b")).text).files;
    assertEquals([file.name, file.size, file.sha256], ["a b.txt", 5, sha256(bytesOf("again"))]);
    const stat = JSON.parse((await ask("/files/a%20b.txt?stat")).text);
    assertEquals(stat.parts.map((copies: unknown[]) => copies.length), [2, 2, 2]);
    assertEquals((await ask("/files/a%20b.txt", { method: "DELETE" })).status, 204);
    assertEquals((await ask("/files/a%20b.txt")).status, 404);
    assertEquals((await ask("/files/a%20b.txt", { method: "HEAD" })).status, 404);
    assertEquals((await ask("/files/a%20b.txt", { method: "DELETE" })).status, 404);
  });

  await t.step("gives ranges of a file", async () => {
    const stored = await put("ranges.bin", bytes);
    const etag = stored.headers.get("etag") ?? "";
    const range = (range: string, headers: HeadersInit = {}) =>
      ask("/files/ranges.bin", { headers: { range, ...headers } });
    for (const [first, last] of [[0, 0], [399_000, 801_000], [1_200_000, 9_999_999]] as const) {
      const answer = await range(`bytes=${first}-${last}`);
      const expected = bytes.subarray(first, last + 1);
      assertEquals(answer.status, 206);
      assertEquals(sha256(answer.bytes), sha256(expected));
      assertEquals(
        answer.headers.get("content-range"),
        `bytes ${first}-${first + expected.length - 1}/${bytes.length}`,
      );
    }
    assertEquals(sha256((await range("bytes=-7")).bytes), sha256(bytes.subarray(-7)));
    const outside = await range(`bytes=${bytes.length}-`);
    assertEquals(outside.status, 416);
    assertEquals(outside.headers.get("content-range"), `bytes */${bytes.length}`);
    assertEquals((await range("bytes=0-1", { "if-range": etag })).status, 206);
    const changed = await range("bytes=0-1", { "if-range": '"01HF7YAT000000000000000000"' });
    assertEquals([changed.status, changed.bytes.length], [200, bytes.length]);
    const many = await range("bytes=0-1,600000-600003,-2");
    assertEquals(many.status, 206);
    const boundary = /^multipart\/byteranges; boundary=(.+)$/
      .exec(many.headers.get("content-type") ?? "")?.[1];
    const latin1 = new TextDecoder("latin1");
    const parts = latin1.decode(many.bytes).split(`--${boundary}`).slice(1, -1).map((part) =>
      part.slice(part.indexOf("\r\n\r\n") + 4, -2)
    );
    const wanted = [[0, 2], [600_000, 600_004], [bytes.length - 2, bytes.length]] as const;
    // The text decoder's latin1 is windows-1252, here as there.
    assertEquals(parts, wanted.map(([from, to]) => latin1.decode(bytes.subarray(from, to))));
    assertEquals(many.headers.get("content-length"), String(many.bytes.length));
  });

  await t.step("keeps to conditions on reads and writes", async () => {
    const first = (await put("c", "one")).headers.get("etag") ?? "";
    const read = async (headers: HeadersInit) => (await ask("/files/c", { headers })).status;
    assertEquals(await read({ "if-none-match": first }), 304);
    assertEquals(await read({ "if-match": first }), 200);
    const modified = (await ask("/files/c")).headers.get("last-modified") ?? "";
    assertEquals(await read({ "if-modified-since": modified }), 304);
    const write = async (headers: HeadersInit) => (await put("c", "two", headers)).status;
    assertEquals(await write({ "if-none-match": "*" }), 412);
    assertEquals(await write({ "if-unmodified-since": "Thu, 01 Jan 2026 00:00:00 GMT" }), 412);
    assertEquals((await ask("/files/c")).text, "one");
    assertEquals(await write({ "if-match": first }), 200);
    assertEquals(await write({ "if-match": first }), 412);
    assertEquals(await read({ "if-match": first }), 412);
    assertEquals(await write({ "if-match": "nonsense" }), 400);
    const remove = async (headers: HeadersInit) =>
      (await ask("/files/c", { method: "DELETE", headers })).status;
    assertEquals(await remove({ "if-match": first }), 412);
    assertEquals(await remove({ "if-match": "*" }), 204);
    assertEquals(await write({ "if-match": "*" }), 412);
    assertEquals(await write({ "if-none-match": "*" }), 201);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => put("once", "x", { "if-none-match": "*" })),
    );
    assertEquals(answers.map(({ status }) => status).toSorted().slice(0, 2), [201, 412]);
  });

  await t.step("compares announced digests before it stores", async () => {
    const hex = sha256(bytes);
    assertEquals((await put("digest", bytes, { "x-content-sha256": hex })).status, 201);
    const base64 = btoa(String.fromCharCode(...new Uint8Array(32)));
    for (const name of ["wrong", "empty"]) {
      const body = name === "empty" ? new Uint8Array() : bytes;
      const headers = { "content-digest": `sha-256=:${base64}:` };
      const refused = await put(name, body, headers);
      assertEquals(refused.status, 400, refused.text);
      const chunked = await put(name, new Blob([body]).stream(), headers);
      assertEquals(chunked.status, 400, chunked.text);
    }
    assertEquals(await listed("wrong"), []);
    assertEquals(await listed("empty"), []);
  });

  await t.step("takes uploads without a length, up to the ring's limit", async () => {
    for (const size of [0, 10, 1_200_007]) {
      const body = bytes.subarray(0, size);
      assertEquals((await put(`chunked ${size}`, new Blob([body]).stream())).status, 201);
      const read = await ask(`/files/chunked%20${size}`);
      assertEquals([read.bytes.length, sha256(read.bytes)], [size, sha256(body)]);
    }
    const large = new Uint8Array(3_000_001);
    assertEquals((await put("large", large)).status, 413);
    assertEquals((await put("large", new Blob([large]).stream())).status, 413);
    assertEquals(await listed("large"), []);
  });

  await t.step("lists page by page", async () => {
    for (const name of ["l 1", "l 2", "l 3"]) await put(name, name);
    const first = await ask("/files?prefix=l%20&limit=2");
    const page = JSON.parse(first.text);
    assertEquals(page.files.map(({ name }: { name: string }) => name), ["l 1", "l 2"]);
    assertEquals(page.next, "l 2");
    const link = /^<(.+)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    const last = JSON.parse((await ask(link)).text);
    assertEquals([last.files.length, last.files[0].name, last.next], [1, "l 3", null]);
    assertEquals((await ask("/files?limit=0")).status, 400);
    assertEquals((await ask("/files?limit=x")).status, 400);
  });

  await t.step("takes names as they are, or refuses them", async () => {
    for (const name of ["<script>alert(1)<script>", "ü 漢 😀", "100%", "-", "é".repeat(100)]) {
      assertEquals((await put(name, name)).status, 201, name);
      assertEquals((await ask(`/files/${encodeURIComponent(name)}`)).text, name);
      assertEquals(
        (await ask(`/files/${encodeURIComponent(name)}`, { method: "DELETE" })).status,
        204,
      );
    }
    const before = (await ask("/files")).text;
    for (
      const name of [
        "a%2Fb",
        "%2e%2e",
        "a%5Cb",
        "a%00",
        "a%0Ab",
        "a:b",
        "%",
        "%ff",
        "a/b",
        "x".repeat(201),
      ]
    ) {
      const head = `PUT /files/${name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`;
      const answer = await raw(gatewayPort, `${head}Content-Length: 1\r\n\r\nx`);
      assertStringIncludes(answer, "HTTP/1.1 400 ", name);
      assertStringIncludes(answer, "application/problem+json", name);
    }
    const dots = "PUT /files/../evil HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assertStringIncludes(await raw(gatewayPort, dots), "HTTP/1.1 400 ");
    assertEquals((await ask("/files")).text, before);
  });

  await t.step("stores nothing of a request that is not what it says", async () => {
    const ended = "Host: localhost\r\nConnection: close\r\n";
    const head = (name: string) => `PUT /files/${name} HTTP/1.1\r\n${ended}`;
    const before = (await ask("/files")).text;
    const rows: [string, RegExp][] = [
      [`${head("f1")}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, /^HTTP\/1\.1 400 /],
      [`${head("f2")}Content-Length: 30\r\n\r\nabc`, /^HTTP\/1\.1 400 /],
      [`${head("f3")}Content-Length: -3\r\n\r\nabc`, /^HTTP\/1\.1 400 /],
      [
        `${head("f4")}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        /^HTTP\/1\.1 400 /,
      ],
      [`${head("f5")}Transfer-Encoding: chunked\r\n\r\n5\r\nab`, /^HTTP\/1\.1 400 /],
      // The server hangs up on what is no chunk.
      [
        `${head("f6")}Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n`,
        /^(HTTP\/1\.1 400 |$)/,
      ],
      [
        `${head("f7")}Content-Range: bytes 0-2/9\r\nContent-Length: 3\r\n\r\nabc`,
        /^HTTP\/1\.1 400 /,
      ],
      [`${head("f8")}Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc`, /^HTTP\/1\.1 415 /],
      [`${head("f9")}X: ${"x".repeat(1024 * 1024)}\r\n\r\n`, /^(HTTP\/1\.1 4|$)/],
      [`GET /files/${"x".repeat(70_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, /^HTTP\/1\.1 414 /],
      ["GET /files HTTP/1.1\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 400 /],
      [`GET /files HTTP/1.1\r\nHost localhost\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ];
    for (const [request, expected] of rows) {
      const isCut = /files\/f[25] /.test(request);
      assertMatch(await raw(gatewayPort, request, isCut), expected, request.slice(0, 90));
    }
    assertEquals((await ask("/files")).text, before);
    // What is behind the announced body is the next request, whatever it says.
    const two = "PUT /files/g HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n" +
      "abcGARBAGE\r\n\r\n";
    assertMatch(await raw(gatewayPort, two), /^HTTP\/1\.1 201 [^]*HTTP\/1\.1 400 /);
    assertEquals((await ask("/files/g")).text, "abc");
    const ping = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const kept = ping.repeat(3) + ping.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    assertEquals((await raw(gatewayPort, kept)).split("HTTP/1.1 200 OK").length, 5);
    const old = await raw(gatewayPort, "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
    assertStringIncludes(old, `{"status":"ok"}`);
  });

  await t.step("keeps strangers' pages out, and lets its friends in", async () => {
    const request = (host: string, more: string) =>
      `DELETE /files/g HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`;
    for (const [host, origin] of [["evil.example", ""], ["localhost", "http://evil.example"]]) {
      const more = origin === "" ? "" : `Origin: ${origin}\r\n`;
      assertStringIncludes(await raw(gatewayPort, request(host ?? "", more)), "HTTP/1.1 403 ");
    }
    assertEquals((await ask("/files/g")).text, "abc");
    const friend = "Origin: https://page.example\r\n";
    const answer = await raw(gatewayPort, request("ring.example", friend));
    assertStringIncludes(answer, "HTTP/1.1 204 ");
    assertStringIncludes(answer, "access-control-allow-origin: https://page.example\r\n");
    const preflight = request("localhost", friend).replace("DELETE", "OPTIONS");
    assertStringIncludes(await raw(gatewayPort, preflight), "access-control-allow-methods: ");
  });

  await t.step("serves the original's paths", async () => {
    const netmap = JSON.parse((await ask("/netmap/get")).text);
    assertEquals(netmap, Object.fromEntries(ring.ports.map((port) => [String(port), "Alive"])));
    const headers = { "x-filename": "o ü.txt" };
    const pushed = await ask("/file/push", { method: "POST", body: "hi", headers });
    assertEquals(pushed.status, 200);
    const rows = JSON.parse((await ask("/file/list")).text);
    const row = rows.find(({ name }: { name: string }) => name === "o ü.txt");
    assertEquals([row.size, ring.ports.includes(row.start)], [2, true]);
    assertEquals((await ask("/file/pull/o%20%C3%BC.txt")).text, "hi");
    assertEquals((await ask("/file/pull/none")).status, 404);
    assertEquals((await ask("/file/push", { method: "POST", body: "hi" })).status, 400);
    const healed = await ask("/network/heal", { method: "POST" });
    assertEquals([healed.status, healed.text], [200, `{"message":"OK network healed"}`]);
  });

  await t.step("serves 200 connections at once", async () => {
    await put("many", bytes.subarray(0, 300_000));
    const path = "/files/many HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const clients = await Promise.all(
      Array.from({ length: 200 }, () => LineClient.open(gatewayPort)),
    );
    try {
      await Promise.all(clients.map((client) => client.send(`GET ${path}`)));
      const answers = await Promise.all(clients.map((client) => client.rest()));
      for (const answer of answers) {
        assertEquals(sha256(answer.subarray(-300_000)), sha256(bytes.subarray(0, 300_000)));
      }
    } finally {
      for (const client of clients) client.close();
    }
  });

  await t.step("tells who is alive, heals and scrubs", async () => {
    const nodes = JSON.parse((await ask("/nodes")).text).nodes;
    assertEquals(
      nodes.map(({ port, status }: { port: number; status: string }) => [port, status]),
      ring.ports.map((port) => [port, "Alive"]),
    );
    const node = JSON.parse((await ask(`/nodes/${ring.port(0)}`)).text);
    assertEquals([node.port, node.status, node.state], [ring.port(0), "Alive", "ready"]);
    assertEquals((await ask("/nodes/1")).status, 404);
    assertEquals((await ask("/heal", { method: "POST" })).status, 200);
    assertStringIncludes((await ask("/scrub", { method: "POST" })).text, `"lost":0`);
  });

  await t.step("kills a node only where that was allowed, and the ring heals", async () => {
    const kill = { method: "POST" };
    assertEquals((await ask(`/nodes/${ring.port(1)}/kill`, kill)).status, 403);
    assertEquals((await ask(`/node/${ring.port(1)}/kill`, kill)).status, 403);
    const before = await ring.pid(ring.port(1));
    const port = freePorts(1);
    const stop = new AbortController();
    const running = runGateway({
      address: formatAddress("127.0.0.1", port),
      nodes: ring.ports.map((port) => formatAddress("127.0.0.1", port)),
      pollMs: 100,
      balance: "round-robin",
      http: { ...defaultHttpOptions, allowKill: true },
      logLevel: "error",
      logJson: false,
    }, { signal: stop.signal, log: silentLogger });
    try {
      const askAllowed = asker(port);
      await waitUntil("the gateway knows the ring", 5_000, async () => {
        return (await askAllowed("/nodes")).status === 200;
      });
      const killed = await askAllowed(`/nodes/${ring.port(1)}/kill`, kill);
      assertEquals([killed.status, killed.text], [
        200,
        `{"message":"Node ${ring.port(1)} was killed"}`,
      ]);
      await waitUntil("it is back", 15_000, async () => {
        return await ring.pid(ring.port(1)).catch(() => before) !== before;
      });
      assertEquals((await askAllowed(`/nodes/1/kill`, kill)).status, 404);
      assertEquals((await askAllowed("/files/many")).bytes.length, 300_000);
    } finally {
      stop.abort();
      await running;
    }
    assert(await ring.pid(ring.port(1)) !== before);
  });
});

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
