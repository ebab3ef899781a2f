/**
 * The ways on which the parts of a file come to their nodes: whichever it is, the files on the disks are
 * the same, and small files keep to fewer nodes where that is asked for.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { liveRing } from "../support/live_ring.ts";
import { randomBytes } from "../support/real_file.ts";
import { chunksOf, stagedFiles, storedChunks } from "../support/ring_disk.ts";
import { pull, push } from "../support/wire_client.ts";

const sizes = [0, 3, 1_024, 300_001, 1_048_576, 1_048_577, 3_500_001];

for (const route of ["direct", "relay"]) {
  for (const copies of [2, 3]) {
    Deno.test(`--placement ${route} puts ${copies} copies where they belong`, async () => {
      const args = [`--placement=${route}`, `--copies=${copies}`];
      await using ring = await liveRing(4, { args, gateway: false });
      const files = sizes.map((size, i) => ({
        name: `${size}.bin`,
        bytes: randomBytes(size),
        start: ring.port(i % 4),
      }));
      await Promise.all(files.map(({ start, name, bytes }) => push(start, name, bytes)));
      assertEquals(
        await storedChunks(ring.dataDir, ring.ports),
        chunksOf(ring.ports, files, { copies }),
      );
      for (const { name, bytes } of files) assertEquals(await pull(ring.port(3), name), bytes);
      for (const port of ring.ports) assertEquals(await stagedFiles(ring.dataDir, port), []);
    });
  }
}

Deno.test("--min-part-bytes keeps small files on few nodes, each part twice", async () => {
  await using ring = await liveRing(4, { args: ["--min-part-bytes=65536"], gateway: false });
  const files = [[0, 1], [65_535, 1], [131_072, 2], [300_000, 4], [9_000_000, 4]].map(
    ([size = 0, parts = 0], i) => {
      return { name: `${size}.bin`, bytes: randomBytes(size), start: ring.port(i % 4), parts };
    },
  );
  for (const { start, name, bytes } of files) await push(start, name, bytes);
  assertEquals(await storedChunks(ring.dataDir, ring.ports), chunksOf(ring.ports, files));
  for (const { name, bytes } of files) assertEquals(await pull(ring.port(2), name), bytes);
});
