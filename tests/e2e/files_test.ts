/**
 * Real files in real rings: what is pushed through any node is listed and pulled through every other,
 * byte for byte, and its chunks lie on the disks as PROTOCOL.md says.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { assertKeeps, fileShapes } from "../support/file_shapes.ts";
import { ask, liveRing, sha256 } from "../support/live_ring.ts";
import { randomBytes } from "../support/real_file.ts";
import { chunksOf, stagedFiles, storedChunks } from "../support/ring_disk.ts";
import { list, listOf, pull, push } from "../support/wire_client.ts";

/** Files that take several reads of everybody; larger ones are for the ring that has most nodes. */
const middleBytesMax = 2_000_000;
const shapes = fileShapes.filter(({ size }) => size < middleBytesMax);

Deno.test("a ring of 1 keeps files of every shape", async () => {
  await using ring = await liveRing(1);
  await assertKeeps(ring, shapes);
});

Deno.test("a ring of 2 keeps files of every shape", async () => {
  await using ring = await liveRing(2);
  await assertKeeps(ring, shapes);
});

Deno.test("a ring of 5 is ready soon, and keeps files of every shape", async () => {
  const startMs = performance.now();
  await using ring = await liveRing(5);
  const tookMs = Math.round(performance.now() - startMs);
  console.log(`A ring of 5 was ready after ${tookMs} ms; 2000 are its bound.`);
  assert(tookMs < 10_000, `${tookMs} ms`);
  await assertKeeps(ring, fileShapes);
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
