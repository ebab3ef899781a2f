import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type LiveRing, liveRing } from "./live_ring.ts";
import { runProgram, waitUntil } from "./program.ts";
import { isListening, processesWith } from "./system_processes.ts";

/** How long a ring may take to stop, in ms. */
export const stopMs = 5_000;

const elsewhere = await Deno.realPath("/");

/** The ways to stop a ring. */
const ways = {
  "quit": (ring: LiveRing) => ring.supervisor.type("quit\n"),
  "SIGINT": (ring: LiveRing) => Promise.resolve(ring.supervisor.signal("SIGINT")),
  "SIGTERM": (ring: LiveRing) => Promise.resolve(ring.supervisor.signal("SIGTERM")),
  "stop by a node's port": (ring: LiveRing) => stopByPort(ring, ring.port(1)),
  "stop by the gateway's port": (ring: LiveRing) => stopByPort(ring, ring.gatewayPort),
};

/** A way to stop a ring, as a person would say it. */
export type StopWay = keyof typeof ways;

/** Stops a ring in which a node and the gateway have been started again; nothing of it is left then. */
export async function assertStops(how: StopWay): Promise<void> {
  await using ring = await liveRing(3, { waitTimeMs: 200 });
  const old = await Promise.all([ring.kill(ring.port(1)), ring.kill(ring.gatewayPort)]);
  await ring.waitAllAlive();
  await waitUntil("the gateway is back", 30_000, () => isListening(ring.gatewayPort));
  assertNotEquals(await ring.pid(ring.port(1)), old[0]);
  const startMs = performance.now();
  await ways[how](ring);
  assertEquals(await ring.supervisor.exited, 0);
  const tookMs = performance.now() - startMs;
  await assertNothingLeft(ring.dataDir, [...ring.ports, ring.gatewayPort]);
  assert(tookMs < stopMs, `it took ${Math.round(tookMs)} ms`);
}

/** No process has a ring's directory among its arguments, and nobody listens on its ports. */
export async function assertNothingLeft(dataDir: string, ports: readonly number[]): Promise<void> {
  assertEquals(await processesWith(dataDir), [], "processes that are left");
  for (const port of ports) assertEquals(await isListening(port), false, `port ${port}`);
}

async function stopByPort(ring: LiveRing, port: number): Promise<void> {
  const [first, last] = [ring.port(0), ring.port(-1)];
  const ran = await runProgram(["stop", "--port", String(port)], { cwd: elsewhere });
  assertEquals([ran.code, ran.stderr], [0, ""]);
  assertEquals(
    ran.stdout,
    `Stopped the ring of 3 nodes on ${first} to ${last}, and the gateway on ${ring.gatewayPort}.\n`,
  );
}
