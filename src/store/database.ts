import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { CatalogDamagedError, DiskFullError, StoreError } from "./errors.ts";
import { freeBytes } from "./free_space.ts";

/** A row as SQLite gives it; a table checks and names its fields. */
export type Row = Readonly<Record<string, unknown>>;

/** A value that goes into a statement. */
export type Value = SQLInputValue;

/**
 * One open SQLite database, in the words of the store: a full disk is a {@linkcode DiskFullError},
 * damage a {@linkcode CatalogDamagedError}, and damage is remembered. Everything is synchronous.
 *
 * The log is `synchronous=NORMAL` for both durabilities: SQLite then syncs at checkpoints only, and
 * who needs a commit to be durable syncs the log itself ({@linkcode logPath}), which is what FULL
 * does, but without stopping the process for it, and once for many commits.
 *
 * `locking_mode=EXCLUSIVE` keeps a second process out and the index of the log in memory.
 */
export class Database implements Disposable {
  /** The file. */
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #begin: Statement;
  readonly #commit: Statement;
  #damage: string | undefined;

  /** @throws {CatalogDamagedError} if the file is no database, {@linkcode StoreError} if it is locked. */
  constructor(path: string) {
    this.path = path;
    this.#db = guarded(this, () => new DatabaseSync(path));
    try {
      this.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL");
      this.exec("PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY");
      this.#begin = this.prepare("BEGIN");
      this.#commit = this.prepare("COMMIT");
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** The write-ahead log's file, which is there from the first write until the last close. */
  get logPath(): string {
    return `${this.path}-wal`;
  }

  /** Why nothing can be trusted any more, once something failed in such a way. */
  get damage(): string | undefined {
    return this.#damage;
  }

  /** From now on the database counts as damaged. */
  markDamaged(reason: string): void {
    this.#damage ??= reason;
  }

  /**
   * Reads every page once. A walk over a table cannot be relied on to notice damage: where the file was
   * cut it may just end early.
   *
   * @throws {CatalogDamagedError} on anything that is not as SQLite writes it.
   */
  verify(): void {
    const [row] = this.prepare("PRAGMA quick_check(1)").all();
    const verdict = String(row?.["quick_check"]);
    if (verdict === "ok") return;
    this.markDamaged(verdict);
    throw new CatalogDamagedError(`The catalog is damaged: ${verdict.replaceAll("\n", ", ")}`);
  }

  /** Runs statements without parameters or results. */
  exec(sql: string): void {
    guarded(this, () => this.#db.exec(sql));
  }

  /** Prepares one statement for as long as the database is open. */
  prepare(sql: string): Statement {
    return new Statement(this, guarded(this, () => this.#db.prepare(sql)));
  }

  /**
   * Runs `change` as one transaction: all of it or, when it throws, nothing. What it changes in memory
   * must wait until this returns. Not reentrant.
   */
  transaction<T>(change: () => T): T {
    this.#begin.run();
    try {
      const result = change();
      this.#commit.run();
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #rollBack(): void {
    try {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
    } catch (error) {
      // SQLite refused to go back to what was; only a new connection is sure to see it.
      this.markDamaged(`a transaction could not be rolled back: ${messageOf(error)}`);
    }
  }
}

/** A prepared statement. */
export class Statement {
  readonly #database: Database;
  readonly #statement: StatementSync;

  constructor(database: Database, statement: StatementSync) {
    this.#database = database;
    this.#statement = statement;
  }

  /** The first row, if there is one. */
  get(...values: Value[]): Row | undefined {
    try {
      return this.#statement.get(...values);
    } catch (error) {
      throw translate(this.#database, error);
    }
  }

  /** All rows; the caller's SQL has a limit. */
  all(...values: Value[]): Row[] {
    try {
      return this.#statement.all(...values);
    } catch (error) {
      throw translate(this.#database, error);
    }
  }

  /** How many rows changed. */
  run(...values: Value[]): number {
    try {
      return Number(this.#statement.run(...values).changes);
    } catch (error) {
      throw translate(this.#database, error);
    }
  }

  /** Row by row, for a walk over a whole table; nothing else may write meanwhile. */
  *iterate(...values: Value[]): Generator<Row, void> {
    try {
      yield* this.#statement.iterate(...values);
    } catch (error) {
      throw translate(this.#database, error);
    }
  }
}

/** What SQLite writes at least. */
const pageBytes = 4096;

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const codes = { busy: 5, ioError: 10, corrupt: 11, full: 13, notADatabase: 26 } as const;

function guarded<T>(database: Database, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw translate(database, error);
  }
}

function translate(database: Database, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  switch (codeOf(error)) {
    case codes.full: {
      const room = { freeBytes: freeBytes(database.path), neededBytes: pageBytes };
      return new DiskFullError("the catalog", room, { cause: error });
    }
    case codes.busy:
      return new StoreError("Cannot open the catalog: another process has it open", {
        cause: error,
      });
    case codes.ioError:
    case codes.corrupt:
    case codes.notADatabase:
      database.markDamaged(error.message);
      return new CatalogDamagedError(`The catalog is damaged: ${error.message}`, { cause: error });
    default:
      if (!isClosed(error)) return error;
      return new StoreError("Cannot read the catalog while it is being restored", { cause: error });
  }
}

/** What the runtime says of a database that was closed, for which SQLite has no code. */
function isClosed({ message }: Error): boolean {
  return message === "statement has been finalized" || message === "database is not open";
}

/** The primary code; the runtime leaves it out of errors it meets while it prepares a statement. */
function codeOf(error: Error): number | undefined {
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;
  switch (error.message) {
    case "database is locked":
      return codes.busy;
    case "disk I/O error":
      return codes.ioError;
    case "database disk image is malformed":
      return codes.corrupt;
    case "database or disk is full":
      return codes.full;
    case "file is not a database":
      return codes.notADatabase;
    default:
      return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
