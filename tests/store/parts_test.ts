import { assert, assertEquals, assertRejects } from "@std/assert";
import { blockBytes } from "../../src/protocol/limits.ts";
import {
  BlockChecksums,
  blockCount,
  blockLength,
  isBlockIntact,
} from "../../src/store/block_checksums.ts";
import { DiskFullError, formatBytes, storeError } from "../../src/store/errors.ts";
import { freeBytes } from "../../src/store/free_space.ts";
import { formatKey, parseKey, StorePaths } from "../../src/store/paths.ts";
import { GroupSync, writeFileDurably } from "../../src/store/sync.ts";

Deno.test("BlockChecksums are the same however the bytes arrive", () => {
  const bytes = new Uint8Array(blockBytes * 2 + 1).map((_, i) => (i * 7) ^ (i >> 18));
  const checksums = [1 << 30, blockBytes, 100_003, blockBytes + 1].map((step) => {
    const sums = new BlockChecksums();
    for (let at = 0; at < bytes.length; at += step) sums.update(bytes.subarray(at, at + step));
    return sums.finish();
  });
  assertEquals(new Set(checksums).size, 1);
  const [sums = ""] = checksums;
  assertEquals(sums.length, 3 * 8);
  assert(isBlockIntact(bytes.subarray(blockBytes, 2 * blockBytes), sums, 1));
  assert(isBlockIntact(bytes.subarray(2 * blockBytes), sums, 2));
  assert(!isBlockIntact(bytes.subarray(0, blockBytes), sums, 1));
  assert(!isBlockIntact(bytes.subarray(0, blockBytes - 1), sums, 0));
  assert(!isBlockIntact(new Uint8Array(), sums, 3));
});

Deno.test("BlockChecksums of known bytes are CRC-32", () => {
  const sums = new BlockChecksums();
  sums.update(new TextEncoder().encode("123456789"));
  assertEquals(sums.finish(), "cbf43926");
  assertEquals(new BlockChecksums().finish(), "");
});

Deno.test("blockCount() and blockLength() cover a chunk", () => {
  for (const length of [0, 1, blockBytes - 1, blockBytes, blockBytes + 1, 5 * blockBytes]) {
    let sum = 0;
    for (let i = 0; i < blockCount(length); i++) sum += blockLength(length, i);
    assertEquals(sum, length);
    assertEquals(blockLength(length, blockCount(length)), 0);
  }
});

Deno.test("parseKey() is the inverse of formatKey() and takes nothing else", () => {
  for (const key of [{ pushId: "01J9Z", part: 0 }, { pushId: "foreign-a_b", part: 9999 }]) {
    assertEquals(parseKey(formatKey(key)), key);
  }
  const others = [
    "",
    "a",
    "a.",
    ".1",
    "a.01",
    "a.1.2",
    "a.-1",
    "a.1.tmp",
    "../a.1",
    "a.10000",
    "a.1 ",
  ];
  for (const text of others) assertEquals(parseKey(text), undefined, text);
});

Deno.test("StorePaths gives each place its file", () => {
  const paths = new StorePaths("nodes/7000");
  const chunk = { pushId: "p", part: 1, name: "a.txt", parts: 5, copy: 0 };
  assertEquals(paths.file("staging", chunk), "nodes/7000/staging/p.1");
  assertEquals(paths.file("retired", chunk), "nodes/7000/retired/p.1");
  assertEquals(paths.file("placed", chunk), "nodes/7000/content/a.txt.part-002-of-005");
  assertEquals(
    paths.file("placed", { ...chunk, copy: 2 }),
    "nodes/7000/backup/a.txt.part-002-of-005",
  );
});

Deno.test("GroupSync lets those who come during a sync share the next one", async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  let running = 0;
  const group = new GroupSync(async () => {
    assertEquals(++running, 1);
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise.finally(() => running--);
  });
  const first = group.wait();
  const second = group.wait();
  const third = group.wait();
  assertEquals(gates.length, 1);
  gates[0]?.resolve();
  await first;
  await Promise.resolve();
  assertEquals(gates.length, 2);
  const fourth = group.wait();
  gates[1]?.reject(new Error("the disk fails"));
  await assertRejects(() => second, Error, "the disk fails");
  await assertRejects(() => third, Error, "the disk fails");
  while (gates.length < 3) await Promise.resolve();
  gates[2]?.resolve();
  await fourth;
});

Deno.test("writeFileDurably() leaves the text and nothing else", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await writeFileDurably(`${directory}/x`, "one");
    await writeFileDurably(`${directory}/x`, "two");
    assertEquals(await Deno.readTextFile(`${directory}/x`), "two");
    assertEquals((await Array.fromAsync(Deno.readDir(directory))).length, 1);
    assert((freeBytes(`${directory}/not/there/yet`) ?? 0) > 0);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("errors say what a user can act on, and no path", async () => {
  const full = new DiskFullError("'a.txt'", { freeBytes: 12 << 20, neededBytes: 40 << 20 });
  assertEquals(
    full.message,
    "Cannot store 'a.txt' as the disk is full: 12 MiB free, 40 MiB needed",
  );
  assertEquals(
    new DiskFullError("'a'", { freeBytes: undefined, neededBytes: 1 }).message,
    "Cannot store 'a' as the disk is full: 1 bytes needed",
  );
  const cause = await Deno.open("/not/there").catch((error) => error);
  const error = storeError("store 'a.txt'", cause);
  assertEquals(error.message, "Cannot store 'a.txt': the directory of the node is gone");
  assertEquals(error.cause, cause);
  assertEquals(storeError("x", full), full);
  assertEquals(
    [0, 1023, 1024, 1536, 10 << 20, 3 * 2 ** 30].map(formatBytes),
    ["0 bytes", "1023 bytes", "1 KiB", "1.5 KiB", "10 MiB", "3 GiB"],
  );
});
