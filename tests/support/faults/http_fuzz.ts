/**
 * Requests that no client sends, on the gateway's port: broken heads and names, bodies that end early or
 * are framed wrong, several in one go. The gateway stays, answers the next request, and stores nothing
 * that did not come whole.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bytesOf } from "../line_client.ts";
import { bearNoise, edit, encoder } from "../fuzz.ts";
import { listedNames, readSum } from "../fault_ring.ts";
import { ask, liveRing } from "../live_ring.ts";
import type { SeededRandom } from "../seeded_random.ts";

/** Names of uploads that are broken for certain begin with it: none may ever be listed. */
const brokenPrefix = "broken-";

/** Declares a test for each seed. */
export function httpFuzzTest(seeds: readonly number[]): void {
  for (const seed of seeds) {
    Deno.test(`the gateway bears broken requests, seed ${seed}`, async () => {
      await using ring = await liveRing(3);
      await bearNoise(ring, {
        seed,
        ports: [ring.gatewayPort],
        noise: brokenRequests,
        isWell: async (port) => {
          const answer = await ask(
            port,
            request({ method: "GET", target: "/healthz", ends: true }),
          );
          assertMatch(new TextDecoder().decode(answer), /^HTTP\/1\.1 200 /);
        },
      });
      // What is well comes through, so that what is missing below was refused.
      const url = `http://127.0.0.1:${ring.gatewayPort}/files/well`;
      const stored = await fetch(url, { method: "PUT", body: "well" });
      await stored.body?.cancel();
      assertEquals(stored.status, 201, `seed ${seed}`);
      const names = await listedNames(ring.port(0));
      assert(names.has("well"), `seed ${seed}: 'well' is not listed`);
      for (const name of names) {
        // What a name became that has a comma in it now: it is in quotes in a list.
        if (name.startsWith('"')) continue;
        assert(!name.startsWith(brokenPrefix), `seed ${seed}: '${name}' is listed`);
        // What is listed came whole: the answer is as long as its header says, and has its SHA-256.
        assert(await readSum(ring.port(1), name) !== "absent", `seed ${seed}: '${name}'`);
      }
      assertEquals(await listedNames(ring.port(2)), names, `seed ${seed}`);
    });
  }
}

interface Request {
  readonly method: string;
  readonly target: string;
  readonly headers?: readonly string[];
  readonly body?: Uint8Array;
  /** Asks the gateway to end the connection after it. */
  readonly ends?: boolean;
}

function request({ method, target, headers = [], body, ends }: Request): Uint8Array {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    "Host: localhost",
    ...headers,
    ...(ends === true ? ["Connection: close"] : []),
    "\r\n",
  ];
  return bytesOf(encoder.encode(lines.join("\r\n")), body ?? new Uint8Array());
}

/** Requests on one connection, and more bytes than they have. */
const requestsMax = 5;
const behindBytesMax = 2_000_000;

/** One request, or several on one connection. */
function brokenRequests(random: SeededRandom): Uint8Array {
  const makers = [
    editedHead,
    editedHead,
    strangeTarget,
    shortBody,
    wrongChunks,
    twoLengths,
    hugeHead,
  ];
  const count = random.pick([1, 1, 1, 2, requestsMax]);
  if (count === 1) makers.push(lastBody);
  return bytesOf(...Array.from({ length: count }, () => random.pick(makers)(random)));
}

/** A request that is well, but for some bytes of its head. */
function editedHead(random: SeededRandom): Uint8Array {
  const body = random.bytes(random.pick([0, 1, 500, 70_000]));
  const name = `edited-${random.integer(20)}`;
  const upload = [`Content-Length: ${body.length}`, "Content-Type: application/octet-stream"];
  const well = random.pick<Request>([
    { method: "PUT", target: `/files/${name}`, headers: upload, body },
    { method: "PUT", target: `/files/${name}`, headers: [...upload, "If-None-Match: *"], body },
    { method: "POST", target: "/file/push", headers: [...upload, `X-Filename: ${name}`], body },
    { method: "GET", target: `/files/${name}`, headers: ["Range: bytes=0-9,20-29"] },
    { method: "GET", target: "/files?prefix=e&limit=10" },
    { method: "HEAD", target: `/files/${name}` },
    { method: "DELETE", target: `/files/${name}` },
    { method: "GET", target: "/nodes" },
    { method: "GET", target: "/metrics" },
  ]);
  let head = request({ ...well, body: new Uint8Array() }).slice(0, -2);
  for (let edits = random.integer(4); edits > 0; edits--) head = edit(head, random);
  return bytesOf(head, encoder.encode("\r\n"), well.body ?? new Uint8Array());
}

/** Paths and queries that parsers stumble over. */
function strangeTarget(random: SeededRandom): Uint8Array {
  const target = random.pick([
    "/files/%",
    "/files/%zz",
    "/files/%00",
    "/files/%2e%2e%2fsecret",
    "/files/../../secret",
    "/files/a%2Fb",
    `/files/${"n".repeat(random.pick([200, 201, 60_000]))}`,
    "/files/%ff%fe",
    "/files?limit=-1&after=%00",
    "/files?limit=99999999999999999999",
    "//files//x",
    "http://elsewhere.example/files/x",
    "*",
    "/nodes/99999/kill",
  ]);
  const method = random.pick(["GET", "PUT", "POST", "DELETE", "OPTIONS", "TRACE", "get", "P\0T"]);
  return request({ method, target, headers: ["Content-Length: 0"] });
}

/** Fewer bytes than announced, whatever comes behind it on the connection. */
function shortBody(random: SeededRandom): Uint8Array {
  return cutBody(random, behindBytesMax + random.integer(2 ** 31));
}

/** Fewer bytes than announced, and then the end. */
function lastBody(random: SeededRandom): Uint8Array {
  return cutBody(random, 1 + random.integer(random.pick([1, 1_000])));
}

function cutBody(random: SeededRandom, missing: number): Uint8Array {
  const body = random.bytes(random.pick([0, 1, 4_000, 300_000]));
  const headers = [`Content-Length: ${body.length + missing}`, "Content-Type: text/plain"];
  const target = `/files/${brokenPrefix}short-${random.integer(50)}`;
  return request({ method: "PUT", target, headers, body });
}

/** A body in chunks of which one is broken. */
function wrongChunks(random: SeededRandom): Uint8Array {
  const good = `5\r\nhello\r\n`;
  const broken = random.pick([
    "zz\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "ffffffffffffffffff\r\nhello",
    "5\r\nhelloo\r\n0\r\n\r\n",
    "3\r\nhello\r\n0\r\n\r\n",
    `${"0".repeat(70_000)}5\r\nhello`,
    `5;${"x".repeat(70_000)}\r\nhello`,
    "5",
    "",
  ]);
  const target = `/files/${brokenPrefix}chunks-${random.integer(50)}`;
  const headers = ["Transfer-Encoding: chunked", "Connection: close"];
  const body = encoder.encode(good.repeat(random.integer(4)) + broken);
  return request({ method: "PUT", target, headers, body });
}

/** Two statements of the length, of which a proxy and a server might each believe another one. */
function twoLengths(random: SeededRandom): Uint8Array {
  const headers = random.pick([
    ["Content-Length: 3", "Content-Length: 4"],
    ["Content-Length: 3, 4"],
    ["Content-Length: 4", "Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ["Transfer-Encoding: gzip"],
    ["Content-Length: 0x4"],
    ["Content-Length: +4"],
    ["Content-Length: 99999999999999999999999"],
  ]);
  const target = `/files/${brokenPrefix}lengths-${random.integer(50)}`;
  return request({ method: "PUT", target, headers, body: encoder.encode("abcd") });
}

function hugeHead(random: SeededRandom): Uint8Array {
  const headers = random.pick([
    [`X-Long: ${"x".repeat(random.pick([60_000, 300_000]))}`],
    Array.from({ length: 2_000 }, (_, index) => `X-${index}: y`),
  ]);
  return request({ method: "GET", target: "/files", headers });
}
