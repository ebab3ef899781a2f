import { parseAddress } from "../../src/protocol/address.ts";
import { chunkName, partLengths } from "../../src/protocol/names.ts";
import type { StoredFile, Tombstone } from "../../src/protocol/record.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { BlockChecksums } from "../../src/store/block_checksums.ts";
import { ChunkStore } from "../../src/store/chunk_store.ts";
import type { LostChunk, StoreOptions } from "../../src/store/core.ts";
import type { WholeCopy } from "../../src/store/staging.ts";
import { FakeClock } from "./fake_clock.ts";

/** Three nodes, of which the store under test is the first. */
export const nodes = ["127.0.0.1:7000", "127.0.0.1:7001", "127.0.0.1:7002"].map((text) => {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
});

/** The node whose store is tested. */
export const self = address(0);

/** The i-th of {@linkcode nodes}. */
export function address(index: number): (typeof nodes)[number] {
  const node = nodes[index];
  if (node === undefined) throw new RangeError(`There is no node ${index}`);
  return node;
}

/** A ULID that sorts by its number. */
export function ulid(number: number): string {
  return `01HF7YAT${String(number).padStart(18, "0")}`;
}

/** A push, with its bytes, that the test stages and commits as it likes. */
export interface TestPush {
  readonly name: string;
  readonly pushId: string;
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
  /** The record of the push under a version. */
  record(version: number): StoredFile;
}

/**
 * A push of two copies from `self` over {@linkcode nodes}: `self` holds part 0, and backs up part 1.
 *
 * @param fill the bytes of the file
 */
export function testPush(name: string, pushId: string, fill: Uint8Array): TestPush {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const length of partLengths(fill.length, nodes.length)) {
    parts.push(fill.slice(at, at + length));
    at += length;
  }
  const placement = parts.map((bytes, part) => ({
    nodes: [address(part), address((part + nodes.length - 1) % nodes.length)],
    length: bytes.length,
    checksums: checksumsOf(bytes),
  }));
  const record = (version: number): StoredFile => ({
    kind: "file",
    name,
    version: ulid(version),
    pushId,
    size: fill.length,
    sha256: "0".repeat(64),
    start: self,
    timeMs: version,
    foreign: false,
    placement,
  });
  return { name, pushId, parts, record };
}

/** The parts of a {@linkcode testPush} that `self` keeps: its own, and the backup of the next. */
export const ownParts = [{ part: 0, copy: 0 }, { part: 1, copy: 1 }] as const;

/** A delete. */
export function tombstone(name: string, version: number): Tombstone {
  const pushId = `delete-${version}`;
  return { kind: "tombstone", name, version: ulid(version), pushId, timeMs: version };
}

/** Bytes of a text, repeated to a length. */
export function bytesOf(text: string, length = text.length): Uint8Array<ArrayBuffer> {
  const unit = new TextEncoder().encode(text);
  return Uint8Array.from({ length }, (_, i) => unit[i % unit.length] ?? 0);
}

/** The checksums of some bytes, as a record has them. */
export function checksumsOf(bytes: Uint8Array): string {
  const checksums = new BlockChecksums();
  checksums.update(bytes);
  return checksums.finish();
}

/** Stages what `self` keeps of a push. */
export async function stageOwn(store: ChunkStore, push: TestPush): Promise<void> {
  await store.stageAll(ownParts.map(({ part, copy }) => wholeCopy(push, part, copy)));
}

/** Stages one part of a push. */
export async function stagePart(
  store: ChunkStore,
  push: TestPush,
  part: number,
  copy: number,
): Promise<void> {
  await store.stageAll([wholeCopy(push, part, copy)]);
}

function wholeCopy({ name, pushId, parts }: TestPush, part: number, copy: number): WholeCopy {
  const bytes = parts[part] ?? new Uint8Array();
  const from = { coordinator: self, incarnation: "incarnation-1" };
  const chunk = { name, pushId, parts: parts.length, part, copy, length: bytes.length, ...from };
  return { chunk, bytes };
}

/** All bytes of a chunk as the store gives them; `undefined` if it has none. */
export async function readChunk(
  store: ChunkStore,
  pushId: string,
  part: number,
): Promise<Uint8Array | undefined> {
  using reader = await store.open(pushId, part);
  if (reader === undefined) return undefined;
  const bytes = new Uint8Array(reader.length);
  let at = 0;
  for (let block = 0; block < reader.blocks; block++) {
    at += await reader.readBlock(block, bytes.subarray(at));
  }
  return bytes;
}

/** A store in a temporary directory. */
export class StoreFixture implements AsyncDisposable {
  readonly directory: string;
  readonly clock: FakeClock;
  readonly lost: LostChunk[] = [];
  readonly #options: Partial<StoreOptions>;
  #store: ChunkStore | undefined;

  private constructor(directory: string, options: Partial<StoreOptions>) {
    this.directory = directory;
    this.clock = new FakeClock(1_000_000);
    this.#options = options;
  }

  /** Opens a new store, or one on a directory that the fixture takes over. */
  static async open(
    options: Partial<StoreOptions> = {},
    directory = Deno.makeTempDirSync(),
  ): Promise<StoreFixture> {
    const fixture = new StoreFixture(directory, options);
    await fixture.reopen();
    return fixture;
  }

  get store(): ChunkStore {
    if (this.#store === undefined) throw new Error("The store is not open");
    return this.#store;
  }

  /** Closes the store, if it is open. */
  async close(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.close();
  }

  /** Closes the store and opens it again. */
  async reopen(): Promise<ChunkStore> {
    await this.close();
    return this.#store = await ChunkStore.open({
      directory: this.directory,
      self,
      durability: "relaxed",
      clock: this.clock,
      log: silentLogger,
      onDamaged: (chunk) => this.lost.push(chunk),
      ...this.#options,
    });
  }

  /** The files in one of the store's directories, sorted. */
  files(place: "staging" | "content" | "backup" | "retired" | "quarantine"): string[] {
    return [...Deno.readDirSync(`${this.directory}/${place}`)].map((entry) => entry.name).sort();
  }

  /** The file of a part of a push once it is placed. */
  slot(push: TestPush, part: number): string {
    const place = part === 0 ? "content" : "backup";
    return `${this.directory}/${place}/${chunkName(push.name, part, push.parts.length)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** Copies a directory as it is at this moment. */
export function copyDirectory(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyDirectory(`${from}/${name}`, `${to}/${name}`);
    else Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}
