/**
 * The files of a catalog are removed under its running node: it notices at its next look, and what it
 * acknowledges in between is as durable as ever.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type FaultRing, faultRing, type Pace, steps } from "../fault_ring.ts";
import { waitUntil } from "../program.ts";
import { randomBytes } from "../real_file.ts";

/** Declares the test, quick or with all that takes minutes. */
export function removedCatalogTest({ isLong }: Pace): void {
  Deno.test("a catalog removed under a running node costs nothing", async (t) => {
    await using ring = await faultRing(3, { isLong, waitTimeMs: 300 });
    for (const port of ring.ports) await ring.push(port, `kept-${port}`);

    const removals = {
      "its database": (name: string) => name === "catalog.db",
      "the database and its log": (name: string) => name.startsWith("catalog.db"),
      "everything but chunks": (name: string) =>
        name.startsWith("catalog") || name === "incarnation",
      "the whole directory": () => true,
    };
    for (const [what, isRemoved] of Object.entries(removals)) {
      await t.step({
        name: what,
        ...steps,
        fn: async () => {
          const victim = ring.port(1);
          const seen = await timesSeen(ring, victim);
          await removeUnder(ring, victim, isRemoved);
          const pushed = pushWhile(ring, victim, what, async () => {
            const now = await timesSeen(ring, victim);
            return isRemoved("node.log") ? now === 0 : now === seen;
          });
          await ring.check(ring.ports.filter((port) => port !== victim));
          await pushed;
          await ring.settle();
          if (what !== "the whole directory" && !isLong) return;
          // Only what is on the disks comes through this.
          await ring.kill(...ring.ports);
          await ring.settle();
        },
      });
    }
  });
}

/** Removes files of a node's directory, directories with all that is in them. */
async function removeUnder(
  ring: FaultRing,
  port: number,
  isRemoved: (name: string) => boolean,
): Promise<void> {
  const directory = ring.directory(port);
  for await (const { name } of Deno.readDir(directory)) {
    if (isRemoved(name)) await Deno.remove(`${directory}/${name}`, { recursive: true });
  }
}

/** How often the node's log tells that it has noticed. */
async function timesSeen(ring: FaultRing, port: number): Promise<number> {
  try {
    const log = await Deno.readTextFile(`${ring.directory(port)}/node.log`);
    return log.split("were removed under this node").length - 1;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Overwrites and makes files through a node as long as something is so. */
async function pushWhile(
  ring: FaultRing,
  port: number,
  what: string,
  isSo: () => Promise<boolean>,
): Promise<void> {
  let round = 0;
  await waitUntil("the node has noticed", 15_000, async () => {
    round++;
    for (const name of [`kept-${port}`, `${what} ${round}`]) {
      const attempt = ring.attempt(port, name, randomBytes(20_000));
      assert(await attempt.outcome !== "broken", attempt.answer());
    }
    return !await isSo();
  });
}
