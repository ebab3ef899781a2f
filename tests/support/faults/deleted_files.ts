/**
 * Deletes: what `FILE DELETE` and `FILE STAT` answer, and that nothing brings a deleted file back: no
 * restart, no node that was away, no tombstone that was dropped too early.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { PushStage } from "../../../src/node/test_hooks.ts";
import { digestBytes } from "../../../src/protocol/digest.ts";
import { parseRecord } from "../../../src/protocol/record_codec.ts";
import { type FaultRing, faultRing, listedNames, type Pace, steps } from "../fault_ring.ts";
import { LineClient } from "../line_client.ts";
import { askText, sha256 } from "../live_ring.ts";
import { waitUntil } from "../program.ts";
import { randomBytes } from "../real_file.ts";
import { storedChunks } from "../ring_disk.ts";

/** Declares the test, quick or with all that takes minutes. */
export function deletedFilesTest({ isLong }: Pace): void {
  // In this time a node that dropped tombstones too early would have done so.
  const tooEarlyMs = isLong ? 130_000 : 2_000;
  Deno.test("a deleted file stays deleted", async (t) => {
    await using ring = await faultRing(4, { isLong, waitTimeMs: 300 });
    const [port0, port1, port2, port3] = [ring.port(0), ring.port(1), ring.port(2), ring.port(3)];
    await ring.push(port0, "kept");

    await t.step({
      name: "FILE STAT tells the copies, FILE DELETE makes the name free",
      ...steps,
      fn: async () => {
        const bytes = randomBytes(10);
        assertEquals(await ring.attempt(port1, "gone", bytes).outcome, "acknowledged");
        const at = (port: number) => `127.0.0.1:${port} ok`;
        assertMatch(
          await askText(port3, "FILE STAT gone\n"),
          new RegExp(
            `^name: gone\nsize: 10\nsha256: ${sha256(bytes)}\nversion: [0-9A-Z]{26}\nparts: 4\n` +
              `part 1: ${at(port1)}, ${at(port0)}\npart 2: ${at(port2)}, ${at(port1)}\n` +
              `part 3: ${at(port3)}, ${at(port2)}\npart 4: ${at(port0)}, ${at(port3)}\nOK\n$`,
          ),
        );
        await ring.delete(port2, "gone");
        for (const port of ring.ports) {
          for (const command of ["STAT", "DELETE", "GET", "PULL"]) {
            const answer = await askText(port, `FILE ${command} gone\n`);
            assertEquals(answer, "ERR file not found\n", `${command} through ${port}`);
          }
        }
        for (const chunk of (await storedChunks(ring.ring.dataDir, ring.ports)).keys()) {
          assertMatch(chunk, /\/kept\./);
        }
        await ring.push(port3, "gone");
        await ring.check();
        await ring.delete(port3, "gone");
      },
    });

    await t.step({
      name: "a node that was away does not bring it back, nor does a restart of all",
      ...steps,
      fn: async () => {
        await ring.push(port0, "missed");
        await ring.kill(port2);
        await ring.delete(port1, "missed");
        await ring.settle();
        await ring.push(port0, "missed");
        await ring.kill(port3);
        await ring.wipe(port3);
        await ring.delete(port1, "missed");
        await ring.settle();
        await ring.killAll();
        await ring.startAgain({ waitTimeMs: 300 });
        await ring.settle();
        assertEquals(await tombstonesAt(port0), ["gone", "missed"]);
      },
    });

    await t.step({
      name: "a tombstone is dropped when every member has it, not while one is away",
      ...steps,
      fn: async () => {
        const mended = await ring.breakDirectory(port3);
        // The member with the lowest address does it; its tombstones are of age at once from now on.
        await ring.setHooks(port0, { tombstoneAgeMs: isLong ? 120_000 : 1 });
        await ring.kill(port0);
        await waitUntil("the node is back", 15_000, async () => {
          return (await askText(port1, "NETMAP GET\n")).includes(`${port0}=Alive`);
        });
        await ring.push(port1, "last");
        await ring.delete(port1, "last");
        await new Promise((resolve) => setTimeout(resolve, tooEarlyMs));
        assertEquals(await tombstonesAt(port0), ["gone", "last", "missed"]);
        await mended();
        await ring.settle();
        for (const port of ring.ports) {
          await waitUntil(`${port} has no tombstones`, 180_000, async () => {
            return (await tombstonesAt(port)).length === 0;
          });
        }
        await ring.check();
        await ring.push(port2, "gone");
        await ring.settle();
      },
    });

    for (const each of isLong ? brokenDeletes : brokenDeletes.slice(0, 1)) {
      await t.step({
        name: `${each.stage}: node ${each.victim} after the coordinator of a delete killed`,
        ...steps,
        fn: () => breakDelete(ring, each),
      });
    }

    if (!isLong) return;
    await t.step({
      name: "everything killed right after deletes were acknowledged",
      ...steps,
      fn: async () => {
        const names = ring.ports.map((port) => `short-lived-${port}`);
        for (const name of names) await ring.push(port0, name);
        await Promise.all(names.map((name, place) => ring.delete(ring.port(place), name)));
        await ring.killAll();
        await ring.startAgain({ waitTimeMs: 300 });
        await ring.settle();
        for (const name of names) assertEquals((await listedNames(port1)).has(name), false, name);
      },
    });
  });
}

/** A delete that is held at a stage while a node dies, by its distance from the delete's coordinator. */
interface BrokenDelete {
  readonly stage: PushStage;
  readonly victim: number;
}

const brokenDeletes: readonly BrokenDelete[] = [
  { stage: "committed", victim: 0 },
  { stage: "committed", victim: 1 },
  { stage: "record-received", victim: 0 },
  { stage: "record-received", victim: 2 },
];

/** The file is there or not, the same everywhere, and gone for good once the delete was acknowledged. */
async function breakDelete(ring: FaultRing, { stage, victim }: BrokenDelete): Promise<void> {
  const name = `broken-${stage}-${victim}`;
  await ring.push(ring.port(3), name);
  const [coordinator, dead] = [ring.port(0), ring.port(victim)];
  const holder = stage === "record-received" ? ring.port(2) : coordinator;
  await ring.setHooks(holder, { pauseAt: stage });
  const attempt = ring.attemptDelete(coordinator, name);
  await ring.heldAt(holder, stage);
  await ring.kill(dead);
  await ring.setHooks(holder);
  await ring.check(ring.ports.filter((port) => port !== dead));
  const outcome = await attempt.outcome;
  assert(
    dead === coordinator || outcome !== "broken",
    `it lives and answered '${attempt.answer()}'`,
  );
  await ring.settle();
  if (outcome === "acknowledged") assertEquals((await listedNames(dead)).has(name), false);
  // Whatever became of it, the name takes a file, and the delete is not heard of again.
  await ring.push(dead, name);
  await ring.settle();
  await ring.delete(dead, name);
}

/** The names of the tombstones that a node tells another one of, sorted. */
async function tombstonesAt(port: number): Promise<string[]> {
  using client = await LineClient.open(port, `CATALOG PULL ${digestBytes}\n`);
  await client.send(new Uint8Array(digestBytes));
  const names: string[] = [];
  for (;;) {
    const bytes = /^RECORDS ([0-9]+)\n$/.exec(await client.line())?.[1];
    if (bytes === undefined) return names.sort();
    for (const line of (await client.text(Number(bytes))).trimEnd().split("\n")) {
      const record = parseRecord(line);
      if (record.kind === "tombstone") names.push(record.name);
    }
  }
}
