import type { NodeAddress } from "../protocol/address.ts";
import { partsMax } from "../protocol/limits.ts";
import { isId, quote } from "../protocol/names.ts";
import { BlockChecksums } from "./block_checksums.ts";
import type { ChunkRow } from "./chunk_table.ts";
import { commitRecords, hasLength } from "./commit.ts";
import type { StoreCore } from "./core.ts";
import { EarlySync, syncBytesOf } from "./early_sync.ts";
import { StoreError } from "./errors.ts";
import type { Failpoint } from "./failpoint.ts";
import { removeIfThere } from "./if_there.ts";
import { formatKey } from "./paths.ts";
import { partialSuffix } from "./recovery.ts";
import {
  type PartialFile,
  type StagedChunk,
  type StagingSite,
  StagingWriter,
  writeError,
  writeNow,
} from "./staging_writer.ts";
import { GroupSync, syncDirectory } from "./sync.ts";

/**
 * Aborted pushes that are remembered, so that bytes of them which arrive late are refused. Of more the
 * oldest are forgotten; what arrives then stays in staging until somebody asks after it again.
 */
const abortedPushesMax = 4096;

/** A chunk with all its bytes. */
export interface WholeCopy {
  readonly chunk: StagedChunk;
  readonly bytes: Uint8Array;
}

/** What is in staging of one push. */
export interface StagedPush {
  readonly pushId: string;
  /** `undefined`, as the two below, if a power cut took the row: only the push id is left. */
  readonly name: string | undefined;
  /** Who can tell what became of the push. */
  readonly coordinator: NodeAddress | undefined;
  /** The coordinator's incarnation then. */
  readonly incarnation: string | undefined;
  /** When its first chunk was staged, ms since the epoch, by this node's clock. */
  readonly timeMs: number;
  /** Bytes. */
  readonly bytes: number;
}

/**
 * The bytes of pushes that are not committed.
 *
 * 1. A file gets its name in `staging/` when all its bytes are in it; until then its name says that it
 *    is partial, and the next start deletes it. A small one is written under its name at once: what a
 *    crash leaves of it was never confirmed, and has not the length that its record says.
 * 2. A chunk of a push that is committed already goes on to its place at once.
 * 3. A chunk is confirmed when its file, and the name of it, are synced. Its row need not be: the name
 *    is enough to find the bytes again once the record comes.
 */
export class Staging implements StagingSite {
  readonly failpoint: Failpoint;
  readonly #core: StoreCore;
  readonly #namesSync: GroupSync;
  readonly #writers = new Set<StagingWriter>();
  readonly #aborted = new Set<string>();
  /** The syncs under way, by chunk. */
  readonly #syncing = new Map<string, Promise<unknown>>();
  #filesMade = 0;

  constructor(core: StoreCore) {
    this.#core = core;
    this.failpoint = core.failpoint;
    this.#namesSync = new GroupSync(() => syncDirectory(core.paths.staging));
  }

  /** Begins to receive a chunk. @throws {StoreError}, {@linkcode RangeError} for a bad key */
  stage(chunk: StagedChunk): StagingWriter {
    const writer = new StagingWriter(chunk, this, this.#createFile(chunk));
    this.#writers.add(writer);
    return writer;
  }

  /**
   * Stages small chunks of one push whose bytes are all here: one file each, made, written and closed in
   * one go, and no transaction.
   */
  async stageAll(copies: readonly WholeCopy[]): Promise<void> {
    const [first] = copies;
    if (first === undefined) return;
    const { pushId } = first.chunk;
    for (const copy of copies) checkCopy(copy, pushId);
    this.#refuseAborted(first.chunk);
    const { catalog } = this.#core;
    const isUnwritten = !catalog.knowsPush(pushId);
    const { chunkTable } = catalog;
    const known = isUnwritten ? chunkTable.laterOf(pushId) : chunkTable.ofPush(pushId);
    const again: WholeCopy[] = [];
    const made: { readonly row: ChunkRow; readonly file: Deno.FsFile }[] = [];
    try {
      for (const copy of copies) {
        const isKnown = known.some(({ part }) => part === copy.chunk.part);
        const staged = isKnown ? undefined : this.#write(copy, isUnwritten);
        if (staged === undefined) again.push(copy);
        else made.push(staged);
      }
      if (this.#isSynced && made.length > 0) {
        // Their names are all there: one sync does for them.
        const named = this.#namesSync.wait();
        const syncs = made.map(({ row, file }) => this.#sync(row, file, [named]));
        const synced = await Promise.allSettled(syncs);
        for (const result of synced) if (result.status === "rejected") throw result.reason;
      }
    } finally {
      for (const { file } of made) file.close();
    }
    // Nothing waited if nothing was synced: there still is no record of the push.
    const isNews = isUnwritten && !this.#isSynced;
    if (made.length > 0 && !isNews) await this.#staged(first.chunk);
    for (const { chunk, bytes } of again) await this.#stageAgain(chunk, bytes);
  }

  /** Makes the file of a copy; nothing if there is one of that name. */
  #write(
    { chunk, bytes }: WholeCopy,
    isUnwritten: boolean,
  ): { row: ChunkRow; file: Deno.FsFile } | undefined {
    const sums = new BlockChecksums();
    sums.update(bytes);
    const row = this.#rowOf(chunk, sums.finish());
    const path = this.#core.paths.file("staging", row);
    const file = createNow(path, chunk);
    if (file === undefined) return undefined;
    try {
      this.failpoint("stage: file created");
      writeNow(file, bytes);
      this.failpoint("stage: bytes written");
    } catch (error) {
      file.close();
      removeIfThere(path);
      throw writeError(chunk, path, error);
    }
    this.#core.catalog.chunkTable.putLater(row, isUnwritten);
    return { row, file };
  }

  /** The way of a chunk that may be here already. */
  async #stageAgain(chunk: StagedChunk, bytes: Uint8Array): Promise<void> {
    await using writer = this.stage(chunk);
    await writer.write(bytes);
    await writer.finish();
  }

  async admit(chunk: StagedChunk, partial: PartialFile, checksums: string): Promise<void> {
    using file = partial.file;
    const row = this.#rowOf(chunk, checksums);
    try {
      if (!this.#nameFile(row, partial.path)) {
        // The same bytes came before; those may be on their way to the disk yet.
        await this.#syncing.get(formatKey(row));
        return;
      }
    } catch (error) {
      removeIfThere(partial.path);
      throw error;
    }
    if (this.#isSynced) {
      await this.#sync(row, file, [this.#namesSync.wait(), partial.early?.settled()]);
    }
    await this.#staged(chunk);
  }

  /** A chunk is here: if its push is committed already it goes on to its place. */
  async #staged(chunk: StagedChunk): Promise<void> {
    this.#refuseAborted(chunk);
    const record = this.#core.catalog.pushOf(chunk.pushId);
    if (record !== undefined) await commitRecords(this.#core, [{ record }]);
  }

  ended(writer: StagingWriter): void {
    this.#writers.delete(writer);
  }

  /** Drops what is staged of a push, and refuses what comes later; false if it is committed. */
  async abort(pushId: string): Promise<boolean> {
    const { catalog } = this.#core;
    if (catalog.pushOf(pushId) !== undefined) return false;
    this.#aborted.add(pushId);
    for (const oldest of this.#aborted) {
      if (this.#aborted.size <= abortedPushesMax) break;
      this.#aborted.delete(oldest);
    }
    for (const writer of [...this.#writers]) {
      if (writer.chunk.pushId === pushId) await writer.abandon();
    }
    // While it waited a record may have come.
    if (catalog.pushOf(pushId) !== undefined) return false;
    this.#drop(catalog.chunkTable.ofPush(pushId));
    return true;
  }

  /** What is staged, by push. */
  pushes(): StagedPush[] {
    const pushes = new Map<string, StagedPush>();
    for (const row of this.#core.catalog.chunkTable.staged()) {
      const { pushId, coordinator, incarnation } = row;
      const known = pushes.get(pushId);
      pushes.set(pushId, {
        pushId,
        name: known?.name ?? (row.name === "" ? undefined : row.name),
        coordinator: known?.coordinator ?? coordinator,
        incarnation: known?.incarnation ?? incarnation,
        timeMs: Math.min(known?.timeMs ?? row.timeMs, row.timeMs),
        bytes: (known?.bytes ?? 0) + row.length,
      });
    }
    return [...pushes.values()];
  }

  /** Bytes that are staged or announced. */
  bytes(): number {
    let bytes = this.#core.catalog.chunkTable.stagedBytes();
    for (const writer of this.#writers) bytes += writer.chunk.length;
    return bytes;
  }

  /** Gives up all that is being received. */
  async close(): Promise<void> {
    for (const writer of [...this.#writers]) await writer.abandon();
  }

  #createFile(chunk: StagedChunk): PartialFile {
    checkChunk(chunk);
    this.#refuseAborted(chunk);
    const name = `${formatKey(chunk)}.${++this.#filesMade}${partialSuffix}`;
    const path = `${this.#core.paths.staging}/${name}`;
    try {
      const file = Deno.openSync(path, { createNew: true, write: true });
      this.failpoint("stage: file created");
      const early = this.#isSynced ? new EarlySync(() => syncBytesOf(path)) : undefined;
      return { file, path, early };
    } catch (error) {
      throw writeError(chunk, path, error);
    }
  }

  /**
   * Writes the row and gives the file its name; false if the chunk is here already and the file is not
   * needed. Nothing is left but the file when it throws.
   */
  #nameFile(row: ChunkRow, path: string): boolean {
    const { catalog, paths } = this.#core;
    this.#refuseAborted(row);
    const known = catalog.chunkTable.get(row);
    if (this.#isHere(row)) {
      removeIfThere(path);
      return false;
    }
    this.#core.change(() => catalog.chunkTable.put(row));
    this.failpoint("stage: row written");
    try {
      Deno.renameSync(path, paths.file("staging", row));
    } catch (error) {
      // What was staged before still is.
      const isStaged = known?.place === "staging";
      this.#core.change(() =>
        isStaged ? catalog.chunkTable.put(known) : catalog.chunkTable.remove(row)
      );
      throw error;
    }
    this.failpoint("stage: file named");
    return true;
  }

  get #isSynced(): boolean {
    return this.#core.options.durability === "fsync";
  }

  /** @param others what else has to be synced before the chunk is confirmed */
  async #sync(
    row: ChunkRow,
    file: Deno.FsFile,
    others: readonly (Promise<unknown> | undefined)[],
  ): Promise<void> {
    const name = formatKey(row);
    const syncing = Promise.all([file.syncData(), ...others]);
    this.#syncing.set(name, syncing);
    try {
      await syncing;
    } catch (error) {
      this.#drop([row]);
      throw error;
    } finally {
      if (this.#syncing.get(name) === syncing) this.#syncing.delete(name);
    }
    this.failpoint("stage: synced");
  }

  /** Removes the staged ones among some chunks. */
  #drop(rows: readonly ChunkRow[]): void {
    const { catalog, placer } = this.#core;
    const staged = rows.map((row) => catalog.chunkTable.get(row))
      .filter((row) => row?.place === "staging");
    if (staged.length === 0) return;
    for (const row of staged) if (row !== undefined) removeIfThere(placer.file(row));
    this.failpoint("abort: file removed");
    this.#core.change(() => {
      for (const row of staged) if (row !== undefined) catalog.chunkTable.remove(row);
    });
  }

  /** Whether the chunk is stored with these bytes; one that is not what it should be makes room. */
  #isHere(row: ChunkRow): boolean {
    const { catalog, placer } = this.#core;
    const known = catalog.chunkTable.get(row);
    if (known === undefined) return false;
    const isSame = known.verified && known.checksums === row.checksums;
    if (known.place === "staging" && !isSame) return false;
    if (!hasLength(placer.file(known), known.length)) {
      this.#core.discard(known, "its file has another length");
      return false;
    }
    if (isSame) {
      if (known.place === "retired") {
        // It must not be collected before the commit that it is staged for.
        this.#core.change(() => catalog.chunkTable.setPlace(known, "staging"));
        this.#core.settle([known]);
      }
      return true;
    }
    if (known.verified) {
      throw new StoreError(`${quote(row.name)} is stored with other bytes by the same push`);
    }
    this.#core.discard(known, "nobody knows whether its bytes are right");
    return false;
  }

  #rowOf(chunk: StagedChunk, checksums: string): ChunkRow {
    const { pushId, name, parts, part, copy, length, coordinator, incarnation } = chunk;
    const who = { coordinator, incarnation, timeMs: this.#core.options.clock.wallMs() };
    const at = { place: "staging", at: "staging" } as const;
    return { pushId, part, name, parts, copy, ...at, length, checksums, verified: true, ...who };
  }

  #refuseAborted({ name, pushId }: { readonly name: string; readonly pushId: string }): void {
    if (!this.#aborted.has(pushId)) return;
    // A record is above whatever was said before.
    if (this.#core.catalog.pushOf(pushId) !== undefined) return;
    throw new StoreError(`The push of ${quote(name)} was aborted`);
  }
}

function checkCopy({ chunk, bytes }: WholeCopy, pushId: string): void {
  checkChunk(chunk);
  if (bytes.length !== chunk.length) {
    throw new RangeError(`${bytes.length} bytes for a chunk of ${chunk.length}`);
  }
  if (chunk.pushId !== pushId) throw new RangeError("The chunks are of different pushes");
}

function checkChunk({ pushId, name, part, parts, copy, length }: StagedChunk): void {
  const areCounts = [part, parts, copy, length].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!isId(pushId) || !areCounts || part >= parts || parts > partsMax) {
    throw new RangeError(`Part ${part} of ${parts} of push ${quote(pushId)} cannot be`);
  }
  if (name === "" || /[/\0]/.test(name)) throw new RangeError(`${quote(name)} is no file name`);
}

/** Makes a file; nothing if there is one of that name. */
function createNow(path: string, chunk: StagedChunk): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path, { createNew: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return undefined;
    throw writeError(chunk, path, error);
  }
}
