import type { NodeAddress } from "../protocol/address.ts";
import type { CatalogDigest } from "../protocol/digest.ts";
import { bucketCount, bucketOf } from "../protocol/digest.ts";
import type { FileRecord } from "../protocol/record.ts";
import { formatRecord, parseRecord } from "../protocol/record_codec.ts";
import type { Database, Row, Statement } from "./database.ts";
import { countOf, textOf } from "./row.ts";

/** What lists show of a file. */
export interface ListRow {
  readonly name: string;
  /** The coordinator's address. */
  readonly start: NodeAddress;
  /** Bytes. */
  readonly size: number;
  readonly version: string;
}

/** Which version of a name is known, and by which push. */
export interface KnownVersion {
  readonly version: string;
  readonly pushId: string;
}

/** How many records a catalog has. */
export interface RecordCounts {
  readonly files: number;
  readonly tombstones: number;
  /** Bytes of all files together. */
  readonly fileBytes: number;
}

/**
 * The records of a catalog on disk. `size` and `start` stand beside the record's JSON so that a list
 * need not read it; a tombstone has neither.
 *
 * The table has row ids: what a name sorts by is an index of its own, so that a record fits in a page. As the
 * key of a table without them it does not, and costs twice the time to write and three times the disk.
 */
export const recordSchema = `
  CREATE TABLE records (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version TEXT NOT NULL, push_id TEXT NOT NULL,
    bucket INTEGER NOT NULL, size INTEGER, start TEXT, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX records_by_push ON records (push_id);
  CREATE INDEX records_by_bucket ON records (bucket, name);
  CREATE INDEX records_tombstones ON records (name) WHERE size IS NULL;
`;

/** Brings the table of the first version of the catalog, whose key was the name, to the schema above. */
export const recordMigration = `
  ALTER TABLE records RENAME TO records_before;
  DROP INDEX records_by_push;
  DROP INDEX records_by_bucket;
  ${recordSchema}
  INSERT INTO records (name, version, push_id, bucket, size, start, body)
    SELECT name, version, push_id, bucket, size, start, body FROM records_before;
  DROP TABLE records_before;
`;

/** Versions that are remembered: with long names they take less than 2 MiB. */
const currentVersionsMax = 4_096;

/**
 * Reads and writes the table of records; names sort by their UTF-8 bytes, as SQLite compares. A record
 * that is no record any more, as a disk may change a bit, is as if it were not there, and is taken down
 * in {@linkcode RecordTable.damagedNames} to be fetched from the peers.
 */
export class RecordTable {
  /** The names of records that could not be read. */
  readonly damagedNames = new Set<string>();
  /** What {@linkcode RecordTable.currentVersion} found lately, until the record changes. */
  readonly #current = new Map<string, KnownVersion>();
  readonly #database: Database;
  readonly #body: Statement;
  readonly #version: Statement;
  readonly #ofPush: Statement;
  readonly #put: Statement;
  readonly #remove: Statement;
  readonly #list: Statement;
  readonly #page: Statement;
  readonly #fewBucketsPage: Statement;
  readonly #manyBucketsPage: Statement;
  readonly #discard: Statement;
  readonly #tombstonePage: Statement;
  readonly #counts: Statement;

  constructor(database: Database) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#database = database;
    this.#body = prepare("SELECT name, body FROM records WHERE name = ?");
    this.#discard = prepare("DELETE FROM records WHERE name = ?");
    this.#version = prepare("SELECT version, push_id FROM records WHERE name = ?");
    this.#ofPush = prepare("SELECT name, body FROM records WHERE push_id = ? LIMIT 1");
    // What stays the same of a name is not written again, nor are its indexes.
    this.#put = prepare(
      `INSERT INTO records (name, version, push_id, bucket, size, start, body)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET version = excluded.version, push_id = excluded.push_id,
         size = excluded.size, start = excluded.start, body = excluded.body`,
    );
    this.#remove = prepare("DELETE FROM records WHERE name = ? AND version = ? AND size IS NULL");
    this.#list = prepare(
      "SELECT name, start, size, version FROM records WHERE name > ? AND size IS NOT NULL ORDER BY name LIMIT ?",
    );
    this.#page = prepare("SELECT name, body FROM records WHERE name > ? ORDER BY name LIMIT ?");
    this.#fewBucketsPage = prepare(
      `SELECT name, body FROM records WHERE name IN (
         SELECT name FROM records
         WHERE bucket IN (SELECT value FROM json_each(?)) AND name > ? ORDER BY name LIMIT ?
       ) ORDER BY name`,
    );
    // The + keeps SQLite from using the index of buckets.
    this.#manyBucketsPage = prepare(
      `SELECT name, body FROM records
       WHERE +bucket IN (SELECT value FROM json_each(?)) AND name > ? ORDER BY name LIMIT ?`,
    );
    this.#tombstonePage = prepare(
      "SELECT name, body FROM records WHERE name > ? AND size IS NULL ORDER BY name LIMIT ?",
    );
    this.#counts = prepare(
      "SELECT count(size) files, count(*) records, coalesce(sum(size), 0) bytes FROM records",
    );
  }

  /** The record of a name. */
  get(name: string): FileRecord | undefined {
    return this.#parse(this.#body.get(name));
  }

  /** The version of a name's record. */
  version(name: string): KnownVersion | undefined {
    const row = this.#version.get(name);
    if (row === undefined) return undefined;
    return { version: textOf(row, "version"), pushId: textOf(row, "push_id") };
  }

  /**
   * The same, remembered from one call to the next, for who asks again and again. Not to be called
   * within a transaction, which may yet be undone.
   */
  currentVersion(name: string): KnownVersion | undefined {
    const known = this.#current.get(name) ?? this.version(name);
    if (known === undefined || this.#current.has(name)) return known;
    // Those that are asked for often are back at once.
    if (this.#current.size >= currentVersionsMax) this.#current.clear();
    this.#current.set(name, known);
    return known;
  }

  /** The record that a push made, unless another one of its name has replaced it. */
  ofPush(pushId: string): FileRecord | undefined {
    return this.#parse(this.#ofPush.get(pushId));
  }

  /**
   * Puts a record in the place of any other of its name.
   *
   * @param text the record in JSON, if it is at hand
   */
  put(record: FileRecord, text: string = formatRecord(record)): void {
    const { name, version, pushId } = record;
    const size = record.kind === "file" ? record.size : null;
    const start = record.kind === "file" ? record.start : null;
    this.#current.delete(name);
    this.#put.run(name, version, pushId, bucketOf(name), size, start, text);
  }

  /** Forgets a tombstone if it still is the name's record; whether it was. */
  removeTombstone(name: string, version: string): boolean {
    this.#current.delete(name);
    return this.#remove.run(name, version) > 0;
  }

  /** Forgets the record of a name. */
  discard(name: string): void {
    this.#current.delete(name);
    this.#discard.run(name);
  }

  /** Files after a name, in order. */
  list(after: string, limit: number): ListRow[] {
    return this.#list.all(after, limit).map((row) => ({
      name: textOf(row, "name"),
      start: textOf(row, "start") as NodeAddress,
      size: countOf(row, "size"),
      version: textOf(row, "version"),
    }));
  }

  /** Records after a name, in order, tombstones included. */
  page(after: string, limit: number): FileRecord[] {
    return this.#readPage((from, count) => this.#page.all(from, count), after, limit);
  }

  /** The same, of some buckets of the digest. */
  bucketPage(buckets: readonly number[], after: string, limit: number): FileRecord[] {
    // Few are looked up and sorted, for each page again; with many it is cheaper to pass by the rest.
    const isFew = buckets.length < bucketCount / 8;
    const page = isFew ? this.#fewBucketsPage : this.#manyBucketsPage;
    const wanted = JSON.stringify(buckets);
    return this.#readPage((from, count) => page.all(wanted, from, count), after, limit);
  }

  /** Tombstones after a name, in order. */
  tombstonePage(after: string, limit: number): FileRecord[] {
    return this.#readPage((from, count) => this.#tombstonePage.all(from, count), after, limit);
  }

  /** Counts everything: reads the whole table. */
  counts(): RecordCounts {
    const row = this.#counts.get() ?? {};
    const files = countOf(row, "files");
    const tombstones = countOf(row, "records") - files;
    return { files, tombstones, fileBytes: countOf(row, "bytes") };
  }

  /** Adds every record to an empty digest. */
  digestInto(digest: CatalogDigest): void {
    const all = this.#database.prepare("SELECT name, version FROM records");
    for (const row of all.iterate()) digest.toggle(textOf(row, "name"), textOf(row, "version"));
  }

  /** A page that is short only at the end: what cannot be read is made up for. */
  #readPage(
    fetch: (after: string, limit: number) => readonly Row[],
    after: string,
    limit: number,
  ): FileRecord[] {
    const page: FileRecord[] = [];
    while (page.length < limit) {
      const wanted = limit - page.length;
      const rows = fetch(after, wanted);
      for (const row of rows) {
        const record = this.#parse(row);
        if (record !== undefined) page.push(record);
        after = textOf(row, "name");
      }
      if (rows.length < wanted) break;
    }
    return page;
  }

  #parse(row: Row | undefined): FileRecord | undefined {
    if (row === undefined) return undefined;
    try {
      return parseRecord(textOf(row, "body"));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.damagedNames.add(textOf(row, "name"));
      return undefined;
    }
  }
}
