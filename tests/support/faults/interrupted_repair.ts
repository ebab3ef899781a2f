/**
 * Nodes die in the middle of a repair: one that fills its wiped directory again or rebuilds its catalog,
 * one that gives it the copies, or all of them. What was acknowledged is as right as before, and the repair
 * goes on where it was.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type FaultRing, faultRing, type Pace, steps } from "../fault_ring.ts";
import { waitUntil } from "../program.ts";
import { chunkCount, removeCatalog } from "../ring_disk.ts";

/** So many files of so many bytes that a repair takes its time. */
const files = 100;
const fileBytes = 200_000;

/** Declares the test, quick or with all that takes minutes. */
export function interruptedRepairTest({ isLong }: Pace): void {
  Deno.test("a repair that is interrupted goes on, and loses nothing", async (t) => {
    await using ring = await faultRing(4, { isLong, waitTimeMs: 300 });
    for (let file = 0; file < files; file++) {
      await ring.push(ring.port(file % 4), `kept-${file}`, fileBytes);
    }
    const [first, victim, third] = [ring.port(0), ring.port(1), ring.port(2)];

    await t.step({
      name: "the node that is repaired, twice",
      ...steps,
      fn: async () => {
        await ring.kill(victim);
        await ring.wipe(victim);
        for (let death = 0; death < 2; death++) {
          await untilHalfRepaired(ring, victim);
          await ring.kill(victim);
        }
        await ring.check(ring.ports.filter((port) => port !== victim));
        await ring.settle();
      },
    });

    await t.step({
      name: "the neighbours that it gets its copies from",
      ...steps,
      fn: async () => {
        for (const source of [first, third]) {
          await ring.wipe(victim);
          await ring.kill(victim);
          await untilHalfRepaired(ring, victim);
          await ring.kill(source);
          await ring.settle();
        }
      },
    });

    await t.step({
      name: "all nodes, with the supervisor",
      ...steps,
      fn: async () => {
        await ring.kill(victim);
        await ring.wipe(victim);
        await untilHalfRepaired(ring, victim);
        await ring.killAll();
        await ring.startAgain({ waitTimeMs: 300 });
        await ring.settle();
      },
    });

    await t.step({
      name: "the node that rebuilds its catalog, at any moment",
      ...steps,
      fn: async () => {
        for (const delayMs of [0, 30, 100, 250, 400]) {
          await killOnceItIsBack(ring, victim, delayMs);
          await removeCatalog(ring.directory(victim));
        }
        await ring.check(ring.ports.filter((port) => port !== victim));
        await ring.settle();
      },
    });
  });
}

/** Waits until a node has some of its copies again; fails when it has all of them before that shows. */
async function untilHalfRepaired(ring: FaultRing, port: number): Promise<void> {
  // Of every file a part and the backup of another one.
  const all = 2 * files;
  const before = await chunkCount(ring.directory(port));
  let count = before;
  await waitUntil(() => `a repair is under way, beyond ${before} of ${all}`, 20_000, async () => {
    count = await chunkCount(ring.directory(port));
    return count >= before + all / 20;
  });
  assert(count < all, "the repair is over already");
}

/** Kills a node so many ms after it has begun to answer. */
async function killOnceItIsBack(ring: FaultRing, port: number, delayMs: number): Promise<void> {
  await waitUntil("the node can be killed again", 15_000, async () => {
    try {
      await ring.ring.pid(port);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await ring.kill(port);
      return true;
    } catch {
      // It does not answer yet.
      return false;
    }
  });
}
