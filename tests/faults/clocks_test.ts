/**
 * A node whose calendar is years off: one that is ahead changes nothing that the others would not take,
 * one that is behind does not serve without what it could not take. Both say why, and are as ever once
 * the calendar is right.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { faultRing, listedNames, readSum, versionOf } from "../support/fault_ring.ts";
import { askText } from "../support/live_ring.ts";
import { waitUntil } from "../support/program.ts";
import { randomBytes } from "../support/real_file.ts";

const yearMs = 365 * 24 * 3_600_000;

Deno.test("a node whose clock is years ahead refuses pushes and deletes before it stores anything", async () => {
  await using ring = await faultRing(3, { waitTimeMs: 300 });
  const [right, wrong] = [ring.port(0), ring.port(2)];
  await ring.push(right, "there");
  const before = await seen(ring.ports, "there");
  await ring.setHooks(wrong, { clockSkewMs: 2 * yearMs });
  await ring.kill(wrong);
  await ring.ring.waitAllAlive();
  await ring.settle();

  const refusal =
    /^ERR the clocks differ by more than a year: .+ at 127\.0\.0\.1:[0-9]+ it is .+\n$/;
  for (const [name, bytes] of [["there", 50_000], ["new", 50_000], ["large", 600_000]] as const) {
    const attempt = ring.attempt(wrong, name, randomBytes(bytes));
    assertEquals(await attempt.outcome, "refused", attempt.answer());
    assertMatch(attempt.answer(), refusal);
  }
  assertMatch(await askText(wrong, "FILE DELETE there\n"), refusal);
  assertEquals(await seen(ring.ports, "there"), before);
  for (const port of ring.ports) assertEquals(await listedNames(port), new Set(["there"]));
  await ring.settle();

  // The others go on, also with what was refused.
  await ring.push(right, "new");
  await ring.check();
  await ring.setHooks(wrong);
  await ring.kill(wrong);
  await ring.ring.waitAllAlive();
  await ring.push(wrong, "there");
  await ring.delete(wrong, "new");
  await ring.settle();
  await ring.stagingIsClean();
});

Deno.test("a node whose clock is years behind serves nobody, rather than without what it cannot take", async () => {
  await using ring = await faultRing(3, { waitTimeMs: 300 });
  const [right, wrong] = [ring.port(0), ring.port(2)];
  await ring.push(right, "old");
  const repair = await ring.breakDirectory(wrong);
  await ring.push(right, "missed");
  await repair();
  await ring.setHooks(wrong, { clockSkewMs: -2 * yearMs });
  await waitUntil("the node cannot take what it missed", 20_000, async () => {
    const log = await Deno.readTextFile(`${ring.directory(wrong)}/node.log`);
    return log.includes("more than a year behind");
  });
  for (const line of ["FILE GET missed\n", "FILE GET old\n", "FILE LIST\n"]) {
    assertEquals(await askText(wrong, line), "ERR catching up\n");
  }
  await ring.check([right, ring.port(1)]);
  await ring.setHooks(wrong);
  await ring.kill(wrong);
  await ring.settle();
  await ring.push(wrong, "old");
  await ring.check();
});

/** What each node has under a name: version and SHA-256. */
async function seen(ports: readonly number[], name: string): Promise<string[]> {
  return await Promise.all(
    ports.map(async (port) => `${await versionOf(port, name)} ${await readSum(port, name)}`),
  );
}
