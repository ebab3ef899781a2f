import { assert } from "@std/assert";
import { assertKeeps, fileShapes } from "../../support/file_shapes.ts";
import { liveRing } from "../../support/live_ring.ts";

Deno.test("a ring of 2 keeps files that no buffer holds", async () => {
  await using ring = await liveRing(2);
  await assertKeeps(ring, fileShapes);
});

Deno.test("a ring of 20 keeps files, those with fewer bytes than it has nodes too", async () => {
  await using ring = await liveRing(20);
  await assertKeeps(ring, fileShapes);
  const [, seconds = ""] = /ready \(([0-9.]+) s\)/.exec(ring.supervisor.stdout) ?? [];
  console.log(`A ring of 20 was ready in ${seconds} s; 8 s are its bound on a machine at rest.`);
  assert(Number(seconds) < 40, `ready in ${seconds} s`);
});
