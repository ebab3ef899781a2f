import { assertEquals } from "@std/assert";
import { formatAddress, parseAddress, portOf, splitAddress } from "../../src/protocol/address.ts";
import { parseCount } from "../../src/protocol/count.ts";
import { looksLikeHttp } from "../../src/protocol/browser.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { randomAddress } from "./samples.ts";

const pure = { permissions: "none" } as const;

Deno.test("parseAddress() and splitAddress() are inverse to formatAddress()", pure, () => {
  const random = new SeededRandom(1);
  for (let i = 0; i < 1000; i++) {
    const address = randomAddress(random);
    const { hostname, port } = splitAddress(address);
    assertEquals(formatAddress(hostname, port), address);
    assertEquals(parseAddress(address), address);
    assertEquals(portOf(address), port);
  }
});

Deno.test("parseAddress() gives equal addresses one text", pure, () => {
  assertEquals(parseAddress("LOCALHOST:7000") as string, "localhost:7000");
  assertEquals(parseAddress("[FE80::1]:07000") as string, "[fe80::1]:7000");
});

Deno.test("parseAddress() refuses what is no host and port", pure, () => {
  const wrong = [
    "",
    ":",
    "7000",
    "a:",
    ":7000",
    "a:0",
    "a:65536",
    "a:7000:7000",
    "::1:7000",
    "a b:1",
  ];
  wrong.push(
    "a:-1",
    "a:7e3",
    "[::1]",
    "[::1:7000",
    "a=b:1",
    "a;b:1",
    "a,b:1",
    "a->b:1",
    "a/b:1",
    "a:1\n",
  );
  for (const text of wrong) assertEquals(parseAddress(text), undefined, text);
  assertEquals(parseAddress(`${"a".repeat(254)}:1`), undefined);
});

Deno.test("parseCount() takes digits up to the largest safe integer", pure, () => {
  assertEquals(parseCount("0"), 0);
  assertEquals(parseCount("007"), 7);
  assertEquals(parseCount("9007199254740991"), Number.MAX_SAFE_INTEGER);
  assertEquals(parseCount("9", 9), 9);
  for (const text of ["", " 1", "1 ", "+1", "-1", "1.0", "1e1", "0x1", "١", "9007199254740992"]) {
    assertEquals(parseCount(text), undefined, text);
  }
  assertEquals(parseCount("10", 9), undefined);
  assertEquals(parseCount("9".repeat(1000)), undefined);
});

Deno.test("looksLikeHttp() knows request lines and the Host header", pure, () => {
  for (
    const line of [
      "GET / HTTP/1.1",
      "POST /a HTTP/1.0",
      "Host: 127.0.0.1:7000",
      "host:x",
      "FILE DELETE a HTTP/1.1",
    ]
  ) {
    assertEquals(looksLikeHttp(line), true, line);
  }
  for (
    const line of [
      "",
      "Host",
      "FILE PULL Host: x",
      "HTTP/1.1",
      "GET / HTTP/1.1 ",
      "FILE PULL a.http",
    ]
  ) {
    assertEquals(looksLikeHttp(line), false, line);
  }
});
