/**
 * Directories are wiped, chunks flipped, truncated and removed, catalogs removed and overwritten: every
 * file reads right all the time, and the ring brings back what was lost.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { chunkName } from "../../../src/protocol/names.ts";
import { type FaultRing, faultRing, type Pace, readSum, steps } from "../fault_ring.ts";
import { askText } from "../live_ring.ts";
import { waitUntil } from "../program.ts";
import { removeCatalog } from "../ring_disk.ts";

/** A file of so many bytes has parts of one block and some. */
const partBytes = 300_000;

/** Declares the test, quick or with all that takes minutes. */
export function damagedDiskTest({ isLong }: Pace): void {
  Deno.test("what a disk loses is served from the other copy and brought back", async (t) => {
    await using ring = await faultRing(5, { isLong, waitTimeMs: 300 });
    for (const port of ring.ports) await ring.push(port, `kept-${port}`, 5 * partBytes);

    await t.step({
      name: "a directory wiped while its node is down, then its neighbour's",
      ...steps,
      fn: async () => {
        for (const victim of isLong ? ring.ports : [ring.port(1), ring.port(2)]) {
          await ring.kill(victim);
          await ring.wipe(victim);
          await ring.check(ring.ports.filter((port) => port !== victim));
          await ring.settle();
        }
      },
    });

    await t.step({
      name: "a directory wiped under its running node, then its neighbour's",
      ...steps,
      fn: async () => {
        for (const victim of isLong ? ring.ports : [ring.port(3), ring.port(4)]) {
          await ring.wipe(victim);
          await ring.check();
          await ring.settle();
        }
      },
    });

    for (const damage of ["flipped", "truncated", "removed"] as const) {
      await t.step({
        name: `a chunk ${damage}: pulls are right, the copy comes back, and it is counted`,
        ...steps,
        fn: async () => {
          for (const place of ["content", "backup"] as const) await damageOne(ring, damage, place);
        },
      });
    }

    await t.step({
      name: "NODE SCRUB finds damage that nobody has read, and counts it",
      ...steps,
      fn: async () => {
        const [one, other] = [ring.port(0), ring.port(2)];
        await damageChunk(chunkAt(ring, { port: one, file: 1, place: "backup" }), "flipped");
        await damageChunk(chunkAt(ring, { port: other, file: 4, place: "content" }), "truncated");
        // 5 files of 5 parts, each of these twice.
        assertEquals(await askText(ring.port(3), "NODE SCRUB\n"), scrubbed(50, 2, 0));
        await ring.settle();
        assertEquals(await askText(ring.port(3), "NODE SCRUB\n"), scrubbed(50, 0, 0));
      },
    });

    await t.step({
      name: "catalogs removed, emptied and overwritten while their nodes are down",
      ...steps,
      fn: async () => {
        const breaks = [removeCatalog, (directory: string) => writeCatalog(directory, 0)];
        breaks.push((directory) => writeCatalog(directory, 50_000));
        for (const [index, breakCatalog] of breaks.entries()) {
          const victim = ring.port(index);
          await ring.kill(victim);
          await breakCatalog(ring.directory(victim));
          await ring.settle();
        }
      },
    });

    await t.step({
      name: "both copies of a part lost: the pull fails visibly, NODE SCRUB counts, a push mends",
      ...steps,
      fn: async () => {
        const name = `kept-${ring.port(0)}`;
        // Part 2 is on the next node, and its backup on the first.
        await Deno.remove(chunkAt(ring, { port: ring.port(1), file: 0, place: "content" }));
        await Deno.remove(chunkAt(ring, { port: ring.port(0), file: 0, place: "backup" }));
        await assertRejects(() => readSum(ring.port(3), name), Error, "ERR ");
        assertMatch(
          await askText(ring.port(0), `FILE STAT ${name}\n`),
          /^part 2: \S+ missing, \S+ missing$/m,
        );
        assertMatch(
          await askText(ring.port(3), "NODE SCRUB\n"),
          /^checked: 48\nrepaired: 0\nlost: 2\nOK\n$/,
        );
        await ring.push(ring.port(4), name, 5 * partBytes);
        await ring.settle();
      },
    });
  });
}

type Damage = "flipped" | "truncated" | "removed";

/** A chunk by the node that keeps it, the place there, and the coordinator of its file. */
interface ChunkPlace {
  readonly port: number;
  /** Which node took the file. */
  readonly file: number;
  readonly place: "content" | "backup";
}

function chunkAt(ring: FaultRing, { port, file, place }: ChunkPlace): string {
  const distance = (ring.ports.indexOf(port) - file + 5) % 5;
  const part = place === "content" ? distance : (distance + 1) % 5;
  return `${ring.directory(port)}/${place}/${chunkName(`kept-${ring.port(file)}`, part, 5)}`;
}

async function damageChunk(path: string, damage: Damage): Promise<void> {
  if (damage === "removed") return await Deno.remove(path);
  if (damage === "truncated") return await Deno.truncate(path, partBytes - 7);
  const bytes = await Deno.readFile(path);
  assertEquals(bytes.length, partBytes);
  // In the second block of it.
  bytes[280_000]! ^= 1;
  await Deno.writeFile(path, bytes);
}

/** Damages a chunk of its own for each place, pulls its file, and waits for the repair. */
async function damageOne(
  ring: FaultRing,
  damage: Damage,
  place: "content" | "backup",
): Promise<void> {
  const [victim, file] = place === "content" ? [ring.port(2), 0] : [ring.port(4), 3];
  const path = chunkAt(ring, { port: victim, file, place });
  const before = await Deno.readFile(path);
  const repaired = await ring.count(victim, "repaired");
  await damageChunk(path, damage);
  // A backup is read by the node that has it.
  await ring.check([victim]);
  await ring.check();
  await waitUntil("the repair is counted", 15_000, async () => {
    return await ring.count(victim, "repaired") > repaired;
  });
  await ring.settle();
  assertEquals(await Deno.readFile(path), before);
  const log = await Deno.readTextFile(`${ring.directory(victim)}/node.log`);
  assert(log.includes("repaired"), "the log tells of the repair");
  if (damage !== "removed") assert(log.includes("file quarantined"), "and of the quarantine");
}

function scrubbed(checked: number, repaired: number, lost: number): string {
  return `checked: ${checked}\nrepaired: ${repaired}\nlost: ${lost}\nOK\n`;
}

/** Puts so many bytes of nonsense in the place of the catalog. */
async function writeCatalog(directory: string, bytes: number): Promise<void> {
  await removeCatalog(directory);
  await Deno.writeFile(`${directory}/catalog.db`, new Uint8Array(bytes).fill(42));
}
