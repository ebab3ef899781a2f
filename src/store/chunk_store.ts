import type { Amount } from "../protocol/node_metrics.ts";
import type { FileRecord } from "../protocol/record.ts";
import type { Catalog, CatalogState } from "./catalog.ts";
import type { ChunkReader } from "./chunk_reader.ts";
import type { ChunkSums } from "./chunk_table.ts";
import { commitRecords, type CommitResult } from "./commit.ts";
import { CommitGroup } from "./commit_group.ts";
import { makeDirectories, StoreCore, type StoreOptions } from "./core.ts";
import { StoreError } from "./errors.ts";
import { type DiskSpace, diskSpace } from "./free_space.ts";
import type { ChunkKey } from "./paths.ts";
import { type CheckResult, Shelf } from "./shelf.ts";
import { type StagedPush, Staging, type WholeCopy } from "./staging.ts";
import type { StagedChunk, StagingWriter } from "./staging_writer.ts";
import { type IncompleteFile, Upkeep } from "./upkeep.ts";

/** How long a replaced chunk stays for who may still want it. */
export const retiredGraceMs = 60_000;

/** One chunk of this node, for who walks over all of them. */
export interface ChunkInfo extends ChunkKey {
  /** Empty if nobody knows it. */
  readonly name: string;
  readonly parts: number;
  /** 0: the holder's copy; k: the k-th backup. */
  readonly copy: number;
  readonly place: "staging" | "content" | "backup" | "retired";
  /** Bytes. */
  readonly length: number;
}

/** What the chunks of a node take. */
export interface Usage {
  readonly content: Amount;
  readonly backup: Amount;
  readonly staging: Amount;
  readonly retired: Amount;
  /** Files in `quarantine/`. */
  readonly quarantineFiles: number;
}

/**
 * Everything that a node keeps: the catalog, and the chunks as files.
 *
 * ```text
 *            finish            commit             commit of another version
 *   bytes ───────────▶ staging ──────▶ content, backup ──────▶ retired ──────▶ deleted
 *                         │                  ▲                    │   collect
 *                         ▼ abort            └────────────────────┘
 *                      deleted                the push is current again
 * ```
 *
 * A chunk's bytes are named by push id and part, its file in `content/` and `backup/` by the chunk name
 * that users and original nodes know, which all versions of a file share. The table of chunks in the
 * catalog says which push a file belongs to.
 *
 * 1. *Rows first.* A change is made in the catalog, made durable, and only then followed by the files. A
 *    row says where a chunk belongs; files are moved there, again at the next start if need be.
 * 2. *One rename a move.* A file is at any moment in one place, and complete there: it is received under
 *    a name that says that it is partial.
 * 3. *Nothing is overwritten.* What lies under a chunk name moves to `retired/` before another version
 *    gets the name.
 * 4. *Nothing confirmed is deleted* but a staged chunk that its push's coordinator gave up, and a retired
 *    one after a time in which nobody had it open. What is damaged goes to `quarantine/`.
 * 5. *The higher version wins*, whatever the order in which records arrive, and how often.
 * 6. *No byte is read without its checksum.* Damage is an error, never other or fewer bytes.
 */
export class ChunkStore implements AsyncDisposable {
  readonly #core: StoreCore;
  readonly #staging: Staging;
  readonly #shelf: Shelf;
  readonly #upkeep: Upkeep;
  readonly #commits: CommitGroup;

  private constructor(core: StoreCore) {
    this.#core = core;
    this.#staging = new Staging(core);
    this.#shelf = new Shelf(core);
    this.#upkeep = new Upkeep(core, this.#shelf);
    this.#commits = new CommitGroup((commits) => commitRecords(core, commits));
  }

  /**
   * Opens the store of a node's directory, or makes one. What a crash interrupted is finished: committed
   * chunks that are still staged are placed, partly received files deleted.
   *
   * @throws {StoreError} if another process has the catalog open or a newer program wrote it
   */
  static async open(options: StoreOptions): Promise<ChunkStore> {
    const store = new ChunkStore(await StoreCore.open(options));
    await store.#placeCommitted();
    return store;
  }

  /** The names and their records; stays the same object when its database had to be replaced. */
  get catalog(): Catalog {
    return this.#core.catalog;
  }

  /**
   * Begins to receive a chunk.
   *
   * @throws {StoreError} if the file cannot be made or the push was aborted; {@linkcode RangeError} if
   * the chunk cannot be one
   */
  stage(chunk: StagedChunk): StagingWriter {
    return this.#staging.stage(chunk);
  }

  /**
   * Stages chunks of one push whose bytes are all at hand; durable when it resolves.
   *
   * @throws as {@linkcode stage}, {@linkcode StagingWriter.write} and {@linkcode StagingWriter.finish}
   */
  stageAll(copies: readonly WholeCopy[]): Promise<void> {
    return this.#staging.stageAll(copies);
  }

  /**
   * Drops what is staged of a push, also what is being received, and refuses what still comes.
   *
   * @returns false, and nothing is dropped, if the push is committed: it made the current record of a name
   */
  abort(pushId: string): Promise<boolean> {
    return this.#staging.abort(pushId);
  }

  /** The pushes of which something is staged. */
  stagedPushes(): StagedPush[] {
    return this.#staging.pushes();
  }

  /** Bytes that are staged, and that are announced of what is being received. */
  stagingBytes(): number {
    return this.#staging.bytes();
  }

  /**
   * Takes a record into the catalog and puts the chunks of its push, as far as they are here, in place.
   * Durable when it resolves; in any order, and as often as one likes.
   *
   * @param text the record in JSON, if it is at hand
   * @throws {StoreError} if the catalog cannot be written: then nobody knows whether it was
   */
  commit(record: FileRecord, text?: string): Promise<CommitResult> {
    return this.#commits.commit({ record, text });
  }

  /** The same alone and at once: the record is in the catalog when this returns its promise. */
  async commitAtOnce(record: FileRecord, text?: string): Promise<CommitResult> {
    const [result] = await commitRecords(this.#core, [{ record, text }]);
    if (result === undefined) throw new Error("A commit has no result");
    return result;
  }

  /**
   * The same for several records, in one transaction and with one sync; at most 1,000 is sensible. They
   * are in the catalog when this returns its promise.
   */
  commitAll(records: readonly FileRecord[]): Promise<readonly CommitResult[]> {
    return commitRecords(this.#core, records.map((record) => ({ record })));
  }

  /**
   * Places what is staged of a push that has no record, as an original node does without one. What lies
   * under the same chunk names is retired.
   */
  async placeForeign(pushId: string): Promise<void> {
    const { catalog } = this.#core;
    const retired: ChunkKey[] = [];
    const staged = catalog.chunkTable.ofPush(pushId).filter((row) =>
      row.place === "staging" && row.name !== ""
    );
    this.#core.change(() => {
      for (const row of staged) {
        const rival = catalog.chunkTable.onSlots(row.name).find((other) =>
          other.place === "placed" && other.part === row.part && other.parts === row.parts &&
          (other.copy === 0) === (row.copy === 0)
        );
        if (rival !== undefined) {
          catalog.chunkTable.setPlace(rival, "retired");
          retired.push(rival);
        }
        catalog.chunkTable.setPlace(row, "placed");
      }
    });
    for (const row of retired) this.#core.noteRetired(row);
    await this.#core.settleDurably([...retired, ...staged]);
  }

  /**
   * Opens a chunk by push and part, in whatever place it is.
   *
   * @returns `undefined` if it is not here, or was found damaged just now
   * @throws {StoreError} if this process cannot open it
   */
  open(pushId: string, part: number): Promise<ChunkReader | undefined> {
    return this.#shelf.open({ pushId, part });
  }

  /**
   * Reads all of a chunk into the beginning of a buffer at once; every byte is checked.
   *
   * @returns its bytes; `undefined` when there is no room for them, or when anything is not as usual:
   * {@linkcode open} finds out what, and sees to it
   */
  readWhole(key: ChunkKey, buffer: Uint8Array): number | undefined {
    return this.#shelf.readWhole(key, buffer);
  }

  /** Opens the chunk that an original node means: the current version's under this chunk name. */
  openByChunkName(chunk: string, place: "content" | "backup"): Promise<ChunkReader | undefined> {
    return this.#shelf.openByChunkName(chunk, place);
  }

  /**
   * The parts of a file that its placement gives to this node and that are not here, or not in full
   * length. First what can be found is put in place, and what was never compared with its checksums is.
   */
  missing(record: FileRecord, signal?: AbortSignal): Promise<number[]> {
    return this.#upkeep.missing(record, signal);
  }

  /** The same for the whole catalog; leaves the event loop to others in between. */
  missingRecords(signal?: AbortSignal): AsyncGenerator<IncompleteFile> {
    return this.#upkeep.missingRecords(signal);
  }

  /** Reads all of a chunk and compares it with its checksums; one that is damaged goes to quarantine. */
  checkChunk(pushId: string, part: number, signal?: AbortSignal): Promise<CheckResult> {
    return this.#shelf.check({ pushId, part }, signal);
  }

  /** The chunks after a key, by push id and part; from the first without one. */
  chunks(after: ChunkKey | undefined, limit: number): ChunkInfo[] {
    this.#core.writeLater();
    const rows = this.catalog.chunkTable.page(after ?? { pushId: "", part: -1 }, limit);
    return rows.map(({ pushId, part, parts, name, copy, length, place }) => ({
      pushId,
      part,
      parts,
      name,
      copy,
      length,
      place: place !== "placed" ? place : copy === 0 ? "content" : "backup",
    }));
  }

  /**
   * Deletes chunks that were retired at least `graceMs` ago and that nobody has open. To be called only
   * while the node has caught up: after a sleep it must first hear of the versions that it missed, as a
   * retired chunk may be of one that is current again.
   *
   * @returns how many
   */
  collect(graceMs: number = retiredGraceMs): Promise<number> {
    return this.#upkeep.collect(graceMs);
  }

  /**
   * Moves files that nobody knows into quarantine. To be called once after the catalog was lost and is
   * complete again, and {@linkcode missingRecords} has run to its end.
   *
   * @returns how many
   */
  sweepStrays(): Promise<number> {
    return this.#upkeep.sweepStrays();
  }

  /**
   * Looks whether the files of this store are still its own, which is cheap, and makes good what is gone.
   *
   * `salvaged`: directories or catalog were made anew, from memory; compare the chunks with the disk.
   * `lost`: the catalog is empty now; fetch the records from the peers before anything else.
   *
   * @throws {StoreError} if the disk does not allow it now; try again later
   */
  async inspect(): Promise<CatalogState> {
    const hadGone = makeDirectories(this.#core.paths);
    const state = this.catalog.inspect();
    if (state === "lost") this.#core.recover();
    this.#core.writeLater();
    this.#core.settleStuck();
    await this.catalog.keepIncarnation();
    if (state !== "ok") await this.catalog.durable();
    return state === "ok" && hadGone ? "salvaged" : state;
  }

  /** What the chunks take; reads the whole table of chunks. */
  usage(): Usage {
    const sums = this.catalog.chunkTable.sums();
    const sumOf = (isPart: (sum: ChunkSums) => boolean): Amount =>
      sums.filter(isPart).reduce(
        (total, { count, bytes }) => ({ count: total.count + count, bytes: total.bytes + bytes }),
        { count: 0, bytes: 0 },
      );
    return {
      content: sumOf(({ place, isBackup }) => place === "placed" && !isBackup),
      backup: sumOf(({ place, isBackup }) => place === "placed" && isBackup),
      staging: sumOf(({ place }) => place === "staging"),
      retired: sumOf(({ place }) => place === "retired"),
      quarantineFiles: this.#core.quarantine.count(),
    };
  }

  /** The room on the disk; `undefined` if nobody can tell. */
  diskSpace(): DiskSpace | undefined {
    return diskSpace(this.#core.paths.root);
  }

  /** Bytes that may still be written to the disk; `undefined` if nobody can tell. */
  freeBytes(): number | undefined {
    return this.diskSpace()?.freeBytes;
  }

  /** Gives up what is being received, and closes the catalog. Readers may stay open. */
  async close(): Promise<void> {
    if (!this.#core.isOpen) return;
    await this.#staging.close();
    this.#core[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Places the chunks of committed pushes that a crash left in staging. */
  async #placeCommitted(): Promise<void> {
    const { catalog } = this.#core;
    const records = this.stagedPushes().map(({ pushId }) => catalog.pushOf(pushId))
      .filter((record) => record !== undefined);
    try {
      if (records.length > 0) await this.commitAll(records);
    } catch (error) {
      // They are read from where they are; the next commit or look at what is missing tries again.
      if (!(error instanceof StoreError)) throw error;
      this.#core.options.log.error("committed chunks not placed", { error });
    }
  }
}
