import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { blockBytes } from "../../src/protocol/limits.ts";
import { DamagedChunkError } from "../../src/store/errors.ts";
import {
  address,
  bytesOf,
  ownParts,
  readChunk,
  self,
  stageOwn,
  stagePart,
  StoreFixture,
  type TestPush,
  testPush,
  tombstone,
  ulid,
} from "../support/store_fixture.ts";

const first = testPush("a.txt", "push-1", bytesOf("first version. "));
const second = testPush("a.txt", "push-2", bytesOf("the second version is longer. "));

Deno.test("ChunkStore.stage() keeps bytes under their push id until the record comes", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await stageOwn(store, first);
  assertEquals(fixture.files("staging"), ["push-1.0", "push-1.1"]);
  assertEquals(store.stagedPushes(), [{
    pushId: "push-1",
    name: "a.txt",
    coordinator: self,
    incarnation: "incarnation-1",
    timeMs: 1_000_000,
    bytes: 10,
  }]);
  assertEquals(store.stagingBytes(), 10);
  assertEquals(await readChunk(store, "push-1", 1), first.parts[1]);
  assertEquals(await store.commit(first.record(1)), {
    outcome: "stored",
    missing: [],
    unverified: [],
  });
  assertEquals(fixture.files("staging"), []);
  assertEquals(await Deno.readFile(fixture.slot(first, 0)), first.parts[0]);
  assertEquals(await Deno.readFile(fixture.slot(first, 1)), first.parts[1]);
  assertEquals(await readChunk(store, "push-1", 0), first.parts[0]);
  assertEquals(store.catalog.record("a.txt"), first.record(1));
  assertEquals(store.stagedPushes(), []);
});

Deno.test("ChunkStore.commit() twice is a commit once", async () => {
  await using fixture = await StoreFixture.open();
  await stageOwn(fixture.store, first);
  const digest = fixture.store.catalog.digest.root();
  const results = await Promise.all([
    fixture.store.commit(first.record(1)),
    fixture.store.commit(first.record(1)),
  ]);
  assertEquals(results.map(({ outcome }) => outcome), ["stored", "same"]);
  assertEquals((await fixture.store.commit(first.record(1))).outcome, "same");
  assert(digest !== fixture.store.catalog.digest.root());
  assertEquals(fixture.files("content").length, 1);
});

Deno.test("ChunkStore.commit() of a lower version changes nothing", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await stageOwn(store, first);
  await stageOwn(store, second);
  await store.commit(second.record(2));
  const root = store.catalog.digest.root();
  assertEquals(await store.commit(first.record(1)), { outcome: "higher", version: ulid(2) });
  assertEquals(store.catalog.digest.root(), root);
  assertEquals(await readChunk(store, "push-2", 0), second.parts[0]);
  assertEquals(await readChunk(store, "push-1", 0), first.parts[0]);
  assertEquals(fixture.files("staging"), ["push-1.0", "push-1.1"]);
});

Deno.test("ChunkStore.commit() says which parts it lacks", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await stagePart(store, first, 1, 1);
  assertEquals(await store.commit(first.record(1)), {
    outcome: "stored",
    missing: [0],
    unverified: [],
  });
  assertEquals(await store.missing(first.record(1)), [0]);
  await stagePart(store, first, 0, 0);
  assertEquals(await store.commit(first.record(1)), {
    outcome: "same",
    missing: [],
    unverified: [],
  });
  assertEquals(await store.missing(first.record(1)), []);
  assertEquals(await Deno.readFile(fixture.slot(first, 0)), first.parts[0]);
});

Deno.test("ChunkStore.commit() puts what is not as its record says into quarantine", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  const other = testPush("a.txt", "push-1", bytesOf("FIRST version. "));
  await stageOwn(store, other);
  const result = await store.commit(first.record(1));
  assert(result.outcome === "stored");
  assertEquals(result.missing, [0]);
  assertEquals(fixture.files("quarantine"), ["push-1.0"]);
  assertEquals(fixture.lost.map(({ part }) => part), [0]);
});

Deno.test("ChunkStore: of two racing pushes the last committed one is read, also when it comes back", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await stageOwn(store, first);
  await stageOwn(store, second);
  await store.commit(first.record(1));
  await store.commit(second.record(2));
  assertEquals(await Deno.readFile(fixture.slot(first, 0)), second.parts[0]);
  assertEquals(fixture.files("retired"), ["push-1.0", "push-1.1"]);
  assertEquals(await readChunk(store, "push-1", 0), first.parts[0]);
  assertEquals((await store.commit(first.record(3))).outcome, "stored");
  assertEquals(await Deno.readFile(fixture.slot(first, 0)), first.parts[0]);
  assertEquals(await Deno.readFile(fixture.slot(first, 1)), first.parts[1]);
  assertEquals(fixture.files("retired"), ["push-2.0", "push-2.1"]);
  assertEquals(await readChunk(store, "push-2", 1), second.parts[1]);
});

Deno.test("ChunkStore: commits of one name that overlap end in the highest", async () => {
  for (const order of [[1, 2, 3], [3, 1, 2], [2, 3, 1]]) {
    await using fixture = await StoreFixture.open({ durability: "fsync" });
    const { store } = fixture;
    await stageOwn(store, first);
    await stageOwn(store, second);
    const records = [first.record(1), second.record(2), first.record(3)];
    await Promise.all(
      order.map((version) => store.commit(records[version - 1] ?? first.record(0))),
    );
    assertEquals(await Deno.readFile(fixture.slot(first, 0)), first.parts[0], `order ${order}`);
    assertEquals(await Deno.readFile(fixture.slot(first, 1)), first.parts[1], `order ${order}`);
    assertEquals(await readChunk(store, "push-2", 0), second.parts[0]);
  }
});

Deno.test("ChunkStore.commit() of a tombstone retires the chunks", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await stageOwn(store, first);
  await store.commit(first.record(1));
  assertEquals((await store.commit(tombstone("a.txt", 2))).outcome, "stored");
  assertEquals(fixture.files("content"), []);
  assertEquals(fixture.files("retired"), ["push-1.0", "push-1.1"]);
  assertEquals(store.catalog.list("", 10), []);
  assertEquals((await store.commit(first.record(1))).outcome, "higher");
});

Deno.test("ChunkStore.collect() deletes what was retired long enough ago and nobody reads", async () => {
  await using fixture = await StoreFixture.open();
  const { store, clock } = fixture;
  await stageOwn(store, first);
  await stageOwn(store, second);
  await store.commit(first.record(1));
  await store.commit(second.record(2));
  await clock.advance(59_999);
  assertEquals(await store.collect(), 0);
  const reader = await store.open("push-1", 0);
  await clock.advance(1);
  assertEquals(await store.collect(), 1);
  assertEquals(fixture.files("retired"), ["push-1.0"]);
  const buffer = new Uint8Array(5);
  assertEquals(await reader?.readBlock(0, buffer), 5);
  assertEquals(buffer, first.parts[0]);
  reader?.close();
  assertEquals(await store.collect(), 1);
  assertEquals(fixture.files("retired"), []);
  assertEquals(await store.open("push-1", 0), undefined);
  assertEquals(await readChunk(store, "push-2", 0), second.parts[0]);
});

Deno.test("ChunkStore.collect() counts the grace from the last time a chunk was retired", async () => {
  await using fixture = await StoreFixture.open();
  const { store, clock } = fixture;
  await stageOwn(store, first);
  await store.commit(first.record(1));
  await store.commit(tombstone("a.txt", 2));
  await clock.advance(50_000);
  await store.commit(first.record(3));
  await store.commit(tombstone("a.txt", 4));
  await clock.advance(50_000);
  assertEquals(await store.collect(), 0);
  await fixture.reopen();
  await clock.advance(59_999);
  assertEquals(await fixture.store.collect(), 0);
  await clock.advance(1);
  assertEquals(await fixture.store.collect(), 2);
});

Deno.test("ChunkStore.abort() drops what is staged, and what still arrives", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await stagePart(store, first, 0, 0);
  const chunk = { ...first, parts: 3, part: 1, copy: 1, length: 5 };
  await using writer = store.stage(chunk);
  await writer.write(bytesOf("ab"));
  assertEquals(store.stagingBytes(), 10);
  assertEquals(await store.abort("push-1"), true);
  assertEquals(fixture.files("staging"), []);
  assertEquals(store.stagingBytes(), 0);
  await assertRejects(() => writer.write(bytesOf("cde")), Error, "was given up");
  await assertRejects(() => stagePart(store, first, 0, 0), Error, "was aborted");
  assertEquals(await store.abort("push-1"), true);
});

Deno.test("ChunkStore.abort() leaves a committed push alone", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await stagePart(store, first, 0, 0);
  await store.commit(first.record(1));
  await stagePart(store, first, 1, 1);
  assertEquals(await store.abort("push-1"), false);
  assertEquals(await store.missing(first.record(1)), []);
});

Deno.test("ChunkStore: a record clears the abort of its push", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await store.abort("push-1");
  await store.commit(first.record(1));
  await stageOwn(store, first);
  assertEquals(await store.missing(first.record(1)), []);
});

Deno.test("StagingWriter takes bytes in any pieces, and no others than announced", async () => {
  await using fixture = await StoreFixture.open({ durability: "fsync" });
  const { store } = fixture;
  const bytes = bytesOf("0123456789", 600_000);
  const push = testPush("big", "push-big", bytesOf("0123456789", 1_800_000));
  const chunk = { name: "big", pushId: "push-big", parts: 3, part: 0, copy: 0, length: 600_000 };
  {
    await using writer = store.stage(chunk);
    let step = 1;
    for (let at = 0; at < bytes.length;) {
      await writer.write(bytes.subarray(at, at + step));
      at += step;
      step = step * 3 + 1;
    }
    assertEquals(await writer.finish(), push.record(1).placement[0]?.checksums);
  }
  assertEquals(await readChunk(store, "push-big", 0), bytes);
  await assertRejects(() => store.stageAll([{ chunk, bytes: bytes.subarray(1) }]), RangeError);
  {
    await using writer = store.stage({ ...chunk, part: 1 });
    await assertRejects(() => writer.write(new Uint8Array(600_001)), RangeError, "More than");
  }
  {
    await using writer = store.stage({ ...chunk, part: 1 });
    await writer.write(bytes.subarray(1));
    await assertRejects(() => writer.finish(), RangeError, "Only 599999 of 600000");
  }
  {
    await using writer = store.stage({ ...chunk, part: 1 });
    await writer.write(bytes);
  }
  assertEquals(fixture.files("staging"), ["push-big.0"]);
});

Deno.test("ChunkStore stages empty chunks", async () => {
  await using fixture = await StoreFixture.open({ durability: "fsync" });
  const { store } = fixture;
  const push = testPush("empty", "push-0", bytesOf("x", 0));
  await stageOwn(store, push);
  await store.commit(push.record(1));
  assertEquals(await readChunk(store, "push-0", 0), new Uint8Array());
  assertEquals(await store.checkChunk("push-0", 1), "ok");
  assertEquals(await store.missing(push.record(1)), []);
});

Deno.test("ChunkStore.stage() refuses what would leave its directory", async () => {
  await using fixture = await StoreFixture.open();
  const chunk = { name: "a", pushId: "p", parts: 1, part: 0, copy: 0, length: 1 };
  const bad = [{ pushId: "../x" }, { name: "../a" }, { name: "" }, { part: 1 }, { copy: -1 }, {
    length: 0.5,
  }];
  for (const wrong of bad) {
    const copy = { chunk: { ...chunk, ...wrong }, bytes: new Uint8Array(wrong.length ?? 1) };
    await assertRejects(() => fixture.store.stageAll([copy]), RangeError);
  }
  const whole = { chunk, bytes: new Uint8Array(1) };
  const ofAnother = { chunk: { ...chunk, pushId: "q" }, bytes: new Uint8Array(1) };
  await assertRejects(() => fixture.store.stageAll([whole, ofAnother]), RangeError, "different");
  assertEquals(fixture.files("staging"), []);
});

/** What this node keeps of a push, with all its bytes. */
function ownCopies({ name, pushId, parts }: TestPush) {
  return ownParts.map(({ part, copy }) => {
    const bytes = parts[part] ?? new Uint8Array();
    return {
      chunk: { name, pushId, parts: parts.length, part, copy, length: bytes.length },
      bytes,
    };
  });
}

for (const durability of ["fsync", "relaxed"] as const) {
  Deno.test(`ChunkStore.stageAll() knows what is here of a push already, ${durability}`, async () => {
    await using fixture = await StoreFixture.open({ durability });
    const copies = ownCopies(first);
    const assertPlaced = async () => {
      assertEquals(fixture.files("staging"), []);
      assertEquals(fixture.files("retired"), []);
      assertEquals(await fixture.store.missing(first.record(1)), []);
      for (const { part } of ownParts) {
        assertEquals(await readChunk(fixture.store, first.pushId, part), first.parts[part]);
      }
    };
    await fixture.store.stageAll(copies);
    await fixture.store.stageAll(copies);
    assertEquals(fixture.files("staging"), ["push-1.0", "push-1.1"]);
    await fixture.store.commit(first.record(1));
    await assertPlaced();
    await fixture.store.stageAll(copies);
    await assertPlaced();
    await fixture.reopen();
    await fixture.store.stageAll(copies);
    await assertPlaced();
  });

  Deno.test(`ChunkStore.stageAll() places what its record waits for, ${durability}`, async () => {
    await using fixture = await StoreFixture.open({ durability });
    const { store } = fixture;
    const copies = ownCopies(first);
    await store.commit(first.record(1));
    await store.stageAll(copies.slice(0, 1));
    assertEquals(fixture.files("staging"), []);
    assertEquals(await store.missing(first.record(1)), [1]);
    await store.stageAll(copies);
    assertEquals(fixture.files("staging"), []);
    assertEquals(await store.missing(first.record(1)), []);
  });

  Deno.test(`ChunkStore.commit() finds what was staged in either way, ${durability}`, async () => {
    for (const isStreamedFirst of [true, false]) {
      await using fixture = await StoreFixture.open({ durability });
      const { store } = fixture;
      const [whole, streamed] = ownCopies(first);
      if (whole === undefined || streamed === undefined) {
        throw new RangeError("Two copies expected");
      }
      const stream = async () => {
        await using writer = store.stage(streamed.chunk);
        await writer.write(streamed.bytes);
        await writer.finish();
      };
      if (isStreamedFirst) await stream();
      await store.stageAll([whole]);
      if (!isStreamedFirst) await stream();
      assertEquals(fixture.files("staging"), ["push-1.0", "push-1.1"]);
      const expected = { outcome: "stored", missing: [], unverified: [] } as const;
      assertEquals(await store.commit(first.record(1)), expected);
      assertEquals(fixture.files("staging"), []);
    }
  });
}

Deno.test("ChunkStore.stage() again replaces what is staged and keeps what is placed", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  const other = testPush("a.txt", "push-1", bytesOf("FIRST VERSION. "));
  await stageOwn(store, other);
  await stageOwn(store, first);
  assertEquals(await readChunk(store, "push-1", 0), first.parts[0]);
  await store.commit(first.record(1));
  await stageOwn(store, first);
  assertEquals(fixture.files("staging"), []);
  await assertRejects(() => stagePart(store, other, 0, 0), Error, "with other bytes");
  assertEquals(fixture.files("staging"), []);
  assertEquals(await readChunk(store, "push-1", 0), first.parts[0]);
});

Deno.test("ChunkStore.stage() of a retired chunk keeps it from being collected", async () => {
  await using fixture = await StoreFixture.open();
  const { store, clock } = fixture;
  await stageOwn(store, first);
  await store.commit(first.record(1));
  await store.commit(tombstone("a.txt", 2));
  await stageOwn(store, first);
  assertEquals(fixture.files("staging"), ["push-1.0", "push-1.1"]);
  await clock.advance(100_000);
  assertEquals(await store.collect(), 0);
  assertEquals(await store.commit(first.record(3)), {
    outcome: "stored",
    missing: [],
    unverified: [],
  });
});

for (
  const [what, damage] of [
    ["flipped", (path: string) => {
      const bytes = Deno.readFileSync(path);
      bytes[1]! ^= 1;
      Deno.writeFileSync(path, bytes);
    }],
    ["truncated", (path: string) => Deno.truncateSync(path, 2)],
    ["removed", (path: string) => Deno.removeSync(path)],
  ] as const
) {
  Deno.test(`ChunkStore never reads a ${what} chunk, and takes a repaired one`, async () => {
    await using fixture = await StoreFixture.open();
    const { store } = fixture;
    await stageOwn(store, first);
    await store.commit(first.record(1));
    const key = { pushId: "push-1", part: 0 };
    const buffer = new Uint8Array(100);
    assertEquals(store.readWhole(key, buffer.subarray(0, 5)), 5);
    assertEquals(buffer.subarray(0, 5), first.parts[0]);
    assertEquals(store.readWhole(key, buffer.subarray(0, 4)), undefined);
    damage(fixture.slot(first, 0));
    // The short way does nothing about it but leaves it to the long one.
    assertEquals(store.readWhole(key, buffer), undefined);
    assertEquals(fixture.lost, []);
    try {
      assertEquals(await readChunk(store, "push-1", 0), undefined);
    } catch (error) {
      assert(error instanceof DamagedChunkError);
    }
    assertEquals(fixture.lost.map(({ pushId, part }) => [pushId, part]), [["push-1", 0]]);
    assertEquals(fixture.files("content"), []);
    assertEquals(fixture.files("quarantine").length, what === "removed" ? 0 : 1);
    assertEquals(await store.missing(first.record(1)), [0]);
    await stagePart(store, first, 0, 0);
    await store.commit(first.record(1));
    assertEquals(await readChunk(store, "push-1", 0), first.parts[0]);
    assertEquals(store.readWhole(key, buffer), 5);
    assertEquals(buffer.subarray(0, 5), first.parts[0]);
    assertEquals(await store.missing(first.record(1)), []);
  });

  Deno.test(`ChunkStore.checkChunk() finds a ${what} chunk`, async () => {
    await using fixture = await StoreFixture.open();
    const { store } = fixture;
    await stageOwn(store, first);
    await store.commit(first.record(1));
    assertEquals(await store.checkChunk("push-1", 1), "ok");
    damage(fixture.slot(first, 1));
    assert(await store.checkChunk("push-1", 1) !== "ok");
    assertEquals(fixture.lost.map(({ part }) => part), [1]);
    assertEquals(await store.checkChunk("push-1", 1), "missing");
  });
}

Deno.test("ChunkReader.readBlocks() checks every block of what it reads at once", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  const bytes = new Uint8Array(3 * (3 * blockBytes + 5)).map((_, i) => i * 31 >> 7);
  const push = testPush("a.txt", "push-1", bytes);
  await stageOwn(store, push);
  await store.commit(push.record(1));
  const part = push.parts[0]!;
  using reader = await store.open("push-1", 0);
  const read = async (index: number, room: number) => {
    const buffer = new Uint8Array(room);
    const count = await reader!.readBlocks(index, buffer);
    assertEquals(buffer.subarray(0, count), part.subarray(index * blockBytes).subarray(0, count));
    return count;
  };
  assertEquals(await read(0, 4 * blockBytes), part.length);
  assertEquals(await read(0, part.length - 1), 3 * blockBytes);
  assertEquals(await read(1, blockBytes), blockBytes);
  assertEquals(await read(2, part.length), blockBytes + 5);
  assertEquals(await read(3, 5), 5);
  await assertRejects(() => read(3, 4), RangeError);
  await assertRejects(() => read(0, blockBytes - 1), RangeError);
  await assertRejects(() => read(4, blockBytes), RangeError);
  using file = await Deno.open(fixture.slot(push, 0), { write: true });
  await file.seek(blockBytes + 7, Deno.SeekMode.Start);
  await file.write(new Uint8Array([part[blockBytes + 7]! ^ 1]));
  assertEquals(await read(2, part.length), blockBytes + 5);
  assertEquals(await read(0, blockBytes), blockBytes);
  const error = await assertRejects(() => read(0, part.length), DamagedChunkError);
  assertStringIncludes(error.message, "block 2 of 4");
});

Deno.test("ChunkStore.readWhole() checks every block of a chunk", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  const push = testPush("a.txt", "push-1", bytesOf("some bytes", 3 * (2 * blockBytes + 5)));
  await stageOwn(store, push);
  await store.commit(push.record(1));
  const key = { pushId: "push-1", part: 0 };
  const buffer = new Uint8Array(3 * blockBytes);
  assertEquals(store.readWhole(key, buffer), 2 * blockBytes + 5);
  assertEquals(buffer.subarray(0, 2 * blockBytes + 5), push.parts[0]);
  for (const at of [0, blockBytes, 2 * blockBytes + 4]) {
    using file = await Deno.open(fixture.slot(push, 0), { read: true, write: true });
    const flip = async () => {
      await file.seek(at, Deno.SeekMode.Start);
      const byte = new Uint8Array(1);
      await file.read(byte);
      await file.seek(at, Deno.SeekMode.Start);
      await file.write(byte.map((value) => value ^ 1));
    };
    await flip();
    assertEquals(store.readWhole(key, buffer), undefined);
    await flip();
    assertEquals(store.readWhole(key, buffer), 2 * blockBytes + 5);
  }
});

Deno.test("ChunkStore: a reader of damaged bytes does not harm the repaired chunk", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await stageOwn(store, first);
  await store.commit(first.record(1));
  using slow = await store.open("push-1", 0);
  await Deno.writeTextFile(fixture.slot(first, 0), "wrong");
  await assertRejects(() => readChunk(store, "push-1", 0), DamagedChunkError);
  await stagePart(store, first, 0, 0);
  await store.commit(first.record(1));
  await assertRejects(async () => await slow?.readBlock(0, new Uint8Array(5)), DamagedChunkError);
  assertEquals(await readChunk(store, "push-1", 0), first.parts[0]);
  assertEquals(fixture.files("quarantine"), ["push-1.0"]);
});

Deno.test("ChunkStore.missingRecords() finds what the catalog promises and the disk lacks", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  const pushes = Array.from(
    { length: 300 },
    (_, i) => testPush(`file ${i}`, `push-${i}`, bytesOf(`file ${i}`)),
  );
  for (const push of pushes) await stageOwn(store, push);
  await store.commitAll(pushes.map((push, i) => push.record(i)));
  assertEquals(await Array.fromAsync(store.missingRecords()), []);
  await Deno.remove(fixture.slot(pushes[7]!, 0));
  await Deno.truncate(fixture.slot(pushes[299]!, 1), 1);
  const found = await Array.fromAsync(store.missingRecords());
  assertEquals(
    found.map(({ record, parts }) => [record.name, parts]),
    [["file 299", [1]], ["file 7", [0]]],
  );
});

Deno.test("ChunkStore.openByChunkName() gives the current version", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  const read = async (chunk: string, place: "content" | "backup") => {
    using reader = await store.openByChunkName(chunk, place);
    return reader?.pushId;
  };
  await stageOwn(store, first);
  assertEquals(await read("a.txt.part-001-of-003", "content"), undefined);
  await store.commit(first.record(1));
  await stageOwn(store, second);
  assertEquals(await read("a.txt.part-001-of-003", "content"), "push-1");
  await store.commit(second.record(2));
  assertEquals(await read("a.txt.part-001-of-003", "content"), "push-2");
  assertEquals(await read("a.txt.part-001-of-003", "backup"), undefined);
  assertEquals(await read("a.txt.part-002-of-003", "backup"), "push-2");
  assertEquals(await read("../a.txt", "backup"), undefined);
});

Deno.test("ChunkStore.placeForeign() places without a record, and a record retires it", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  for (const pushId of ["foreign-1", "foreign-2"]) {
    const bytes = bytesOf(pushId);
    const chunk = { pushId, name: "a.txt", parts: 3, part: 0, copy: 0, length: bytes.length };
    await store.stageAll([{ chunk, bytes }]);
    await store.placeForeign(pushId);
    assertEquals(await Deno.readFile(fixture.slot(first, 0)), bytes);
  }
  assertEquals(fixture.files("retired"), ["foreign-1.0"]);
  await stageOwn(store, first);
  await store.commit(first.record(1));
  assertEquals(fixture.files("retired"), ["foreign-1.0", "foreign-2.0"]);
  assertEquals(await readChunk(store, "push-1", 0), first.parts[0]);
});

Deno.test("ChunkStore.commit() of a foreign record takes the checksums that were staged", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await stageOwn(store, first);
  const known = first.record(1);
  const placement = known.placement.map((part) => ({
    ...part,
    checksums: "",
    nodes: [address(2)],
  }));
  const record = { ...known, sha256: "", foreign: true, placement };
  assertEquals(await store.commit(record), { outcome: "stored", missing: [], unverified: [] });
  assertEquals(await Deno.readFile(fixture.slot(first, 0)), first.parts[0]);
  await Deno.writeTextFile(fixture.slot(first, 0), "wrong");
  await assertRejects(() => readChunk(store, "push-1", 0), DamagedChunkError);
});

Deno.test("ChunkStore.chunks() walks over everything", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await stageOwn(store, first);
  await store.commit(first.record(1));
  await stageOwn(store, second);
  const places: string[] = [];
  let page = store.chunks(undefined, 1);
  while (page.length > 0) {
    for (const chunk of page) places.push(`${chunk.pushId}.${chunk.part} ${chunk.place}`);
    page = store.chunks(page.at(-1), 1);
  }
  assertEquals(places, [
    "push-1.0 content",
    "push-1.1 backup",
    "push-2.0 staging",
    "push-2.1 staging",
  ]);
  const { content, backup, staging, retired } = store.usage();
  assertEquals([content, backup], [{ count: 1, bytes: 5 }, { count: 1, bytes: 5 }]);
  assertEquals([staging, retired], [{ count: 2, bytes: 20 }, { count: 0, bytes: 0 }]);
});

Deno.test("ChunkStore takes the same chunk twice at once", async () => {
  await using fixture = await StoreFixture.open({ durability: "fsync" });
  const { store } = fixture;
  const sums = await Promise.all([0, 0, 0].map((part) => stagePart(store, first, part, 0)));
  assertEquals(new Set(sums).size, 1);
  assertEquals(fixture.files("staging"), ["push-1.0"]);
  assertEquals(await readChunk(store, "push-1", 0), first.parts[0]);
});

Deno.test("ChunkStore stays consistent under operations that overlap", async () => {
  await using fixture = await StoreFixture.open({ durability: "fsync" });
  const { store } = fixture;
  const pushes = Array.from(
    { length: 40 },
    (_, i) => testPush(i % 2 === 0 ? "a.txt" : "b.txt", `push-${i}`, bytesOf(`push ${i} `, 40 + i)),
  );
  const reads: Promise<unknown>[] = [];
  await Promise.all(pushes.map(async (push, i) => {
    await stageOwn(store, push);
    if (i % 5 === 4) return assertEquals(await store.abort(push.pushId), true);
    await Promise.all([store.commit(push.record(i)), store.commit(push.record(i))]);
    reads.push(
      readChunk(store, push.pushId, 0).then((bytes) => assertEquals(bytes, push.parts[0])),
    );
    if (i % 7 === 0) await store.commit(push.record(100 + i));
  }));
  await Promise.all(reads);
  for (const [name, version] of [["a.txt", 128], ["b.txt", 135]] as const) {
    const push = pushes[version - 100];
    if (push === undefined) throw new RangeError(name);
    assertEquals(store.catalog.record(name), push.record(version));
    for (const part of [0, 1]) {
      assertEquals(await Deno.readFile(fixture.slot(push, part)), push.parts[part]);
    }
  }
  await fixture.clock.advance(60_000);
  await store.collect();
  for (const { pushId } of store.stagedPushes()) await store.abort(pushId);
  assertEquals([...fixture.files("staging"), ...fixture.files("retired")], []);
  assertEquals(fixture.files("quarantine"), []);
  assertEquals(fixture.lost, []);
});
