/**
 * The disk of one node is full: pushes that need it are refused, what was acknowledged before stays, and
 * all is well once there is space again. Needs root, for a small disk in memory.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { OwnDisk } from "../../../scripts/chaos/own_disk.ts";
import { faultRing, type Pace } from "../fault_ring.ts";
import { LineClient } from "../line_client.ts";
import { freePorts } from "../live_ring.ts";
import { randomBytes, temporaryDirectory } from "../real_file.ts";

const steps = { sanitizeOps: false, sanitizeResources: false };
const mebibyte = 1024 * 1024;

/** Declares the test, quick or with all that takes minutes. */
export function fullDiskTest({ isLong }: Pace): void {
  Deno.test("a full disk refuses pushes and loses nothing", async (t) => {
    await using data = await temporaryDirectory();
    const basePort = freePorts(3);
    await using disk = await OwnDisk.mount(`${data.path}/${basePort + 1}`);
    if (disk === undefined) return console.log("  skipped: a disk can only be mounted by root");
    await using ring = await faultRing(3, {
      isLong,
      basePort,
      dataDir: data.path,
      waitTimeMs: 300,
    });
    const full = ring.port(1);
    for (const port of ring.ports) await ring.push(port, `kept-${port}`, 2 * mebibyte);

    await t.step({
      name: "a push that does not fit is refused at once, through every node",
      ...steps,
      fn: async () => {
        await disk.fill(5 * mebibyte);
        await nodesLookAgain();
        for (const port of ring.ports) {
          for (const name of ["too large", `kept-${port}`]) {
            const attempt = ring.attempt(port, name, randomBytes(20 * mebibyte));
            assertEquals(await attempt.outcome, "refused", attempt.answer());
            assertMatch(attempt.answer(), /^ERR Not enough disk space \([0-9]+ > [0-9]+\)\n$/);
          }
        }
        await ring.check();
        await ring.stagingIsClean(5_000);
        // What fits is taken.
        await ring.push(ring.port(0), "fits", 300_000);
        await ring.check();
      },
    });

    await t.step({
      name: "a disk that fills up in the middle of a push",
      ...steps,
      fn: async () => {
        for (const port of isLong ? ring.ports : [ring.port(0), full]) {
          await disk.empty();
          await nodesLookAgain();
          const size = 24 * mebibyte;
          using client = await LineClient.open(port, `FILE PUSH ${size} kept-${full}\n`);
          await client.send(randomBytes(size / 4));
          await disk.fill(mebibyte);
          await client.send(randomBytes(size * 3 / 4)).catch(
            () => {/* it was refused before its end */},
          );
          const answer = await client.line();
          // A holder whose part comes after the disk was filled has nothing of it to take.
          const isFull =
            /^ERR (Cannot store 'kept-[0-9]+' as the disk is full: |Not enough disk space )/;
          assertMatch(answer, isFull);
          await ring.check();
        }
        await ring.stagingIsClean(10_000);
      },
    });

    await t.step({
      name: "a disk without a free byte: others go on, and the node comes back with the space",
      ...steps,
      fn: async () => {
        await disk.fill(0);
        const others = ring.ports.filter((port) => port !== full);
        for (const port of ring.ports) {
          const attempt = ring.attempt(port, "small", randomBytes(1_000));
          assert(await attempt.outcome !== "broken", attempt.answer());
        }
        await ring.check(others);
        // It needs no space where there is none: the full node hears of it later.
        await ring.delete(ring.port(0), `kept-${full}`);
        await disk.empty();
        await ring.settle();
        await nodesLookAgain();
        await ring.push(full, "works again", 3 * mebibyte);
        await ring.settle();
      },
    });

    await t.step({
      name: "the full node is killed, and started on its full disk",
      ...steps,
      fn: async () => {
        const others = ring.ports.filter((port) => port !== full);
        for (const freeBytes of isLong ? [0, 8 * 1024, 200_000] : [0]) {
          const size = 6 * mebibyte;
          using client = await LineClient.open(full, `FILE PUSH ${size} interrupted\n`);
          await client.send(randomBytes(size / 2));
          await disk.fill(freeBytes);
          await ring.kill(full);
          await ring.check(others);
          // It is started again and again, or serves what it can.
          await new Promise((resolve) => setTimeout(resolve, isLong ? 5_000 : 1_000));
          await ring.check(others);
          const attempt = ring.attempt(ring.port(0), "meanwhile", randomBytes(100_000));
          assert(await attempt.outcome !== "broken", attempt.answer());
          await disk.empty();
          await ring.settle();
          await ring.stagingIsClean();
        }
        await nodesLookAgain();
        await ring.push(full, "works after that", 3 * mebibyte);
        await ring.check();
      },
    });
  });
}

/** Nodes look at their disks at most once a second. */
function nodesLookAgain(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_100));
}
