import { assert, assertLess } from "@std/assert";
import { liveRing } from "../../support/live_ring.ts";
import { waitUntil } from "../../support/program.ts";
import { openDescriptors, peakMemoryMiB } from "../../support/system_processes.ts";

const connections = 20_000;
const atOnce = 20;

/** Descriptors that may come and go: connections between the nodes. */
const descriptorsMore = 4;
const gatewayMiBMax = 200;

Deno.test(`the gateway leaks nothing over ${connections} connections`, async () => {
  await using ring = await liveRing(2);
  const pids = await Promise.all([ring.gatewayPort, ring.port(0)].map((port) => ring.pid(port)));
  const [gateway = 0] = pids;
  const before = await Promise.all(pids.map(openDescriptors));
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let done = 0; done < connections / atOnce; done++) {
      assert(await answersPing(ring.gatewayPort));
    }
  }));
  await waitUntil("all connections are closed", 10_000, async () => {
    const after = await Promise.all(pids.map(openDescriptors));
    return after.every((count, index) => count <= (before[index] ?? 0) + descriptorsMore);
  });
  assertLess(await peakMemoryMiB(gateway), gatewayMiBMax);
});

async function answersPing(port: number): Promise<boolean> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("NODE PING\n"));
  const buffer = new Uint8Array(16);
  const count = await conn.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0)) === "PONG\n";
}
