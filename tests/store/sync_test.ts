import { assert, assertEquals } from "@std/assert";
import { basename, dirname } from "node:path";
import { bytesOf, stageOwn, StoreFixture, testPush } from "../support/store_fixture.ts";

const push = testPush("a.txt", "push-1", bytesOf("a file of three parts, of which two are kept"));
const streamed = testPush("b.txt", "push-2", bytesOf("another one, that comes piece by piece"));

/**
 * Notes what this process has synced. No test cuts the power: that the bytes reach the disk is the
 * system's part, and that of the program is to ask for it in time.
 */
class SyncSpy implements Disposable {
  /** Path and size of each file at its last sync; directories too. */
  readonly synced = new Map<string, number>();
  /** The path of each sync that was asked for, in order. */
  readonly asked: string[] = [];
  readonly #paths = new WeakMap<Deno.FsFile, string>();
  readonly #undo: (() => void)[] = [];

  constructor() {
    const { openSync } = Deno;
    Deno.openSync = (path, options) => {
      const file = openSync(path, options);
      this.#paths.set(file, `${path}`);
      return file;
    };
    this.#undo.push(() => Deno.openSync = openSync);
    this.#watch("sync");
    this.#watch("syncData");
  }

  /** The names of what was synced, in this directory, with its size. */
  within(directory: string): (readonly [name: string, bytes: number])[] {
    return [...this.synced].filter(([path]) => dirname(path) === directory)
      .map(([path, bytes]) => [basename(path), bytes] as const);
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo();
  }

  #watch(name: "sync" | "syncData"): void {
    const { prototype } = Deno.FsFile;
    const { [name]: sync } = prototype;
    const asked = this.asked;
    const paths = this.#paths;
    const done = (file: Deno.FsFile, bytes: number) => {
      this.synced.set(this.#paths.get(file) ?? "?", bytes);
    };
    prototype[name] = async function (this: Deno.FsFile) {
      const { size } = this.statSync();
      asked.push(paths.get(this) ?? "?");
      await sync.call(this);
      done(this, size);
    };
    this.#undo.push(() => prototype[name] = sync);
  }
}

/** Stages, piece by piece, what the node keeps of {@linkcode streamed}. */
async function stream({ store }: StoreFixture): Promise<void> {
  for (const [part, copy] of [[0, 0], [1, 1]] as const) {
    const bytes = streamed.parts[part] ?? new Uint8Array();
    const { name, pushId, parts } = streamed;
    const chunk = { name, pushId, parts: parts.length, part, copy, length: bytes.length };
    await using writer = store.stage(chunk);
    await writer.write(bytes.subarray(0, 5));
    await writer.write(bytes.subarray(5));
    await writer.finish();
  }
}

const ways = {
  "at once": { file: push, stage: ({ store }: StoreFixture) => stageOwn(store, push) },
  "piece by piece": { file: streamed, stage: stream },
};

for (const [how, { file, stage }] of Object.entries(ways)) {
  Deno.test(`a copy that is staged ${how} is synced, with its name, before it counts`, async () => {
    await using fixture = await StoreFixture.open({ durability: "fsync" });
    using spy = new SyncSpy();
    await stage(fixture);
    const lengths = spy.within(`${fixture.directory}/staging`).map(([, bytes]) => bytes);
    assertEquals(lengths.sort(), [0, 1].map((part) => file.parts[part]?.length ?? 0).sort());
    assert(spy.synced.has(`${fixture.directory}/staging`), "the names of the files");
  });
}

Deno.test("copies that are staged at once share the sync of their names", async () => {
  await using fixture = await StoreFixture.open({ durability: "fsync" });
  using spy = new SyncSpy();
  await stageOwn(fixture.store, push);
  const staging = `${fixture.directory}/staging`;
  assertEquals(spy.asked.filter((path) => path === staging), [staging]);
});

Deno.test("a record is synced before it counts", async () => {
  using spy = new SyncSpy();
  await using fixture = await StoreFixture.open({ durability: "fsync" });
  await stageOwn(fixture.store, push);
  spy.synced.clear();
  await fixture.store.commit(push.record(1));
  const log = `${fixture.directory}/catalog.db-wal`;
  const { size } = await Deno.stat(log);
  assert(size > 0);
  assertEquals(spy.synced.get(log), size);
});

Deno.test("with --durability relaxed nothing is synced", async () => {
  await using fixture = await StoreFixture.open({ durability: "relaxed" });
  using spy = new SyncSpy();
  await stageOwn(fixture.store, push);
  await stream(fixture);
  await fixture.store.commit(push.record(1));
  assertEquals([...spy.synced], []);
});
