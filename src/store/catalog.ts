import type { CatalogDigest } from "../protocol/digest.ts";
import { isId } from "../protocol/names.ts";
import type { FileRecord, Tombstone } from "../protocol/record.ts";
import type { Logger } from "../runtime/log.ts";
import { randomId } from "../runtime/random.ts";
import type { CatalogConnection } from "./catalog_connection.ts";
import { openCatalogFile, replaceCatalog, salvageCatalog } from "./catalog_files.ts";
import type { ChunkTable } from "./chunk_table.ts";
import { CatalogDamagedError, isNotFound } from "./errors.ts";
import { parentOf, type StorePaths } from "./paths.ts";
import type { KnownVersion, ListRow, RecordCounts, RecordTable } from "./record_table.ts";
import { syncDirectory, writeFileDurably } from "./sync.ts";

/** How {@linkcode Catalog.open} opens. */
export interface CatalogOptions {
  readonly paths: StorePaths;
  readonly durability: "fsync" | "relaxed";
  readonly log: Logger;
  /** See `StoreOptions.onLost`. */
  readonly onLost?: (() => void) | undefined;
}

/** Why a catalog started empty. `new`: so did its directory. Else the peers know what was in it. */
export type FreshReason = "new" | "removed" | "damaged";

/** What {@linkcode Catalog.inspect} found and did. */
export type CatalogState = "ok" | "salvaged" | "lost";

/**
 * A node's durable map from names to records, with a table of the node's chunks beside it, in SQLite.
 *
 * 1. A name has one record, that of the highest version this node has seen; tombstones count.
 * 2. Records change together with the rows of the chunks that they concern, in one transaction, which
 *    is why only `ChunkStore.commit` writes them.
 * 3. The digest is that of the records, always.
 * 4. A change counts from the end of its transaction and is durable after {@linkcode durable}. Nothing
 *    is confirmed to anybody, and no file is moved, before that.
 * 5. A catalog that started empty says so ({@linkcode freshReason}), also after a restart, until the
 *    caller says that it is complete.
 */
export class Catalog implements Disposable {
  /** A random id that the directory got when it was made. */
  readonly incarnation: string;
  readonly #options: CatalogOptions;
  #connection: CatalogConnection;
  #freshReason: FreshReason | undefined;
  #hasStrays: boolean;
  #losses = 0;

  private constructor(options: CatalogOptions, connection: CatalogConnection, incarnation: string) {
    this.#options = options;
    this.#connection = connection;
    this.incarnation = incarnation;
    this.#hasStrays = connection.meta("strays") === "yes";
    const reason = connection.meta("fresh");
    if (reason === "new" || reason === "removed" || reason === "damaged") {
      this.#freshReason = reason;
    }
  }

  /** Opens the catalog of a node's directory, or makes one. */
  static async open(options: CatalogOptions): Promise<Catalog> {
    const { paths, log } = options;
    const known = readIncarnation(paths.incarnation);
    const { connection, found } = openCatalogFile(paths.catalog, log);
    try {
      const incarnation = known ?? connection.meta("incarnation") ?? randomId();
      const isNew = found !== "good" && known === undefined;
      // A catalog as it should be is not written to: the disk may be full, and reads must go on.
      if (found !== "good" || connection.meta("incarnation") !== incarnation) {
        connection.database.transaction(() => {
          connection.setMeta("incarnation", incarnation);
          if (found === "good") return;
          connection.setMeta("fresh", isNew ? "new" : found === "damaged" ? "damaged" : "removed");
          if (!isNew) connection.setMeta("strays", "yes");
        });
      }
      const catalog = new Catalog(options, connection, incarnation);
      await catalog.durable();
      await catalog.keepIncarnation();
      return catalog;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /** How often all of it was lost and began anew, empty, since it was opened. */
  get losses(): number {
    return this.#losses;
  }

  /** Why the catalog started empty; `undefined` once {@linkcode markComplete} was called. */
  get freshReason(): FreshReason | undefined {
    return this.#freshReason;
  }

  /** Says that the catalog has caught up with the peers. Durable when it resolves. */
  async markComplete(): Promise<void> {
    this.transaction(() => this.#connection.setMeta("fresh", ""));
    await this.durable();
    this.#freshReason = undefined;
  }

  /** The digest of all records; do not toggle it. */
  get digest(): CatalogDigest {
    return this.#connection.digest;
  }

  /** The record of a name, a tombstone included. */
  record(name: string): FileRecord | undefined {
    return this.#connection.records.get(name);
  }

  /** The version of a name's record, a tombstone's included. */
  highestVersion(name: string): string | undefined {
    return this.#connection.records.version(name)?.version;
  }

  /** The version of a name's record and the push that made it. */
  knownVersion(name: string): KnownVersion | undefined {
    return this.#connection.records.version(name);
  }

  /** The same, for reads that ask again and again; not to be called within a transaction. */
  currentVersion(name: string): KnownVersion | undefined {
    return this.#connection.records.currentVersion(name);
  }

  /** The record that a push made, unless another one of its name has replaced it. */
  pushOf(pushId: string): FileRecord | undefined {
    return this.#connection.records.ofPush(pushId);
  }

  /**
   * The files whose names come after `after`, by their UTF-8 bytes; `""` comes before all. To list all,
   * ask again after the last name; only the last page is short. 1,000 to 10,000 a page trade memory for
   * time.
   */
  list(after: string, limit: number): ListRow[] {
    return this.#connection.records.list(after, limit);
  }

  /** The records, tombstones included, whose names come after `after`. */
  records(after: string, limit: number): FileRecord[] {
    return this.#connection.records.page(after, limit);
  }

  /** The same, of the names that belong to some buckets of the digest. */
  recordsInBuckets(buckets: readonly number[], after: string, limit: number): FileRecord[] {
    return this.#connection.records.bucketPage(buckets, after, limit);
  }

  /** The tombstones whose names come after `after`. */
  tombstones(after: string, limit: number): Tombstone[] {
    return this.#connection.records.tombstonePage(after, limit)
      .filter((record) => record.kind === "tombstone");
  }

  /**
   * Forgets tombstones, which is right once every member has them. One that is no longer its name's
   * record is left. Durable when it resolves.
   *
   * @returns how many were forgotten
   */
  async dropTombstones(
    tombstones: readonly Pick<Tombstone, "name" | "version">[],
  ): Promise<number> {
    const dropped = this.transaction(() =>
      tombstones.filter(({ name, version }) =>
        this.#connection.records.removeTombstone(name, version)
      )
    );
    for (const { name, version } of dropped) this.digest.toggle(name, version);
    await this.durable();
    return dropped.length;
  }

  /** How many records there are; reads the whole table. */
  counts(): RecordCounts {
    return this.#connection.records.counts();
  }

  /** What the node keeps under a key. */
  meta(key: string): string | undefined {
    return this.#connection.meta(`node.${key}`);
  }

  /** Keeps a text under a key. Durable when it resolves. */
  async setMeta(key: string, value: string): Promise<void> {
    this.transaction(() => this.#connection.setMeta(`node.${key}`, value));
    await this.durable();
  }

  /** The members as they were saved last. */
  loadView(): string | undefined {
    return this.meta("view");
  }

  /** Saves the members, in whatever text. Durable when it resolves. */
  saveView(view: string): Promise<void> {
    return this.setMeta("view", view);
  }

  // What follows is for the rest of this folder.

  /** Whether any row that is written tells of a push. */
  knowsPush(pushId: string): boolean {
    return this.#connection.knowsPush(pushId);
  }

  /** The table of records of the open database. */
  get recordTable(): RecordTable {
    return this.#connection.records;
  }

  /** The table of chunks of the open database. */
  get chunkTable(): ChunkTable {
    return this.#connection.chunks;
  }

  /** True while files may lie in the directory that no row tells of, as their catalog was lost. */
  get hasStrays(): boolean {
    return this.#hasStrays;
  }

  /** Says that no such files are left. */
  clearStrays(): void {
    this.transaction(() => this.#connection.setMeta("strays", ""));
    this.#hasStrays = false;
  }

  /** Runs a change of the tables: all of it or nothing. */
  transaction<T>(change: () => T): T {
    const { database } = this.#connection;
    if (database.damage !== undefined) {
      throw new CatalogDamagedError(`The catalog is damaged: ${database.damage}`);
    }
    return database.transaction(change);
  }

  /**
   * Resolves once every transaction so far would survive a power cut; at once with `relaxed`.
   *
   * @throws {CatalogDamagedError} if that cannot be had: nobody knows what is on the disk.
   */
  async durable(): Promise<void> {
    if (this.#options.durability === "relaxed") return;
    let connection: CatalogConnection;
    do {
      connection = this.#connection;
      try {
        await connection.logSync.wait();
      } catch (error) {
        // One that was closed meanwhile cannot be synced; its successor has all that it had.
        if (connection === this.#connection) throw error;
      }
      if (connection.isLost) throw new CatalogDamagedError("The catalog was lost meanwhile");
    } while (connection !== this.#connection);
  }

  /**
   * Looks whether the database is still in its file, and puts it there again if not, from what is
   * still open (`salvaged`) or, where that cannot be read, as an empty one (`lost`).
   *
   * @throws {StoreError} if the disk is full, and what the system says when no file can be opened: all is
   * there still, look again later.
   */
  inspect(): CatalogState {
    const old = this.#connection;
    const { log } = this.#options;
    if (!old.isOpen) return this.#openAgain(old);
    const reason = old.whatHappened();
    if (reason === undefined) {
      if (old.records.damagedNames.size > 0) this.#dropDamaged(old);
      return "ok";
    }
    try {
      this.#connection = salvageCatalog(old, log);
      log.warn("catalog restored from memory", { reason });
      this.#takeOverLater(old);
      return "salvaged";
    } catch (error) {
      if (!(error instanceof CatalogDamagedError)) throw error;
      log.error("catalog lost", { reason, error });
      old.isLost = true;
      this.#connection = replaceCatalog(old, log);
      return this.#beginEmpty(old);
    }
  }

  /** The last look wrote all of it anew, and could not open that: a descriptor was wanting, perhaps. */
  #openAgain(old: CatalogConnection): CatalogState {
    const { log, paths } = this.#options;
    const { connection, found } = openCatalogFile(paths.catalog, log);
    this.#connection = connection;
    if (found !== "good") {
      old.isLost = true;
      return this.#beginEmpty(old);
    }
    log.warn("catalog opened again");
    this.#takeOverLater(old);
    return "salvaged";
  }

  /** Goes on with a catalog in which there is nothing. */
  #beginEmpty(old: CatalogConnection): "lost" {
    this.#losses++;
    // Before anybody can read of it: what it does not know it must not call unknown.
    this.#options.onLost?.();
    this.#connection.database.transaction(() => {
      this.#connection.setMeta("incarnation", this.incarnation);
      this.#connection.setMeta("fresh", "damaged");
      this.#connection.setMeta("strays", "yes");
    });
    this.#freshReason = "damaged";
    this.#hasStrays = true;
    this.#takeOverLater(old);
    return "lost";
  }

  /** The rows that were not written to the last database are still to be written to this one. */
  #takeOverLater({ chunks }: CatalogConnection): void {
    for (const row of chunks.laterRows()) this.chunkTable.putLater(row);
  }

  /** Forgets records that cannot be read: now the digest says that they are missing. */
  #dropDamaged({ database, records, digest }: CatalogConnection): void {
    for (const name of records.damagedNames) {
      const known = records.version(name);
      // A commit may have replaced it since.
      if (known === undefined || records.get(name) !== undefined) continue;
      database.transaction(() => records.discard(name));
      digest.toggle(name, known.version);
      this.#options.log.error("damaged record dropped", { name, version: known.version });
    }
    records.damagedNames.clear();
  }

  /** Writes the incarnation to its file if that is not there, or holds something else. */
  async keepIncarnation(): Promise<void> {
    const path = this.#options.paths.incarnation;
    if (readIncarnation(path) === this.incarnation) return;
    await writeFileDurably(path, this.incarnation);
    await syncDirectory(parentOf(this.#options.paths.root));
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}

/** The incarnation that a directory was given, if it was and the file still says so. */
function readIncarnation(path: string): string | undefined {
  try {
    const text = Deno.readTextFileSync(path);
    return isId(text) ? text : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
