import { CatalogDigest } from "../protocol/digest.ts";
import { chunkSchema, ChunkTable } from "./chunk_table.ts";
import { Database, type Statement, type Value } from "./database.ts";
import { CatalogDamagedError, StoreError } from "./errors.ts";
import { statIfThere } from "./if_there.ts";
import { recordMigration, recordSchema, RecordTable } from "./record_table.ts";
import { countOf, textOf } from "./row.ts";
import { parentOf } from "./paths.ts";
import { GroupSync, syncDirectory } from "./sync.ts";

/** The version of the tables that this program writes; a higher one is refused. */
const schemaVersion = 2;

/**
 * The catalog's database while it is open: its tables, the digest of its records, and the means to make
 * a commit durable. When the file is lost under it, the catalog puts another connection in its place.
 */
export class CatalogConnection implements Disposable {
  readonly database: Database;
  readonly records: RecordTable;
  readonly chunks: ChunkTable;
  readonly digest = new CatalogDigest();
  /** True when the file held no tables. */
  readonly isFresh: boolean;
  /** Syncs the log; several commits share one. */
  readonly logSync = new GroupSync(() => this.#syncLog());
  /** Set once another connection took over without the commits of this one. */
  isLost = false;
  #isOpen = true;
  readonly #knowsPush: Statement;
  readonly #getMeta: Statement;
  readonly #setMeta: Statement;
  readonly #inode: number | null;
  readonly #logFile: Deno.FsFile;
  readonly #logInode: number | null;
  #logNameSynced = false;
  #fileBytesSeen = 0;

  /**
   * Opens the database of a catalog and makes its tables if it has none. Reads every record once, for
   * the digest.
   *
   * @throws {CatalogDamagedError} if the file holds something else.
   */
  constructor(path: string) {
    const database = new Database(path);
    try {
      this.isFresh = makeTables(database);
      database.verify();
      this.records = new RecordTable(database);
      this.chunks = new ChunkTable(database);
      this.#knowsPush = database.prepare(
        `SELECT 1 FROM chunks WHERE push_id = ?1
         UNION ALL SELECT 1 FROM records WHERE push_id = ?1 LIMIT 1`,
      );
      this.#getMeta = database.prepare("SELECT value FROM meta WHERE key = ?");
      this.#setMeta = database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)");
      this.records.digestInto(this.digest);
      this.#inode = Deno.statSync(path).ino;
      // Of SQLite's files only the log may be opened by others: to close the database or its index
      // would give SQLite's locks on them away (POSIX).
      this.#logFile = Deno.openSync(database.logPath, { read: true, write: true });
      this.#logInode = this.#logFile.statSync().ino;
    } catch (error) {
      database[Symbol.dispose]();
      throw error;
    }
    this.database = database;
  }

  /** Whether any row that is written tells of a push: its record, if it is still its name's, or a chunk. */
  knowsPush(pushId: string): boolean {
    return this.#knowsPush.get(pushId) !== undefined;
  }

  /** A value that was set under a key. */
  meta(key: string): string | undefined {
    const row = this.#getMeta.get(key);
    return row === undefined ? undefined : textOf(row, "value");
  }

  /** Sets the value of a key. */
  setMeta(key: string, value: string): void {
    this.#setMeta.run(key, value);
  }

  /**
   * Why the files on disk are no longer what is open here, or `undefined` if they are. SQLite itself
   * does not notice that its files are removed; it goes on with what nobody will find again.
   */
  whatHappened(): string | undefined {
    const { damage, path, logPath } = this.database;
    if (damage !== undefined) return damage;
    const file = statIfThere(path);
    if (file === undefined) return "the file was removed";
    if (file.ino !== this.#inode) return "the file was replaced";
    // Nothing ever makes the file smaller.
    if (file.size < this.#fileBytesSeen) return "the file was truncated";
    this.#fileBytesSeen = file.size;
    const log = statIfThere(logPath);
    if (log === undefined) return "the log was removed";
    return log.ino === this.#logInode ? undefined : "the log was replaced";
  }

  /**
   * Writes all that is in this database to a new one, row by row: `VACUUM INTO` attaches a database,
   * which the runtime allows to programs with every permission only.
   *
   * @throws {CatalogDamagedError} if not everything can be read, and what SQLite throws if the copy
   * cannot be written.
   */
  copyTo(path: string): void {
    this.database.verify();
    using copy = new Database(path);
    makeTables(copy);
    copy.transaction(() => {
      for (const table of tables) {
        let insert: Statement | undefined;
        for (const row of this.database.prepare(`SELECT * FROM ${table}`).iterate()) {
          const values = Object.values(row) as Value[];
          insert ??= copy.prepare(`INSERT INTO ${table} VALUES (${values.map(() => "?").join()})`);
          insert.run(...values);
        }
      }
    });
  }

  /** False from the moment of its end. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#logFile.close();
    this.database[Symbol.dispose]();
  }

  async #syncLog(): Promise<void> {
    try {
      await this.#logFile.syncData();
      if (this.#logNameSynced) return;
      await syncDirectory(parentOf(this.database.path));
      this.#logNameSynced = true;
    } catch (cause) {
      // After a failed sync the system may have dropped what it could not write; it will not say so
      // again. Only a database written anew can be trusted.
      this.database.markDamaged("its log could not be synced");
      throw new CatalogDamagedError("The catalog could not be synced", { cause });
    }
  }
}

/** What a node keeps under keys. */
const metaSchema =
  "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;";

/** Every table of a catalog. */
const tables = ["meta", "records", "chunks"] as const;

/** Makes the tables in a new file, or brings older ones up to date; whether it was a new one. */
function makeTables(database: Database): boolean {
  const version = countOf(database.prepare("PRAGMA user_version").get() ?? {}, "user_version");
  if (version > schemaVersion) {
    throw new StoreError(
      `Cannot open the catalog as a newer version of this program wrote it (${version} > ${schemaVersion})`,
    );
  }
  if (version === schemaVersion) return false;
  const isFresh = version === 0;
  // What cannot be read must not be taken for what is not there.
  if (!isFresh) database.verify();
  const change = isFresh ? `${metaSchema} ${recordSchema} ${chunkSchema}` : recordMigration;
  database.transaction(() => database.exec(`${change} PRAGMA user_version = ${schemaVersion}`));
  return isFresh;
}
