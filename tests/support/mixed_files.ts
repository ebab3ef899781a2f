/**
 * What has to be so of files in a ring that mixes our nodes and originals.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { askText, sha256 } from "./live_ring.ts";
import type { MixedRing } from "./mixed_ring.ts";
import { waitUntil } from "./program.ts";
import { randomBytes } from "./real_file.ts";
import { type PlacedFile, stagedFiles } from "./ring_disk.ts";
import { listOf, netmapOf, pull, push } from "./wire_client.ts";

/** Empty, smaller than any ring, as small as one, and some that take several reads. */
const sizes = [0, 1, 2, 3, 4, 5, 1_000, 262_145, 1_500_001];

/** How long a mixed ring may take to agree, in ms: its backups and lists are best effort. */
export const agreeMs = 8_000;

/** Pushes a file of each size through each node. */
export async function pushEverywhere(ring: MixedRing): Promise<PlacedFile[]> {
  const files: PlacedFile[] = [];
  for (const start of ring.ports) {
    for (const size of sizes) {
      const file = { name: `${size} from ${start}`, bytes: randomBytes(size), start };
      await push(start, file.name, file.bytes);
      files.push(file);
    }
  }
  return files;
}

/** Waits until a node lists these files, and only these. */
export async function assertLists(port: number, files: readonly PlacedFile[]): Promise<void> {
  const expected = listOf(files.map((file) => ({ ...file, size: file.bytes.length })));
  let listed = "";
  try {
    await waitUntil("the lists agree", agreeMs, async () => {
      listed = await askText(port, "FILE LIST\n");
      return listed === expected;
    });
  } catch {
    assertEquals(listed, expected, `the list of ${port}`);
  }
}

/** Pulls files through a node, and compares them. */
export async function assertPulls(port: number, files: readonly PlacedFile[]): Promise<void> {
  for (const { name, bytes } of files) {
    const pulled = await pull(port, name);
    assertEquals(pulled.length, bytes.length, `the length of '${name}' pulled from ${port}`);
    assertEquals(sha256(pulled), sha256(bytes), `'${name}' pulled from ${port}`);
  }
}

/** Waits until every chunk lies where both programs look for it; says which do not. */
export async function assertStores(ring: MixedRing, files: readonly PlacedFile[]): Promise<void> {
  const expected = ring.chunksOf(files);
  let wrong: string[] = [];
  try {
    await waitUntil("every chunk is in its places", agreeMs, async () => {
      const stored = await ring.storedChunks();
      wrong = [...new Set([...expected.keys(), ...stored.keys()])].flatMap((path) => {
        if (stored.get(path) === expected.get(path)) return [];
        if (!stored.has(path) && ring.mayLack(path, files)) return [];
        return `${
          expected.has(path) ? stored.has(path) ? "other bytes" : "missing" : "why"
        }: ${path}`;
      });
      return wrong.length === 0;
    });
  } catch {
    assertEquals(wrong.toSorted(), [], `the chunks of ${ring.ports}`);
  }
}

/** Files go in through any node and come out of any other, and lie where both programs look for them. */
export async function assertShares(ring: MixedRing): Promise<void> {
  const files = await pushEverywhere(ring);
  for (const port of ring.ports) {
    await assertLists(port, files);
    await assertPulls(port, files);
  }
  await assertStores(ring, files);
  for (const { port } of ring.ours.nodes) {
    assertEquals(await stagedFiles(ring.ours.dataDir, port), []);
  }
  for (const original of ring.originals) assertEquals(original.takenForDead, []);
  assertEquals(await askText(ring.ports[0] ?? 0, "NETMAP GET\n"), netmapOf(ring.ports));
}
