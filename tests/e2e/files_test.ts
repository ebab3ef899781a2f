/**
 * Real files in real rings: what is pushed through any node is listed and pulled through every other,
 * byte for byte, and its chunks lie on the disks as PROTOCOL.md says.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ask, type LiveRing, liveRing, sha256 } from "../support/live_ring.ts";
import { randomBytes } from "../support/real_file.ts";
import {
  chunksOf,
  missingChunks,
  type PlacedFile,
  stagedFiles,
  storedChunks,
} from "../support/ring_disk.ts";
import { download, list, listOf, pull, push } from "../support/wire_client.ts";

const blockBytes = 262_144;

/** Sizes where something could go wrong by one, and names where quoting or decoding could. */
const shapes: readonly { readonly name: string; readonly size: number }[] = [
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
async function assertKeeps(ring: LiveRing, chosen: typeof shapes): Promise<void> {
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

Deno.test("a ring of 1 keeps files of every shape", async () => {
  await using ring = await liveRing(1);
  await assertKeeps(ring, shapes);
});

Deno.test("a ring of 2 keeps files of every shape", async () => {
  await using ring = await liveRing(2);
  await assertKeeps(ring, shapes);
});

Deno.test("a ring of 5 keeps files of every shape", async () => {
  await using ring = await liveRing(5);
  await assertKeeps(ring, shapes);
});

Deno.test("a ring of 20 keeps files, those with fewer bytes than it has nodes too", async () => {
  await using ring = await liveRing(20);
  await assertKeeps(ring, shapes.filter(({ size }) => [1, 5, 5 * blockBytes + 3].includes(size)));
  const [, seconds = ""] = /ready \(([0-9.]+) s\)/.exec(ring.supervisor.stdout) ?? [];
  console.log(`A ring of 20 was ready in ${seconds} s; 8 s are its bound on a machine at rest.`);
  assert(Number(seconds) < 40, `ready in ${seconds} s`);
});

Deno.test("a ring keeps what it has acknowledged, and nothing else", async (t) => {
  await using ring = await liveRing(3, { args: ["--file-size=100000"] });

  await t.step("a push that is refused, or whose client goes away, leaves nothing", async () => {
    const refused = push(ring.port(1), "large.bin", randomBytes(100_001));
    await assertRejects(() => refused, Error, "ERR File size is too large (100001 > 100000)");
    const named = push(ring.port(1), "n".repeat(201), randomBytes(3));
    await assertRejects(() => named, Error, "ERR file name too long (201 > 200 bytes)");
    const short = await ask(ring.port(0), "FILE PUSH 900 short.bin\nnot so many");
    assertMatch(new TextDecoder().decode(short), /^ERR [^\n]+\n$/);
    for (const port of ring.ports) {
      assertEquals(await list(port), listOf([]));
      assertEquals(new TextDecoder().decode(await pull(port, "short.bin")), "ERR file not found\n");
      assertEquals(await stagedFiles(ring.dataDir, port), []);
    }
    assertEquals(await storedChunks(ring.dataDir, ring.ports), new Map());
  });

  await t.step("a push of a name that is there replaces the file everywhere at once", async () => {
    const newer = { name: "a.txt", bytes: randomBytes(70_000), start: ring.port(2) };
    await push(ring.port(0), newer.name, randomBytes(100_000));
    await push(newer.start, newer.name, newer.bytes);
    for (const port of [...ring.ports, ring.gatewayPort]) {
      assertEquals(await list(port), listOf([{ ...newer, size: newer.bytes.length }]));
      assertEquals(sha256(await pull(port, newer.name)), sha256(newer.bytes));
    }
    assertEquals(await storedChunks(ring.dataDir, ring.ports), chunksOf(ring.ports, [newer]));
  });
});

/** What the original answers to a push. */
function answerOf(ring: LiveRing, name: string, size: number): string {
  const nodes = ring.ports.length;
  const what = nodes === 1
    ? `'${name}' stored locally`
    : `split into ${nodes} chunks and distributed`;
  return `FILE ${size} bytes ${what}\nOK\n`;
}
