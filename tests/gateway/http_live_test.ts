import { assertEquals, assertStringIncludes } from "@std/assert";
import { askText, liveRing } from "../support/live_ring.ts";

Deno.test("the gateway serves HTTP and the line protocol on one port", async (t) => {
  await using ring = await liveRing(3);
  const base = `http://127.0.0.1:${ring.gatewayPort}`;
  const text = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${base}${path}`, init);
    return [answer.status, await answer.text()] as const;
  };

  await t.step("says that it is there and that the ring is", async () => {
    assertEquals((await text("/healthz"))[0], 200);
    assertEquals((await text("/readyz"))[0], 200);
  });

  await t.step("stores a file, lists it, gives it back, deletes it", async () => {
    const stored = await text("/files/a%20b.txt", { method: "PUT", body: "hello" });
    assertEquals(stored[0], 201);
    assertStringIncludes((await text("/files"))[1], `"name":"a b.txt","size":5`);
    assertEquals(await text("/files/a%20b.txt"), [200, "hello"]);
    assertEquals(await askText(ring.gatewayPort, "FILE PULL a b.txt\n"), "hello");
    assertEquals(await text("/files/a%20b.txt", { method: "DELETE" }), [204, ""]);
    assertEquals((await text("/files/a%20b.txt"))[0], 404);
  });

  await t.step("tells who is alive, heals and scrubs", async () => {
    const nodes = JSON.parse((await text("/nodes"))[1]).nodes;
    assertEquals(
      nodes.map(({ port, status }: { port: number; status: string }) => [port, status]),
      ring.ports.map((port) => [port, "Alive"]),
    );
    assertEquals(await text("/heal", { method: "POST" }), [
      200,
      `{"message":"OK network healed"}`,
    ]);
    assertStringIncludes((await text("/scrub", { method: "POST" }))[1], `"lost":0`);
  });
});
