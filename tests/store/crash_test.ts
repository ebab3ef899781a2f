import { assert, assertEquals } from "@std/assert";
import type { ChunkStore } from "../../src/store/chunk_store.ts";
import { DamagedChunkError } from "../../src/store/errors.ts";
import type { StoreStep } from "../../src/store/failpoint.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import {
  bytesOf,
  copyDirectory,
  ownParts,
  readChunk,
  stageOwn,
  stagePart,
  StoreFixture,
  type TestPush,
  testPush,
  tombstone,
} from "../support/store_fixture.ts";

/**
 * These tests run a story once and copy the store's directory at every step that a crash could hit. Each
 * copy is then opened as the next start would, and must hold what was confirmed until then.
 *
 * A killed process leaves files and catalog as they are. A power cut may in addition take what was not
 * synced: there the copy gets the catalog as it was synced last, while the files are as far as they were,
 * which is the worst order in which a disk may have written them.
 */

const first = testPush("a.txt", "push-1", bytesOf("first version. "));
const second = testPush("a.txt", "push-2", bytesOf("the second version is longer. "));
const third = testPush("a.txt", "push-3", bytesOf("THIRD version. "));
const pushes = [first, second, third];

/** What was confirmed, as the story goes on. */
class Confirmed {
  /** Pushes of which `self` has confirmed both parts, and which are not aborted. */
  staged = new Set<TestPush>();
  /** The version of `a.txt` whose commit was confirmed last. */
  version = 0;
  /** The version that is being committed now. */
  committing = 0;
  /** Whether chunks of replaced pushes may be gone. */
  collected = false;
  /** Pushes that are being aborted, or are. */
  aborted = new Set<TestPush>();

  copy(): Confirmed {
    const copy = new Confirmed();
    Object.assign(copy, this);
    copy.staged = new Set(this.staged);
    copy.aborted = new Set(this.aborted);
    return copy;
  }
}

interface Crash {
  readonly label: string;
  readonly directory: string;
  readonly confirmed: Confirmed;
  readonly isPowerCut: boolean;
}

/** Which push each version of `a.txt` belongs to in the story; `undefined` is the delete. */
const pushOfVersion: Record<number, TestPush | undefined> = {
  1: first,
  2: second,
  3: first,
  4: undefined,
  5: third,
};

/** Two pushes race, one comes back, is deleted, and a third one comes; one is aborted. */
async function tellStory(
  store: ChunkStore,
  confirmed: Confirmed,
  wait: (ms: number) => Promise<void>,
) {
  const stage = async (push: TestPush) => {
    await stageOwn(store, push);
    confirmed.staged.add(push);
  };
  const commit = async (version: number) => {
    confirmed.committing = version;
    const push = pushOfVersion[version];
    const record = push === undefined ? tombstone("a.txt", version) : push.record(version);
    const result = await store.commit(record);
    assertEquals(result, { outcome: "stored", missing: [], unverified: [] });
    confirmed.version = version;
  };
  await stage(first);
  await stage(second);
  await commit(1);
  await commit(2);
  await commit(3);
  await commit(4);
  const gone = testPush("a.txt", "push-gone", bytesOf("never committed"));
  await stage(gone);
  confirmed.aborted.add(gone);
  assertEquals(await store.abort(gone.pushId), true);
  confirmed.collected = true;
  await wait(60_000);
  assertEquals(await store.collect(), 4);
  await stage(third);
  await commit(5);
}

async function crashesOf(
  durability: "fsync" | "relaxed",
): Promise<{ crashes: Crash[]; root: string }> {
  const root = await Deno.makeTempDir();
  const crashes: Crash[] = [];
  const confirmed = new Confirmed();
  let isTold = false;
  const syncedCatalog = `${root}/synced`;
  const keepCatalog = () => {
    Deno.mkdirSync(syncedCatalog, { recursive: true });
    for (const suffix of ["", "-wal"]) {
      const from = `${fixture.directory}/catalog.db${suffix}`;
      Deno.copyFileSync(from, `${syncedCatalog}/catalog.db${suffix}`);
    }
  };
  const failpoint = (step: StoreStep) => {
    if (!isTold) return;
    if (step === "commit: rows durable") keepCatalog();
    for (const isPowerCut of durability === "fsync" ? [false, true] : [false]) {
      const label = `crash ${crashes.length} at "${step}"${isPowerCut ? ", power cut" : ""}`;
      const directory = `${root}/crash-${crashes.length}`;
      copyDirectory(fixture.directory, directory);
      if (isPowerCut) copyDirectory(syncedCatalog, directory);
      crashes.push({ label, directory, confirmed: confirmed.copy(), isPowerCut });
    }
  };
  const fixture = await StoreFixture.open({ durability, failpoint });
  await using _closed = fixture;
  keepCatalog();
  isTold = true;
  await tellStory(fixture.store, confirmed, (ms) => fixture.clock.advance(ms));
  isTold = false;
  return { crashes, root };
}

for (const durability of ["fsync", "relaxed"] as const) {
  Deno.test(`ChunkStore holds what it confirmed after a crash at every step, ${durability}`, async () => {
    const { crashes, root } = await crashesOf(durability);
    try {
      assert(crashes.length > 60, `${crashes.length} crashes`);
      for (const crash of crashes) {
        try {
          await checkCrash(crash, durability);
        } catch (error) {
          throw new Error(crash.label, { cause: error });
        }
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

async function checkCrash(crash: Crash, durability: "fsync" | "relaxed"): Promise<void> {
  const { confirmed } = crash;
  await using fixture = await StoreFixture.open({ durability }, crash.directory);
  const { store } = fixture;
  assertEquals(
    fixture.files("staging").filter((name) => name.endsWith(".tmp")),
    [],
    "no partial file is left",
  );
  assertEquals(fixture.files("quarantine"), [], "nothing seems damaged");

  // The record is that of the last confirmed commit, or of the one that was under way.
  const version = Number(store.catalog.highestVersion("a.txt")?.slice(8) ?? 0);
  assert([confirmed.version, confirmed.committing].includes(version), `version ${version}`);
  checkFiles(fixture, version, "after the start");

  // Everything confirmed is there, by its push id.
  for (const push of confirmed.staged) {
    const isCurrent = pushOfVersion[version] === push;
    if (confirmed.aborted.has(push) || confirmed.collected && !isCurrent && push !== third) {
      continue;
    }
    await checkReadable(store, push, !isCurrent);
  }

  // The next version is taken as if nothing had happened.
  const next = Math.max(confirmed.committing, version);
  const push = pushOfVersion[next];
  if (next > 0) {
    const record = push === undefined ? tombstone("a.txt", next) : push.record(next);
    const result = await store.commit(record);
    assert(result.outcome !== "higher");
    assertEquals(result.missing, []);
    assertEquals(await store.missing(record), []);
    if (push !== undefined) await checkReadable(store, push, false);
    checkFiles(fixture, next, "after the commit");
  }

  // What nobody needs goes: nothing is left that is not known.
  for (const { pushId } of store.stagedPushes()) await store.abort(pushId);
  await fixture.clock.advance(60_000);
  await store.collect();
  assertEquals(
    [...fixture.files("staging"), ...fixture.files("retired")],
    [],
    "all is cleared away",
  );
  assertEquals(fixture.files("quarantine"), []);
  await fixture.reopen();
  checkFiles(fixture, next, "after the second start");
  assertEquals(fixture.store.usage().staging.bytes + fixture.store.usage().retired.bytes, 0);
}

/** The files under the chunk names are those of the version, or not there when it is a delete. */
function checkFiles(fixture: StoreFixture, version: number, when: string): void {
  const push = pushOfVersion[version];
  const files = [...fixture.files("content"), ...fixture.files("backup")];
  if (push === undefined) return assertEquals(files, [], when);
  assertEquals(files.length, ownParts.length, `${when}: ${files}`);
  for (const { part } of ownParts) {
    assertEquals(Deno.readFileSync(fixture.slot(push, part)), push.parts[part], when);
  }
}

/**
 * Both parts of a push are read right; where a row was not written yet, or was lost, the files are there
 * and only the push id is known at first.
 */
async function checkReadable(store: ChunkStore, push: TestPush, mayBeUnknown: boolean) {
  for (const { part } of ownParts) {
    try {
      const bytes = await readChunk(store, push.pushId, part);
      if (bytes === undefined && mayBeUnknown && isKept(store, push)) continue;
      assertEquals(bytes, push.parts[part], `part ${part} of ${push.pushId}`);
    } catch (error) {
      assert(!(error instanceof DamagedChunkError), `part ${part} of ${push.pushId} is damaged`);
      throw error;
    }
  }
}

function isKept(store: ChunkStore, push: TestPush): boolean {
  return store.chunks(undefined, 100).filter(({ pushId }) => pushId === push.pushId).length === 2;
}

Deno.test("ChunkStore gives right bytes or none when catalog and files are of different times", async () => {
  const { crashes, root } = await crashesOf("relaxed");
  try {
    const random = new SeededRandom(4);
    for (let round = 0; round < 60; round++) {
      const files = random.pick(crashes);
      const catalog = random.pick(crashes);
      const label = `files of ${files.label}, catalog of ${catalog.label}`;
      const directory = `${root}/round-${round}`;
      copyDirectory(files.directory, directory);
      for (const suffix of ["", "-wal"]) {
        await Deno.copyFile(
          `${catalog.directory}/catalog.db${suffix}`,
          `${directory}/catalog.db${suffix}`,
        );
      }
      try {
        await checkMixed(directory);
      } catch (error) {
        throw new Error(label, { cause: error });
      }
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

async function checkMixed(directory: string): Promise<void> {
  await using fixture = await StoreFixture.open({ durability: "relaxed" }, directory);
  const { store } = fixture;
  for (const push of pushes) {
    for (const { part } of ownParts) {
      try {
        const bytes = await readChunk(store, push.pushId, part);
        if (bytes !== undefined) {
          assertEquals(bytes, push.parts[part], `part ${part} of ${push.pushId}`);
        }
      } catch (error) {
        assert(error instanceof DamagedChunkError, String(error));
      }
    }
  }
  // Repair brings everything back.
  const result = await store.commit(third.record(6));
  assert(result.outcome === "stored");
  for (const part of await store.missing(third.record(6))) {
    await stagePart(store, third, part, part);
  }
  assertEquals((await store.commit(third.record(6))).outcome, "same");
  assertEquals(await store.missing(third.record(6)), []);
  await checkReadable(store, third, false);
  for (const { pushId } of store.stagedPushes()) await store.abort(pushId);
  await fixture.clock.advance(60_000);
  await store.collect();
  assertEquals([...fixture.files("staging"), ...fixture.files("retired")], []);
  checkFiles(fixture, 5, "after the repair");
}

Deno.test("the crash tests know every push of their story", () => {
  assertEquals(new Set(Object.values(pushOfVersion)).size, pushes.length + 1);
});
