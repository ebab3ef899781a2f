/**
 * The ways to stop a ring that the everyday tests leave out, and stops at bad moments.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { liveRing } from "../../support/live_ring.ts";
import { assertNothingLeft, assertStops } from "../../support/stop_ways.ts";

/** How long nobody may come back after a stop, in ms. */
const quietMs = 1_500;

for (const how of ["quit", "SIGTERM", "stop by a node's port"] as const) {
  Deno.test(`${how} ends every process of a ring, those started again too`, async () => {
    await assertStops(how);
  });
}

for (const delayMs of [0, 100, 250]) {
  Deno.test(`a ring stops ${delayMs} ms after a node was killed, and stays so`, async () => {
    await using ring = await liveRing(3, { waitTimeMs: 50 });
    await ring.kill(ring.port(1));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    assertEquals(await ring.quit(), 0);
    for (const endMs = Date.now() + quietMs; Date.now() < endMs;) {
      await assertNothingLeft(ring.dataDir, [...ring.ports, ring.gatewayPort]);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
}
