/**
 * `--copies`: how many disks may be lost at once, neighbours' included.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { faultRing, type Pace, steps } from "../fault_ring.ts";
import { askText } from "../live_ring.ts";

/** Declares the tests, quick or with all that takes minutes. */
export function copiesTest({ isLong }: Pace): void {
  Deno.test("--copies 3 survives two neighbours' disks lost at once", async (t) => {
    await using ring = await faultRing(5, { isLong, waitTimeMs: 300, args: ["--copies=3"] });
    for (const port of ring.ports) {
      await ring.push(port, `small-${port}`, 1_000);
      await ring.push(port, `large-${port}`, 1_500_000);
    }

    await t.step({
      name: "FILE STAT tells three copies, on a holder and the two nodes before it",
      ...steps,
      fn: async () => {
        const at = (place: number) => `127.0.0.1:${ring.port(place % 5)} ok`;
        const stat = await askText(ring.port(0), `FILE STAT small-${ring.port(2)}\n`);
        for (let part = 0; part < 5; part++) {
          const line = `part ${part + 1}: ${at(part + 2)}, ${at(part + 6)}, ${at(part + 5)}\n`;
          assertEquals(stat.includes(line), true, `${line} in ${stat}`);
        }
      },
    });

    for (const first of isLong ? [0, 1, 2, 3, 4] : [4]) {
      const pair = [ring.port(first), ring.port((first + 1) % 5)];
      await t.step({
        name: `the disks of nodes ${first} and ${(first + 1) % 5}`,
        ...steps,
        fn: async () => {
          await ring.kill(...pair);
          for (const port of pair) await ring.wipe(port);
          await ring.check(ring.ports.filter((port) => !pair.includes(port)));
          await ring.settle();
        },
      });
    }

    await t.step({
      name: "pushes go on while two nodes are away, with three copies",
      ...steps,
      fn: async () => {
        const mend = await Promise.all(
          [ring.port(2), ring.port(3)].map((port) => ring.breakDirectory(port)),
        );
        await ring.push(ring.port(0), "made meanwhile", 300_000);
        const stat = await askText(ring.port(1), "FILE STAT made meanwhile\n");
        assertMatch(stat, /^parts: 3\npart 1: \S+ ok, \S+ ok, \S+ ok$/m);
        for (const undo of mend) await undo();
        await ring.settle();
      },
    });
  });

  if (!isLong) return;
  Deno.test("--copies 4 survives three neighbours' disks lost at once", async () => {
    const nodes = 5;
    await using ring = await faultRing(nodes, { isLong, waitTimeMs: 300, args: ["--copies=4"] });
    for (const port of ring.ports) {
      await ring.push(port, `small-${port}`, 4);
      await ring.push(port, `large-${port}`, 1_100_000);
    }
    for (const first of ring.ports.keys()) {
      const lost = [0, 1, 2].map((step) => ring.port((first + step) % nodes));
      await ring.kill(...lost);
      for (const port of lost) await ring.wipe(port);
      await ring.check(ring.ports.filter((port) => !lost.includes(port)));
      await ring.settle();
      const stat = await askText(ring.port(first), `FILE STAT small-${ring.port(1)}\n`);
      const parts = [...stat.matchAll(/^part [0-9]: (.*)$/gm)].map(([, copies = ""]) => copies);
      const copiesOf = (part: number) =>
        [0, 1, 2, 3].map((copy) => `127.0.0.1:${ring.port((1 + part + nodes - copy) % nodes)} ok`);
      assertEquals(parts, [0, 1, 2, 3, 4].map((part) => copiesOf(part).join(", ")));
    }
  });
}
