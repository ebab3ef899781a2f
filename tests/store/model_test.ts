import { assert, assertEquals, assertRejects } from "@std/assert";
import { CatalogDigest } from "../../src/protocol/digest.ts";
import { DamagedChunkError, StoreError } from "../../src/store/errors.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import {
  copyDirectory,
  ownParts,
  readChunk,
  stagePart,
  StoreFixture,
  type TestPush,
  testPush,
  tombstone,
  ulid,
} from "../support/store_fixture.ts";

/**
 * Random operations on a store, with restarts, crashes and damage in between, beside a model in memory
 * that says what must be there. A failure names its seed.
 */

const seeds = 5;
const operationsPerSeed = 150;
const names = ["a.txt", "b.txt"];
const graceMs = 60_000;

/** A part of a push as the model has it; `nameless`: its row was lost, and only its record can tell. */
interface Held {
  readonly push: TestPush;
  readonly part: number;
  place: "staging" | "placed" | "retired";
  nameless: boolean;
  retiredMs: number;
}

/** The record of a name; `push` is undefined for a delete. */
interface Current {
  readonly version: number;
  readonly push: TestPush | undefined;
}

class Model {
  readonly held = new Map<string, Held>();
  readonly current = new Map<string, Current>();
  readonly aborted = new Set<string>();
  nowMs = 0;

  isCurrent(push: TestPush): boolean {
    return this.current.get(push.name)?.push === push;
  }

  stage(push: TestPush, part: number): void {
    const key = `${push.pushId}.${part}`;
    const place = this.isCurrent(push) ? "placed" : "staging";
    this.held.set(key, { push, part, place, nameless: false, retiredMs: 0 });
  }

  /** The expected outcome. */
  commit(name: string, version: number, push: TestPush | undefined): "stored" | "same" | "higher" {
    const known = this.current.get(name);
    if (known !== undefined && known.version > version) return "higher";
    const outcome = known?.version === version ? "same" : "stored";
    this.current.set(name, { version, push });
    for (const held of this.held.values()) {
      if (held.push.name !== name || held.push === push || held.place !== "placed") continue;
      held.place = "retired";
      held.retiredMs = this.nowMs;
    }
    for (const held of this.held.values()) {
      if (held.push !== push) continue;
      held.place = "placed";
      held.nameless = false;
    }
    return outcome;
  }

  abort(push: TestPush): boolean {
    if (this.isCurrent(push)) return false;
    this.aborted.add(push.pushId);
    for (const [key, held] of this.held) {
      if (held.push === push && held.place === "staging") this.held.delete(key);
    }
    return true;
  }

  collect(): number {
    const old = [...this.held].filter(([, held]) =>
      held.place === "retired" && held.retiredMs <= this.nowMs - graceMs
    );
    for (const [key] of old) this.held.delete(key);
    return old.length;
  }

  restart(): void {
    this.aborted.clear();
    for (const held of this.held.values()) held.retiredMs = this.nowMs;
  }

  digest(): string {
    const digest = new CatalogDigest();
    for (const [name, { version }] of this.current) digest.toggle(name, ulid(version));
    return digest.root();
  }
}

class Run {
  readonly model = new Model();
  readonly #random: SeededRandom;
  readonly #pushes: TestPush[] = [];
  #fixture: StoreFixture;
  #version = 1;

  constructor(seed: number, fixture: StoreFixture) {
    this.#random = new SeededRandom(seed);
    this.#fixture = fixture;
    this.model.nowMs = fixture.clock.nowMs();
  }

  get fixture(): StoreFixture {
    return this.#fixture;
  }

  /** Does something; says what. */
  async step(): Promise<string> {
    const random = this.#random;
    const roll = random.integer(100);
    if (roll < 35 || this.#pushes.length === 0) return await this.#stage();
    const push = random.pick(this.#pushes);
    if (roll < 55) return await this.#commit(push);
    if (roll < 60) return await this.#delete(random.pick(names));
    if (roll < 68) return await this.#abort(push);
    if (roll < 76) return await this.#collect();
    if (roll < 86) return await this.#damage();
    if (roll < 90) return await this.#restart();
    if (roll < 94) return await this.#crash();
    if (roll < 97) return await this.#removeCatalogWhileUp();
    return await this.#loseCatalog();
  }

  /** The store holds what the model holds, and nothing wrong. */
  async check(): Promise<void> {
    const { model } = this;
    const { store } = this.#fixture;
    assertEquals(store.catalog.digest.root(), model.digest(), "digest");
    for (const name of names) {
      const current = model.current.get(name);
      const expected = current === undefined
        ? undefined
        : current.push?.record(current.version) ?? tombstone(name, current.version);
      assertEquals(store.catalog.record(name), expected);
    }
    for (const push of this.#pushes) {
      for (const { part } of ownParts) {
        const key = `${push.pushId}.${part}`;
        const held = model.held.get(key);
        const bytes = await readChunk(store, push.pushId, part);
        const isReadable = held !== undefined && !held.nameless;
        assertEquals(bytes, isReadable ? push.parts[part] : undefined, key);
        if (held?.place === "placed") {
          assertEquals(Deno.readFileSync(this.#fixture.slot(push, part)), push.parts[part], key);
        }
      }
    }
    for (const place of ["staging", "retired"] as const) {
      const expected = [...model.held].filter(([, held]) => held.place === place)
        .map(([key]) => key).sort();
      assertEquals(this.#fixture.files(place), expected, place);
    }
  }

  async #stage(): Promise<string> {
    const random = this.#random;
    if (this.#pushes.length === 0 || random.integer(3) === 0) {
      const size = random.integer(4) === 0 ? 900_000 + random.integer(3) : random.integer(100);
      const unit = random.bytes(251);
      const fill = Uint8Array.from({ length: size }, (_, i) => unit[i % unit.length] ?? 0);
      const pushId = `push-${this.#pushes.length}`;
      this.#pushes.push(testPush(random.pick(names), pushId, fill));
    }
    const push = random.pick(this.#pushes);
    const { part, copy } = random.pick(ownParts);
    const { store } = this.#fixture;
    if (this.model.aborted.has(push.pushId) && !this.model.isCurrent(push)) {
      await assertRejects(() => stagePart(store, push, part, copy), StoreError, "aborted");
    } else {
      await stagePart(store, push, part, copy);
      this.model.stage(push, part);
    }
    return `stage ${push.pushId}.${part}`;
  }

  async #commit(push: TestPush): Promise<string> {
    // Mostly newer than all, now and then an old version or one again.
    const known = this.model.current.get(push.name);
    const isAgain = known?.push === push && this.#random.integer(2) === 0;
    const isOld = this.#random.integer(5) === 0 && known !== undefined && known.version > 1;
    const version = isAgain ? known.version : isOld ? known.version - 1 : ++this.#version;
    const result = await this.#fixture.store.commit(push.record(version));
    const outcome = this.model.commit(push.name, version, push);
    assertEquals(result.outcome, outcome);
    if (result.outcome !== "higher") {
      const missing = ownParts.map(({ part }) => part)
        .filter((part) => !this.model.held.has(`${push.pushId}.${part}`));
      assertEquals(result.missing, missing);
    }
    return `commit ${push.pushId} of ${push.name} as ${version}: ${outcome}`;
  }

  async #delete(name: string): Promise<string> {
    const version = ++this.#version;
    const result = await this.#fixture.store.commit(tombstone(name, version));
    assertEquals(result.outcome, this.model.commit(name, version, undefined));
    return `delete ${name} as ${version}`;
  }

  async #abort(push: TestPush): Promise<string> {
    assertEquals(await this.#fixture.store.abort(push.pushId), this.model.abort(push));
    return `abort ${push.pushId}`;
  }

  async #collect(): Promise<string> {
    const ms = this.#random.pick([0, 20_000, 59_999, 60_000]);
    await this.#fixture.clock.advance(ms);
    this.model.nowMs += ms;
    assertEquals(await this.#fixture.store.collect(graceMs), this.model.collect());
    return `collect after ${ms} ms`;
  }

  async #damage(): Promise<string> {
    const candidates = [...this.model.held].filter(([, held]) => !held.nameless);
    if (candidates.length === 0) return "nothing to damage";
    const [key, { push, part, place }] = this.#random.pick(candidates);
    const length = push.parts[part]?.length ?? 0;
    const how = length === 0 ? "remove" : this.#random.pick(["flip", "truncate", "remove"]);
    const { store, directory } = this.#fixture;
    const path = place === "placed"
      ? this.#fixture.slot(push, part)
      : `${directory}/${place}/${key}`;
    if (how === "remove") Deno.removeSync(path);
    else if (how === "truncate") Deno.truncateSync(path, this.#random.integer(length));
    else flipBit(path, this.#random.integer(length));
    this.model.held.delete(key);
    try {
      assertEquals(await readChunk(store, push.pushId, part), undefined);
    } catch (error) {
      assert(error instanceof DamagedChunkError && how === "flip", String(error));
    }
    return `${how} ${place} ${key}`;
  }

  async #restart(): Promise<string> {
    await this.#fixture.reopen();
    this.model.restart();
    return "restart";
  }

  async #crash(): Promise<string> {
    const copy = `${this.#fixture.directory}-copy`;
    copyDirectory(this.#fixture.directory, copy);
    await this.#fixture.close();
    Deno.removeSync(this.#fixture.directory, { recursive: true });
    Deno.renameSync(copy, this.#fixture.directory);
    await this.#fixture.reopen();
    this.model.restart();
    // The rows of what is staged are written now and then; the files tell by their names what they are.
    const named = new Map<string, boolean>(
      this.#fixture.store.chunks(undefined, 10_000).map((
        { pushId, part, name },
      ) => [`${pushId}.${part}`, name !== ""]),
    );
    for (const [key, held] of this.model.held) {
      const isNamed = named.get(key);
      assert(isNamed !== undefined, `${key} is known after a crash`);
      if (held.place === "staging") held.nameless = !isNamed;
    }
    return "crash";
  }

  async #removeCatalogWhileUp(): Promise<string> {
    const path = `${this.#fixture.directory}/catalog.db`;
    Deno.removeSync(this.#random.pick([path, `${path}-wal`]));
    assertEquals(await this.#fixture.store.inspect(), "salvaged");
    return "catalog removed while up";
  }

  async #loseCatalog(): Promise<string> {
    await this.#fixture.close();
    Deno.removeSync(`${this.#fixture.directory}/catalog.db`);
    await this.#fixture.reopen();
    this.model.restart();
    for (const held of this.model.held.values()) held.nameless = !this.model.isCurrent(held.push);
    // The peers know the records.
    const records = [...this.model.current].map(([name, { version, push }]) =>
      push?.record(version) ?? tombstone(name, version)
    );
    await this.#fixture.store.commitAll(records);
    for await (const { record, parts } of this.#fixture.store.missingRecords()) {
      const held = parts.map((part) => this.model.held.has(`${record.pushId}.${part}`));
      assertEquals(held, parts.map(() => false), "only what is missing is missed");
    }
    assertEquals(await this.#fixture.store.sweepStrays(), 0);
    return "catalog lost";
  }
}

function flipBit(path: string, at: number): void {
  const bytes = Deno.readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  Deno.writeFileSync(path, bytes);
}

for (let seed = 1; seed <= seeds; seed++) {
  Deno.test(`ChunkStore does as its model under random operations, seed ${seed}`, async () => {
    await using fixture = await StoreFixture.open();
    const run = new Run(seed, fixture);
    const done: string[] = [];
    try {
      for (let i = 0; i < operationsPerSeed; i++) {
        done.push(await run.step());
        await run.check();
      }
    } catch (error) {
      throw new Error(`seed ${seed}, after: ${done.slice(-12).join("; ")}`, { cause: error });
    }
  });
}
