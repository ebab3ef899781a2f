import { assertEquals } from "@std/assert";
import { type LiveRing, sha256 } from "./live_ring.ts";
import { randomBytes } from "./real_file.ts";
import {
  chunksOf,
  missingChunks,
  type PlacedFile,
  stagedFiles,
  storedChunks,
} from "./ring_disk.ts";
import { download, list, listOf, pull, push } from "./wire_client.ts";

/** A file that something could go wrong with. */
export interface FileShape {
  readonly name: string;
  readonly size: number;
}

const blockBytes = 262_144;

/** Sizes where something could go wrong by one, and names where quoting or decoding could. */
export const fileShapes: readonly FileShape[] = [
  { name: "empty", size: 0 },
  // The first of these two comes first in UTF-8, and last in UTF-16.
  { name: "～.txt", size: 1 },
  { name: "🐍 grüße 日本語.txt", size: 2 },
  { name: `"quoted", 'twice'.csv`, size: 4 },
  { name: "  spaces  around  ", size: 5 },
  { name: "-n --help $(id) `id` *.ts", size: 4_095 },
  { name: "a.txt.part-001-of-005", size: blockBytes - 1 },
  { name: "ö".repeat(98) + ".tar", size: blockBytes },
  { name: "%2e%2e%2f+&?#=.html", size: blockBytes + 1 },
  { name: "Zebra", size: 5 * blockBytes + 3 },
  { name: "zebra.iso", size: 20 * 1024 * 1024 },
];

/** Pushes a file of every shape, each through the next port, and looks at it through all of them. */
export async function assertKeeps(ring: LiveRing, chosen: readonly FileShape[]): Promise<void> {
  const doors = [...ring.ports, ring.gatewayPort];
  const files: PlacedFile[] = [];
  for (const [index, { name, size }] of chosen.entries()) {
    const door = doors[index % doors.length]!;
    const bytes = randomBytes(size);
    // The gateway takes the first node.
    const file = { name, bytes, start: door === ring.gatewayPort ? ring.port(0) : door };
    const chunks = chunksOf(ring.ports, [file]);
    assertEquals(await push(door, name, bytes), answerOf(ring, name, size));
    // Repair would soon bring what was not stored: acknowledged means that it is there.
    assertEquals(await missingChunks(ring.dataDir, chunks), []);
    files.push(file);
  }
  const listed = listOf(files.map((file) => ({ ...file, size: file.bytes.length })));
  for (const door of doors) {
    assertEquals(await list(door), listed, `the list of ${door}`);
    for (const { name, bytes } of files) {
      const pulled = await pull(door, name);
      assertEquals(sha256(pulled), sha256(bytes), `'${name}' pulled from ${door}`);
      const got = await download(door, name);
      assertEquals(got, { bytes: bytes.length, sha256: sha256(bytes) }, `'${name}' got at ${door}`);
    }
  }
  assertEquals(await storedChunks(ring.dataDir, ring.ports), chunksOf(ring.ports, files));
  for (const port of ring.ports) assertEquals(await stagedFiles(ring.dataDir, port), []);
}

/** What the original answers to a push. */
function answerOf(ring: LiveRing, name: string, size: number): string {
  const nodes = ring.ports.length;
  const what = nodes === 1
    ? `'${name}' stored locally`
    : `split into ${nodes} chunks and distributed`;
  return `FILE ${size} bytes ${what}\nOK\n`;
}
