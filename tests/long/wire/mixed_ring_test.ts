import { assertShares } from "../../support/mixed_files.ts";
import { mixedRing } from "../../support/mixed_ring.ts";

Deno.test("a ring of two of ours and two originals shares files", async () => {
  await using ring = await mixedRing("osos");
  await assertShares(ring);
});

Deno.test("a ring of two of ours, then two originals, shares files", async () => {
  await using ring = await mixedRing("ooss", { wiredFrom: 2 });
  await assertShares(ring);
});
