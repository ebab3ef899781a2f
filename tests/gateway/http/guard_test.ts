import { assertEquals } from "@std/assert";
import { guard, hostName, isLoopback } from "../../../src/gateway/http/guard.ts";
import { defaultHttpOptions, type GatewayHttpOptions } from "../../../src/gateway/options.ts";

const pure = { permissions: "none" } as const;

/** What a guarded handler that answers 200 makes of a request. */
async function ask(
  method: string,
  headers: Record<string, string>,
  options: Partial<GatewayHttpOptions> = {},
): Promise<Response> {
  const handler = guard(() => new Response("served"), { ...defaultHttpOptions, ...options });
  const { signal } = new AbortController();
  return await handler(new Request("http://gateway/files/a", { method, headers }), signal);
}

Deno.test("the guard serves the loopback's names and those it was told", pure, async () => {
  const rows: [string, number][] = [
    ["localhost", 200],
    ["LocalHost:8000", 200],
    ["localhost.:8000", 200],
    ["ring.localhost:8000", 200],
    ["127.0.0.1:8000", 200],
    ["127.9.9.9", 200],
    ["[::1]:8000", 200],
    ["ring.example.org:8000", 200],
    ["[2001:db8::1]:8000", 200],
    ["evil.example", 403],
    ["127.0.0.1.evil.example", 403],
    ["localhost.evil.example", 403],
    ["128.0.0.1", 403],
    ["0.0.0.0:8000", 403],
    ["[::2]", 403],
    ["", 400],
    ["a b", 400],
    ["user@localhost", 400],
    ["localhost:99999999", 400],
  ];
  const allowedHosts = ["ring.example.org", "2001:db8::1"];
  for (const [host, status] of rows) {
    assertEquals((await ask("GET", { host }, { allowedHosts })).status, status, host);
  }
  assertEquals((await ask("GET", {})).status, 400);
});

Deno.test("the guard refuses changes that a page of another origin asks for", pure, async () => {
  const host = "localhost:8000";
  const rows: [string, string, number][] = [
    ["GET", "http://evil.example", 200],
    ["HEAD", "null", 200],
    ["PUT", "http://localhost:8000", 200],
    ["POST", "https://localhost:8000", 200],
    ["PUT", "http://localhost:8001", 403],
    ["PUT", "http://localhost", 403],
    ["POST", "http://evil.example", 403],
    ["DELETE", "http://localhost:8000.evil.example", 403],
    ["DELETE", "null", 403],
    ["PATCH", "http://evil.example", 403],
  ];
  for (const [method, origin, status] of rows) {
    const answer = await ask(method, { host, origin });
    assertEquals(answer.status, status, `${method} ${origin}`);
    assertEquals(answer.headers.get("access-control-allow-origin"), null);
  }
  // A program is no page: it tells no origin.
  assertEquals((await ask("DELETE", { host })).status, 200);
});

Deno.test("the guard lets pages of the origins in that it was told", pure, async () => {
  const corsOrigins = ["https://page.example", "null"];
  for (const origin of corsOrigins) {
    const answer = await ask("DELETE", { host: "localhost", origin }, { corsOrigins });
    assertEquals([answer.status, answer.headers.get("access-control-allow-origin")], [200, origin]);
    assertEquals(answer.headers.get("vary"), "Origin");
  }
  const preflight = await ask("OPTIONS", {
    "host": "localhost",
    "origin": "https://page.example",
    "access-control-request-method": "DELETE",
    "access-control-request-private-network": "true",
  }, { corsOrigins });
  assertEquals(preflight.status, 204);
  assertEquals(
    preflight.headers.get("access-control-allow-methods"),
    "GET, HEAD, PUT, POST, DELETE",
  );
  assertEquals(preflight.headers.get("access-control-allow-private-network"), "true");
  const foreign = { host: "localhost", origin: "https://other.example" };
  assertEquals((await ask("DELETE", foreign, { corsOrigins })).status, 403);
  const answer = await ask("GET", foreign, { corsOrigins });
  assertEquals(answer.headers.get("access-control-allow-origin"), null);
  // Its Host is looked at all the same.
  const rebound = { host: "evil.example", origin: "https://page.example" };
  assertEquals((await ask("GET", rebound, { corsOrigins })).status, 403);
});

Deno.test("hostName() and isLoopback() take whole names", pure, () => {
  assertEquals(hostName("[::1]:80"), "::1");
  assertEquals(hostName("::1"), undefined);
  assertEquals(hostName("a/b"), undefined);
  assertEquals(isLoopback("127.0.0"), false);
  assertEquals(isLoopback("notlocalhost"), false);
});
