import { assert, assertEquals, assertRejects } from "@std/assert";
import { DiskFullError, StoreError } from "../../src/store/errors.ts";
import {
  bytesOf,
  readChunk,
  stageOwn,
  stagePart,
  StoreFixture,
  testPush,
  tombstone,
} from "../support/store_fixture.ts";

const first = testPush("a.txt", "push-1", bytesOf("first version. "));
const second = testPush("a.txt", "push-2", bytesOf("the second version is longer. "));

/** A small disk of its own, which only root can make. */
class SmallDisk implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async mount(mebibytes: number): Promise<SmallDisk | undefined> {
    const path = await Deno.makeTempDir();
    const options = `size=${mebibytes}m`;
    const isMounted = await run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
    if (isMounted) return new SmallDisk(path);
    await Deno.remove(path);
    return undefined;
  }

  /** Writes a file until nothing more fits. */
  fill(): void {
    using file = Deno.openSync(`${this.path}/filler`, { create: true, append: true });
    for (const size of [65536, 4096, 512, 1]) {
      try {
        while (true) file.writeSync(new Uint8Array(size));
      } catch {
        // Full, for writes of this size.
      }
    }
  }

  empty(): void {
    Deno.removeSync(`${this.path}/filler`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    assert(await run("umount", [this.path]), "umount");
    await Deno.remove(this.path);
  }
}

async function run(command: string, args: string[]): Promise<boolean> {
  try {
    const options = { args, stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(command, options).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const canMount = await (async () => {
  const disk = await SmallDisk.mount(1);
  await disk?.[Symbol.asyncDispose]();
  if (disk === undefined) console.warn("skipped: tests of a full disk need root to mount one");
  return disk !== undefined;
})();

for (const durability of ["fsync", "relaxed"] as const) {
  Deno.test({
    name: `ChunkStore on a full disk refuses and keeps what it has, ${durability}`,
    ignore: !canMount,
    async fn() {
      await using disk = await SmallDisk.mount(8);
      if (disk === undefined) throw new Error("No disk");
      {
        await using fixture = await StoreFixture.open({ durability }, `${disk.path}/7000`);
        const { store } = fixture;
        await stageOwn(store, first);
        await store.commit(first.record(1));

        const big = testPush("big", "push-big", new Uint8Array(30 << 20));
        const error = await assertRejects(() => stagePart(store, big, 0, 0), DiskFullError);
        assert(
          /^Cannot store 'big' as the disk is full: \d.* free, 10 MiB needed$/.test(error.message),
        );
        assertEquals(fixture.files("staging"), []);

        disk.fill();
        await assertRejects(() => stagePart(store, second, 0, 0), StoreError, "disk is full");
        assertEquals(fixture.files("staging"), []);
        // The catalog may have room in its log for some more records, but not for these.
        const records = Array.from(
          { length: 3000 },
          (_, i) => testPush(`file ${i}`, `p${i}`, bytesOf("x")).record(i),
        );
        const root = store.catalog.digest.root();
        await assertRejects(
          () => store.commitAll(records),
          DiskFullError,
          "Cannot store the catalog",
        );
        assertEquals(store.catalog.digest.root(), root);
        assertEquals(store.catalog.record("a.txt"), first.record(1));
        assertEquals(await readChunk(store, "push-1", 0), first.parts[0]);
        assertEquals(await store.inspect(), "ok");
        assertEquals(await store.missing(first.record(1)), []);

        // A restart on the full disk.
        await fixture.reopen();
        assertEquals(await readChunk(fixture.store, "push-1", 1), first.parts[1]);

        disk.empty();
        await stageOwn(fixture.store, second);
        assertEquals((await fixture.store.commit(second.record(2))).outcome, "stored");
        assertEquals(await readChunk(fixture.store, "push-2", 0), second.parts[0]);
        assertEquals(fixture.files("quarantine"), []);
      }
    },
  });
}

Deno.test({
  name: "ChunkStore.inspect() keeps an open catalog that it cannot write anew on a full disk",
  ignore: !canMount,
  async fn() {
    await using disk = await SmallDisk.mount(8);
    if (disk === undefined) throw new Error("No disk");
    {
      await using fixture = await StoreFixture.open({ durability: "fsync" }, `${disk.path}/7000`);
      const { store } = fixture;
      await stageOwn(store, first);
      await store.commit(first.record(1));
      Deno.removeSync(`${fixture.directory}/catalog.db`);
      disk.fill();
      await assertRejects(() => store.inspect(), DiskFullError);
      assertEquals(store.catalog.record("a.txt"), first.record(1));
      disk.empty();
      assertEquals(await store.inspect(), "salvaged");
      await fixture.reopen();
      assertEquals(fixture.store.catalog.record("a.txt"), first.record(1));
    }
  },
});

Deno.test("ChunkStore moves a file later that it cannot move now", async () => {
  await using fixture = await StoreFixture.open();
  const { store, directory } = fixture;
  await stageOwn(store, first);
  await stageOwn(store, second);
  await store.commit(first.record(1));
  // No rename into or out of what is no directory.
  await Deno.rename(`${directory}/content`, `${directory}/content-away`);
  await Deno.rename(`${directory}/retired`, `${directory}/retired-away`);
  await Deno.writeTextFile(`${directory}/content`, "");
  await Deno.writeTextFile(`${directory}/retired`, "");
  assertEquals(await store.commit(second.record(2)), {
    outcome: "stored",
    missing: [],
    unverified: [],
  });
  assertEquals(await readChunk(store, "push-2", 0), second.parts[0]);
  await Deno.remove(`${directory}/content`);
  await Deno.remove(`${directory}/retired`);
  await Deno.rename(`${directory}/content-away`, `${directory}/content`);
  await Deno.rename(`${directory}/retired-away`, `${directory}/retired`);
  assertEquals(await readChunk(store, "push-1", 0), first.parts[0]);
  assertEquals(await store.inspect(), "ok");
  assertEquals(await Deno.readFile(fixture.slot(second, 0)), second.parts[0]);
  assertEquals(await Deno.readFile(fixture.slot(second, 1)), second.parts[1]);
  assertEquals(fixture.files("retired"), ["push-1.0", "push-1.1"]);
});

Deno.test("ChunkStore makes removed directories anew and says what is missing", async () => {
  await using fixture = await StoreFixture.open();
  const { store, directory } = fixture;
  await stageOwn(store, first);
  await store.commit(first.record(1));
  for (const place of ["staging", "content", "backup", "retired", "quarantine"]) {
    await Deno.remove(`${directory}/${place}`, { recursive: true });
  }
  await assertRejects(
    () => stageOwn(store, second),
    StoreError,
    "the directory of the node is gone",
  );
  assertEquals(await store.inspect(), "salvaged");
  assertEquals(await store.inspect(), "ok");
  assertEquals(await store.missing(first.record(1)), [0, 1]);
  await stageOwn(store, first);
  assertEquals(await store.missing(first.record(1)), []);
  await store.commit(tombstone("a.txt", 2));
  assertEquals(fixture.files("content"), []);
});

Deno.test("a long chunk is not confirmed when a sync on the way to its end has failed", async () => {
  await using fixture = await StoreFixture.open({ durability: "fsync" });
  const { store, directory } = fixture;
  const half = new Uint8Array(24 * 1024 * 1024);
  const length = half.length + 1;
  const chunk = { name: "a.txt", pushId: "push-1", parts: 1, part: 0, copy: 0, length };
  for (const isThere of [false, true]) {
    await using writer = store.stage(chunk);
    const [partial = ""] = fixture.files("staging");
    const path = `${directory}/staging/${partial}`;
    if (!isThere) await Deno.rename(path, `${directory}/away`);
    await writer.write(half);
    if (!isThere) await Deno.rename(`${directory}/away`, path);
    await writer.write(Uint8Array.of(1));
    if (isThere) await writer.finish();
    else await assertRejects(() => writer.finish(), StoreError, "Cannot store 'a.txt'");
    assertEquals(fixture.files("staging"), isThere ? ["push-1.0"] : []);
  }
});
