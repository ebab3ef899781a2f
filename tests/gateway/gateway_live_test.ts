import { assertEquals, assertStringIncludes } from "@std/assert";
import { askText, freePorts, liveRing } from "../support/live_ring.ts";
import { runProgram, waitUntil } from "../support/program.ts";

Deno.test("a gateway with limits, before a ring that nobody heals", async (t) => {
  await using ring = await liveRing(3, { waitTimeMs: 0, args: ["--log-level=warn"] });
  const step = async (name: string, fn: () => Promise<void>) => {
    // What the supervisor prints meanwhile is read by the test around it.
    await t.step({ name, fn, sanitizeOps: false, sanitizeResources: false });
  };

  await step("it is busy at its limit and serves again afterwards", async () => {
    const held: Deno.TcpConn[] = [];
    try {
      for (let count = 0; count < 1_024; count++) {
        held.push(await Deno.connect({ hostname: "127.0.0.1", port: ring.gatewayPort }));
      }
      await waitUntil("it is busy", 5_000, async () => {
        return await askText(ring.gatewayPort, "NODE PING\n") === "ERR busy\n";
      });
    } finally {
      for (const conn of held) conn.close();
    }
    await waitUntil("it serves again", 10_000, async () => {
      return await askText(ring.gatewayPort, "NODE PING\n") === "PONG\n";
    });
  });

  await step(
    "it uses the next node while the first is dead, and then the first again",
    async () => {
      const status = /^PORT 127\.0\.0\.1:([0-9]+)$/m;
      const served = async () => status.exec(await askText(ring.gatewayPort, "NODE STATUS\n"))?.[1];
      const isFirstServed = async () => await served() === String(ring.port(0));
      await waitUntil("the first node serves", 5_000, isFirstServed);
      await ring.kill(ring.port(0));
      assertEquals(await served(), String(ring.port(1)));
      await ring.kill(ring.port(1));
      assertEquals(await served(), String(ring.port(2)));
      assertEquals(await askText(ring.port(2), "NODE HEAL\n"), "OK network healed\n");
      await waitUntil("the first node serves", 5_000, isFirstServed);
    },
  );
});

Deno.test("the gateway says so when its port is in use", async () => {
  const port = freePorts(2);
  {
    using _taken = Deno.listen({ hostname: "127.0.0.1", port });
    const ran = await runProgram(["gateway", `-p${port}`, `--nodes=127.0.0.1:${port + 1}`]);
    assertEquals(ran.code, 1);
    assertStringIncludes(ran.stderr, `error: Port ${port} is in use; choose another --port\n`);
  }
});
