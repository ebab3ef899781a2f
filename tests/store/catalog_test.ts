import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bucketOf, CatalogDigest } from "../../src/protocol/digest.ts";
import { compareNames } from "../../src/protocol/names.ts";
import type { StoredFile } from "../../src/protocol/record.ts";
import { Database } from "../../src/store/database.ts";
import { CatalogDamagedError, StoreError } from "../../src/store/errors.ts";
import {
  bytesOf,
  readChunk,
  stageOwn,
  StoreFixture,
  testPush,
  tombstone,
  ulid,
} from "../support/store_fixture.ts";

const push = testPush("a.txt", "push-1", bytesOf("first version. "));
const other = testPush("b.txt", "push-2", bytesOf("another file. "));

/** The records of so many files. */
function recordsOf(count: number): StoredFile[] {
  return Array.from(
    { length: count },
    (_, i) => testPush(`file-${i}`, `p${i}`, bytesOf("x")).record(i),
  );
}

Deno.test("Catalog gives what was committed, also after a restart", async () => {
  await using fixture = await StoreFixture.open();
  let { catalog } = fixture.store;
  assertEquals(catalog.record("a.txt"), undefined);
  await fixture.store.commit(push.record(1));
  await fixture.store.commit(tombstone("b.txt", 2));
  await catalog.saveView('{"members":[]}');
  await catalog.setMeta("shape", "5 nodes");
  const { incarnation } = catalog;
  const root = catalog.digest.root();
  for (let start = 0; start < 2; start++) {
    assertEquals(catalog.record("a.txt"), push.record(1));
    assertEquals(catalog.record("b.txt"), tombstone("b.txt", 2));
    assertEquals(catalog.highestVersion("b.txt"), ulid(2));
    assertEquals(catalog.pushOf("push-1"), push.record(1));
    assertEquals(catalog.pushOf("push-2"), undefined);
    assertEquals(catalog.list("", 10), [
      { name: "a.txt", start: "127.0.0.1:7000", size: 15, version: ulid(1) },
    ]);
    assertEquals(catalog.tombstones("", 10), [tombstone("b.txt", 2)]);
    assertEquals(catalog.counts(), { files: 1, tombstones: 1, fileBytes: 15 });
    assertEquals(catalog.loadView(), '{"members":[]}');
    assertEquals(catalog.meta("shape"), "5 nodes");
    assertEquals(catalog.meta("other"), undefined);
    assertEquals(catalog.incarnation, incarnation);
    assertEquals(catalog.digest.root(), root);
    ({ catalog } = await fixture.reopen());
  }
});

Deno.test("Catalog.currentVersion() remembers no version that was replaced or undone", async () => {
  await using fixture = await StoreFixture.open();
  const { catalog } = fixture.store;
  const current = () => catalog.currentVersion("a.txt");
  assertEquals(current(), undefined);
  for (const version of [1, 2, 3]) {
    await fixture.store.commit(push.record(version));
    for (const _again of [false, true]) {
      assertEquals(current(), { version: ulid(version), pushId: "push-1" });
    }
  }
  assertThrows(() =>
    catalog.transaction(() => {
      catalog.recordTable.put(push.record(4));
      throw new Error("undone");
    })
  );
  assertEquals(current()?.version, ulid(3));
  await fixture.store.commit(tombstone("a.txt", 5));
  assertEquals(current()?.version, ulid(5));
  await catalog.dropTombstones([tombstone("a.txt", 5)]);
  assertEquals(current(), undefined);
  catalog.transaction(() => {
    for (let i = 0; i < 5_000; i++) {
      catalog.recordTable.put(testPush(`${i}`, `push-${i}`, bytesOf("x")).record(1));
    }
  });
  for (let i = 0; i < 5_000; i++) assertEquals(catalog.currentVersion(`${i}`)?.pushId, `push-${i}`);
});

Deno.test("Catalog lists by UTF-8 bytes, in pages", async () => {
  await using fixture = await StoreFixture.open();
  const names = ["b", "a b", 'quote"', "Ä", "z", "\u{1F600}", "\uFF5E", "A"];
  await fixture.store.commitAll(
    names.map((name, i) => testPush(name, `push-${i}`, bytesOf(name)).record(i)),
  );
  const listed: string[] = [];
  for (let page = fixture.store.catalog.list("", 3); page.length > 0;) {
    listed.push(...page.map(({ name }) => name));
    page = fixture.store.catalog.list(listed.at(-1) ?? "", 3);
  }
  assertEquals(listed, names.toSorted(compareNames));
});

Deno.test("Catalog.digest is that of the records, whatever the order of commits", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await store.commitAll([push.record(3), other.record(1), push.record(2), other.record(1)]);
  await store.commitAll([tombstone("c", 1), push.record(4)]);
  await store.catalog.dropTombstones([{ name: "c", version: ulid(1) }]);
  const expected = new CatalogDigest();
  expected.toggle("a.txt", ulid(4));
  expected.toggle("b.txt", ulid(1));
  assertEquals(store.catalog.digest.root(), expected.root());
  assertEquals(store.catalog.digest.encodeBuckets(), expected.encodeBuckets());
  await fixture.reopen();
  assertEquals(fixture.store.catalog.digest.root(), expected.root());
});

Deno.test("Catalog.recordsInBuckets() gives the records of buckets, in pages", async () => {
  await using fixture = await StoreFixture.open();
  const { catalog } = fixture.store;
  const records = Array.from(
    { length: 50 },
    (_, i) => testPush(`file-${i}`, `p${i}`, bytesOf("x")).record(i),
  );
  await fixture.store.commitAll(records);
  const wanted = records.slice(0, 20).toSorted((a, b) => compareNames(a.name, b.name));
  const buckets = [...new Set(wanted.map(({ name }) => bucketOf(name)))];
  const found = catalog.recordsInBuckets(buckets, "", 1000);
  for (const record of wanted) assert(found.some(({ name }) => name === record.name));
  assertEquals(found.slice(5, 10), catalog.recordsInBuckets(buckets, found[4]?.name ?? "", 5));
  assertEquals(catalog.recordsInBuckets([], "", 10), []);
});

Deno.test("Catalog.dropTombstones() forgets only what still is a tombstone of that version", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await store.commitAll([tombstone("x", 1), tombstone("y", 2), push.record(1)]);
  await store.commit(testPush("y", "push-y", bytesOf("y")).record(3));
  const drop = [{ name: "x", version: ulid(1) }, { name: "y", version: ulid(2) }, push.record(1)];
  assertEquals(await store.catalog.dropTombstones(drop), 1);
  assertEquals(store.catalog.record("x"), undefined);
  assertEquals(store.catalog.highestVersion("y"), ulid(3));
  assertEquals(store.catalog.record("a.txt"), push.record(1));
});

Deno.test("Catalog says that it is fresh until it is complete", async () => {
  await using fixture = await StoreFixture.open();
  assertEquals(fixture.store.catalog.freshReason, "new");
  await fixture.reopen();
  assertEquals(fixture.store.catalog.freshReason, "new");
  await fixture.store.catalog.markComplete();
  assertEquals(fixture.store.catalog.freshReason, undefined);
  await fixture.reopen();
  assertEquals(fixture.store.catalog.freshReason, undefined);
});

const damages: [what: string, reason: "removed" | "damaged", damage: (path: string) => void][] = [
  ["removed", "removed", (path) => Deno.removeSync(path)],
  ["cut short", "damaged", (path) => Deno.truncateSync(path, 5000)],
  ["emptied", "damaged", (path) => Deno.truncateSync(path, 0)],
  ["overwritten", "damaged", (path) => Deno.writeTextFileSync(path, "rubbish".repeat(5000))],
];

for (const [what, reason, damage] of damages) {
  Deno.test(`a catalog that was ${what} while the node was down is made anew, and takes the chunks back`, async () => {
    await using fixture = await StoreFixture.open();
    await stageOwn(fixture.store, push);
    await fixture.store.commit(push.record(1));
    await stageOwn(fixture.store, other);
    await fixture.store.catalog.markComplete();
    const { incarnation } = fixture.store.catalog;
    await fixture.close();
    damage(`${fixture.directory}/catalog.db`);
    const store = await fixture.reopen();
    assertEquals(store.catalog.freshReason, reason);
    assertEquals(store.catalog.incarnation, incarnation);
    assertEquals(store.catalog.counts().files, 0);
    assertEquals(store.stagedPushes().map(({ pushId, name }) => [pushId, name]), [[
      "push-2",
      undefined,
    ]]);
    // The peers tell the records; the bytes are here.
    const results = await store.commitAll([push.record(1), other.record(2)]);
    assertEquals(results.map((result) => result.outcome !== "higher" && result.missing), [[], []]);
    assertEquals(results.map((result) => result.outcome !== "higher" && result.unverified), [
      [0, 1],
      [0, 1],
    ]);
    assertEquals(await readChunk(store, "push-1", 1), push.parts[1]);
    assertEquals(await Array.fromAsync(store.missingRecords()), []);
    assertEquals(await store.commit(push.record(1)), {
      outcome: "same",
      missing: [],
      unverified: [],
    });
    assertEquals(await readChunk(store, "push-2", 0), other.parts[0]);
    assertEquals(await store.sweepStrays(), 0);
    const damaged = (await Array.fromAsync(Deno.readDir(fixture.directory))).filter(({ name }) =>
      name.startsWith("catalog.db.damaged-")
    );
    assertEquals(damaged.length > 0, what === "cut short" || what === "overwritten");
  });
}

Deno.test("files of a lost catalog that are not what the records say are repaired", async () => {
  await using fixture = await StoreFixture.open();
  const older = testPush("a.txt", "push-0", bytesOf("OLDER version. "));
  await stageOwn(fixture.store, older);
  const gone = testPush("gone.txt", "push-gone", bytesOf("gone"));
  await stageOwn(fixture.store, gone);
  await fixture.store.commitAll([older.record(1), gone.record(1)]);
  await fixture.close();
  await Deno.remove(`${fixture.directory}/catalog.db`);
  const store = await fixture.reopen();
  await store.commit(push.record(2));
  const found = await Array.fromAsync(store.missingRecords());
  assertEquals(found.map(({ parts }) => parts), [[0]]);
  assertEquals(await store.sweepStrays(), 2);
  assertEquals(fixture.files("content"), []);
  assertEquals(fixture.files("backup"), ["a.txt.part-002-of-003"]);
});

for (
  const [what, damage] of [
    ["catalog.db", (directory: string) => Deno.removeSync(`${directory}/catalog.db`)],
    ["its log", (directory: string) => Deno.removeSync(`${directory}/catalog.db-wal`)],
    ["both", (directory: string) => {
      Deno.removeSync(`${directory}/catalog.db`);
      Deno.removeSync(`${directory}/catalog.db-wal`);
    }],
    ["the whole directory", (directory: string) => Deno.removeSync(directory, { recursive: true })],
    ["catalog.db (another one is there)", (directory: string) => {
      Deno.removeSync(`${directory}/catalog.db`);
      Deno.writeTextFileSync(`${directory}/catalog.db`, "?");
    }],
  ] as const
) {
  Deno.test(`ChunkStore.inspect() restores a catalog of which somebody removed ${what}`, async () => {
    await using fixture = await StoreFixture.open({ durability: "fsync" });
    const { store } = fixture;
    await stageOwn(store, push);
    await store.commit(push.record(1));
    await fixture.reopen();
    await stageOwn(fixture.store, other);
    await fixture.store.commit(other.record(2));
    await fixture.store.catalog.markComplete();
    assertEquals(await fixture.store.inspect(), "ok");
    const { incarnation, digest } = fixture.store.catalog;
    damage(fixture.directory);
    const commit = fixture.store.commit(tombstone("c.txt", 3));
    assertEquals(await fixture.store.inspect(), "salvaged");
    assertEquals((await commit).outcome, "stored");
    assertEquals(await fixture.store.inspect(), "ok");
    for (let start = 0; start < 2; start++) {
      const { catalog } = fixture.store;
      assertEquals(catalog.record("a.txt"), push.record(1));
      assertEquals(catalog.record("b.txt"), other.record(2));
      assertEquals(catalog.record("c.txt"), tombstone("c.txt", 3));
      assertEquals(catalog.freshReason, undefined);
      assertEquals(catalog.incarnation, incarnation);
      await fixture.store.commit(tombstone("d.txt", 4));
      await fixture.reopen();
    }
    assert(digest.root() !== fixture.store.catalog.digest.root());
    const missing = await Array.fromAsync(fixture.store.missingRecords());
    assertEquals(missing.length, what === "the whole directory" ? 2 : 0);
    await stageOwn(fixture.store, push);
    await fixture.store.commit(push.record(1));
    assertEquals(await fixture.store.missing(push.record(1)), []);
  });
}

Deno.test("ChunkStore.inspect() starts anew where the catalog cannot be read", async () => {
  let losses = 0;
  await using fixture = await StoreFixture.open({ durability: "fsync", onLost: () => losses++ });
  const { store } = fixture;
  // More than SQLite keeps in memory.
  const many = Array.from(
    { length: 12_000 },
    (_, i) => testPush(`f${i}`, `p${i}`, bytesOf("y")).record(i),
  );
  await store.commitAll(many);
  await fixture.reopen();
  const reopened = fixture.store;
  await stageOwn(reopened, push);
  await reopened.commit(push.record(1));
  const { incarnation } = reopened.catalog;
  await Deno.truncate(`${fixture.directory}/catalog.db`, 4096);
  const commit = reopened.commit(other.record(1)).then(() => "confirmed", () => "failed");
  assertEquals(await commit, "failed");
  assertEquals(losses, 0);
  const inspected = reopened.inspect();
  // Told in the same turn of the event loop, while nobody else can have read the empty one.
  assertEquals(losses, 1);
  assertEquals(await inspected, "lost");
  assertEquals(losses, 1);
  assertEquals(reopened.catalog.freshReason, "damaged");
  assertEquals(reopened.catalog.incarnation, incarnation);
  assertEquals(reopened.catalog.counts(), { files: 0, tombstones: 0, fileBytes: 0 });
  assertEquals(reopened.catalog.digest.root(), "0".repeat(16));
  const result = await reopened.commit(push.record(1));
  assertEquals(result, { outcome: "stored", missing: [], unverified: [0, 1] });
  assertEquals(await reopened.missing(push.record(1)), []);
  assertEquals(await readChunk(reopened, "push-1", 0), push.parts[0]);
  await fixture.reopen();
  assertEquals(fixture.store.catalog.freshReason, "damaged");
  assertEquals(fixture.store.catalog.record("a.txt"), push.record(1));
});

Deno.test("ChunkStore.inspect() opens what it salvaged at the next look, where it could not", async () => {
  await using fixture = await StoreFixture.open({ durability: "fsync" });
  const { store } = fixture;
  await store.commit(push.record(1));
  await store.catalog.markComplete();
  const { incarnation } = store.catalog;
  const path = `${fixture.directory}/catalog.db`;
  await Deno.remove(path);
  {
    using _none = refuseRenamesTo(path);
    for (let look = 0; look < 3; look++) {
      await assertRejects(() => store.inspect(), Error, "Too many open files");
      assertThrows(() => store.catalog.list("", 10), StoreError, "while it is being restored");
    }
  }
  assertEquals(await store.inspect(), "salvaged");
  assertEquals(await store.inspect(), "ok");
  assertEquals(store.catalog.record("a.txt"), push.record(1));
  assertEquals(store.catalog.freshReason, undefined);
  assertEquals(store.catalog.incarnation, incarnation);
  assertEquals((await store.commit(other.record(2))).outcome, "stored");
});

Deno.test("a salvage that a crash interrupted is finished at the next start", async () => {
  await using fixture = await StoreFixture.open();
  await fixture.store.commit(push.record(1));
  await fixture.store.catalog.markComplete();
  await fixture.close();
  const catalog = `${fixture.directory}/catalog.db`;
  await Deno.rename(catalog, `${catalog}.salvaged`);
  await Deno.writeTextFile(`${catalog}.tmp`, "half written");
  await fixture.reopen();
  assertEquals(fixture.store.catalog.record("a.txt"), push.record(1));
  assertEquals(fixture.store.catalog.freshReason, undefined);
  assertEquals(
    (await Array.fromAsync(Deno.readDir(fixture.directory))).filter(({ name }) =>
      /tmp|salv/.test(name)
    ),
    [],
  );
});

Deno.test("ChunkStore.open() refuses the catalog of a newer program, and a second process", async () => {
  await using fixture = await StoreFixture.open();
  const second = await StoreFixture.open({}, fixture.directory).catch((error) => error);
  assert(second instanceof StoreError && second.message.includes("another process"));
  await fixture.close();
  {
    using database = new Database(`${fixture.directory}/catalog.db`);
    database.exec("PRAGMA user_version = 99");
  }
  await assertRejects(() => fixture.reopen(), StoreError, "a newer version of this program");
});

/** Makes the table of records what it was in the first version of the catalog. */
const firstSchema = `
  ALTER TABLE records RENAME TO later;
  CREATE TABLE records (
    name TEXT PRIMARY KEY, version TEXT NOT NULL, push_id TEXT NOT NULL, bucket INTEGER NOT NULL,
    size INTEGER, start TEXT, body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO records SELECT name, version, push_id, bucket, size, start, body FROM later;
  DROP TABLE later;
  CREATE INDEX records_by_push ON records (push_id);
  CREATE INDEX records_by_bucket ON records (bucket);
  PRAGMA user_version = 1;
`;

Deno.test("Catalog brings a file of its first version up to date, with all that is in it", async () => {
  await using fixture = await StoreFixture.open();
  await stageOwn(fixture.store, push);
  const records = [push.record(1), other.record(2), tombstone("c.txt", 3)];
  await fixture.store.commitAll(records);
  const { incarnation, digest } = fixture.store.catalog;
  const root = digest.root();
  const schemas: unknown[] = [];
  for (let start = 0; start < 2; start++) {
    await fixture.close();
    {
      using database = new Database(`${fixture.directory}/catalog.db`);
      schemas.push(database.prepare("SELECT sql FROM sqlite_schema ORDER BY name").all());
      if (start === 0) database.exec(firstSchema);
    }
    const { catalog } = await fixture.reopen();
    assertEquals(catalog.incarnation, incarnation);
    assertEquals(catalog.digest.root(), root);
    assertEquals(catalog.records("", 10), records);
    assertEquals(catalog.list("", 10).map(({ name }) => name), ["a.txt", "b.txt"]);
    assertEquals(catalog.tombstones("", 10), [tombstone("c.txt", 3)]);
    assertEquals(catalog.pushOf(push.pushId), push.record(1));
    assertEquals(await readChunk(fixture.store, push.pushId, 0), push.parts[0]);
  }
  assertEquals(schemas[1], schemas[0]);
  await fixture.store.commit(push.record(4));
  assertEquals(fixture.store.catalog.highestVersion("a.txt"), ulid(4));
});

Deno.test("Catalog takes nothing over from a damaged file of its first version", async () => {
  await using fixture = await StoreFixture.open();
  const records = recordsOf(40);
  await fixture.store.commitAll(records);
  await fixture.close();
  const path = `${fixture.directory}/catalog.db`;
  {
    using database = new Database(path);
    database.exec(firstSchema);
  }
  const whole = await Deno.readFile(path);
  const pageBytes = 4096;
  for (let page = 1; page < whole.length / pageBytes; page++) {
    // A page that says it has a row less: a walk over the table sees nothing wrong in it.
    const damaged = whole.slice();
    const cells = new DataView(damaged.buffer, page * pageBytes + 3, 2);
    cells.setUint16(0, Math.max(0, cells.getUint16(0) - 1));
    await Deno.writeFile(path, damaged);
    const { catalog } = await fixture.reopen();
    const { files } = catalog.counts();
    assert(files === records.length || files === 0, `page ${page}: ${files} files`);
    await fixture.close();
    for await (const { name } of Deno.readDir(fixture.directory)) {
      if (name.startsWith("catalog.db")) await Deno.remove(`${fixture.directory}/${name}`);
    }
  }
});

Deno.test("a record that a disk has changed is passed by, and then dropped to be fetched again", async () => {
  await using fixture = await StoreFixture.open();
  const records = ["a", "b", "c", "d", "e"].map((name, i) =>
    testPush(name, `push-${name}`, bytesOf(name)).record(i)
  );
  await fixture.store.commitAll(records);
  const whole = fixture.store.catalog.digest.root();
  await fixture.close();
  {
    using database = new Database(`${fixture.directory}/catalog.db`);
    database.exec(`UPDATE records SET body = replace(body, '"kind"', '"kimd"') WHERE name = 'b'`);
  }
  const { catalog } = await fixture.reopen();
  assertEquals(catalog.digest.root(), whole);
  assertEquals(catalog.records("", 3).map(({ name }) => name), ["a", "c", "d"]);
  assertEquals(catalog.record("b"), undefined);
  assertEquals(await fixture.store.inspect(), "ok");
  assert(catalog.digest.root() !== whole);
  assertEquals(catalog.highestVersion("b"), undefined);
  await fixture.store.commitAll(records);
  assertEquals(catalog.digest.root(), whole);
  assertEquals(catalog.record("b"), records[1]);
});

Deno.test("Catalog.recordsInBuckets() gives the same for few and for many buckets", async () => {
  await using fixture = await StoreFixture.open();
  const records = recordsOf(400);
  await fixture.store.commitAll(records);
  for (const count of [1, 127, 128, 1024]) {
    const buckets = Array.from({ length: count }, (_, i) => i);
    const expected = records.filter(({ name }) => bucketOf(name) < count)
      .toSorted((a, b) => compareNames(a.name, b.name));
    const found = [];
    for (;;) {
      const page = fixture.store.catalog.recordsInBuckets(buckets, found.at(-1)?.name ?? "", 50);
      found.push(...page);
      if (page.length < 50) break;
    }
    assertEquals(found, expected, `${count} buckets`);
  }
});

Deno.test("Database.transaction() changes all or nothing", async () => {
  const directory = await Deno.makeTempDir();
  try {
    using database = new Database(`${directory}/x.db`);
    database.exec("CREATE TABLE t (k TEXT PRIMARY KEY) STRICT");
    const insert = database.prepare("INSERT INTO t VALUES (?)");
    assertThrows(() =>
      database.transaction(() => {
        insert.run("a");
        insert.run("a");
      })
    );
    assertEquals(database.prepare("SELECT count(*) n FROM t").get()?.n, 0);
    assertEquals(database.damage, undefined);
    database.markDamaged("a test says so");
    assertEquals(database.damage, "a test says so");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("a damaged catalog refuses changes until it is inspected", async () => {
  await using fixture = await StoreFixture.open();
  const { store } = fixture;
  await store.commit(push.record(1));
  await Deno.remove(`${fixture.directory}/catalog.db`);
  // SQLite does not notice; the node does at its next look.
  await store.commit(other.record(2));
  assertEquals(await store.inspect(), "salvaged");
  assertEquals(store.catalog.list("", 5).map(({ name }) => name), ["a.txt", "b.txt"]);
  assert(new CatalogDamagedError("x") instanceof StoreError);
});

/** Has the system refuse a new file in the place of a catalog, whose old one is closed by then. */
function refuseRenamesTo(path: string): Disposable {
  const renameSync = Deno.renameSync;
  Deno.renameSync = (from, to) => {
    if (to === path) throw new Error("Too many open files (os error 24)");
    renameSync(from, to);
  };
  return { [Symbol.dispose]: () => void (Deno.renameSync = renameSync) };
}
