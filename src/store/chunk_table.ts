import type { NodeAddress } from "../protocol/address.ts";
import type { Amount } from "../protocol/node_metrics.ts";
import type { Database, Row, Statement } from "./database.ts";
import { CatalogDamagedError } from "./errors.ts";
import { type ChunkKey, type ChunkSlot, formatKey, type Place } from "./paths.ts";
import { countOf, optionalTextOf, textOf } from "./row.ts";

/**
 * What the node knows of one chunk it has.
 *
 * 1. `place` is where the chunk belongs, `at` where its file was when the row was last written, or would
 *    be next if it was in staging. Where they differ the file is being moved, or was when the process
 *    ended. A file that lies in `staging/` or `retired/` is there, whatever its row says.
 * 2. At most one row of a slot (name, part, parts, content or backup) has the place `placed`.
 */
export interface ChunkRow extends ChunkKey, ChunkSlot {
  readonly place: Place;
  readonly at: Place;
  /** Bytes. */
  readonly length: number;
  /** As in a record; `undefined` while nobody has read the bytes (a file without its row). */
  readonly checksums: string | undefined;
  /** False while the bytes were not compared with the checksums: a lost catalog's files. */
  readonly verified: boolean;
  /** Who can tell what became of the push; `undefined` if the row was lost. */
  readonly coordinator: NodeAddress | undefined;
  /** The coordinator's incarnation. */
  readonly incarnation: string | undefined;
  /** When it was staged, ms since the epoch, by this node's clock. */
  readonly timeMs: number;
}

/** Sums over the chunks of a node that are in one place, the holder's copies or the backups. */
export interface ChunkSums extends Amount {
  readonly place: Place;
  readonly isBackup: boolean;
}

/**
 * The chunks of a node. The indexes: what is, or belongs, among the placed, by name; what is not at
 * rest. A name that is overwritten all the time has many retired chunks, which the first leaves out.
 */
export const chunkSchema = `
  CREATE TABLE chunks (
    push_id TEXT NOT NULL, part INTEGER NOT NULL, name TEXT NOT NULL, parts INTEGER NOT NULL,
    copy INTEGER NOT NULL, place TEXT NOT NULL, at TEXT NOT NULL, length INTEGER NOT NULL,
    checksums TEXT, verified INTEGER NOT NULL, coordinator TEXT, incarnation TEXT,
    time_ms INTEGER NOT NULL, PRIMARY KEY (push_id, part)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX chunks_on_slots ON chunks (name, part) WHERE place = 'placed' OR at = 'placed';
  CREATE INDEX chunks_moving ON chunks (place) WHERE place <> 'placed' OR at <> 'placed';
`;

/**
 * Reads and writes the table of chunks.
 *
 * A row may also be put for later ({@linkcode putLater}): it is read like any other, is lost with the
 * process, and is written with the next change of the catalog. That is enough for a chunk in staging,
 * whose file tells by its name what it is.
 */
export class ChunkTable {
  readonly #later = new Map<string, ChunkRow>();
  /** Pushes of which no row is written: all that are known wait. */
  readonly #unwritten = new Set<string>();
  readonly #get: Statement;
  readonly #ofPush: Statement;
  readonly #onSlots: Statement;
  readonly #put: Statement;
  readonly #place: Statement;
  readonly #at: Statement;
  readonly #verified: Statement;
  readonly #remove: Statement;
  readonly #moving: Statement;
  readonly #staged: Statement;
  readonly #page: Statement;
  readonly #sums: Statement;
  readonly #stagedBytes: Statement;

  constructor(database: Database) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#get = prepare("SELECT * FROM chunks WHERE push_id = ? AND part = ?");
    this.#ofPush = prepare("SELECT * FROM chunks WHERE push_id = ?");
    this.#onSlots = prepare(
      "SELECT * FROM chunks WHERE name = ? AND (place = 'placed' OR at = 'placed')",
    );
    this.#put = prepare(
      "INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#place = prepare("UPDATE chunks SET place = ? WHERE push_id = ? AND part = ?");
    this.#at = prepare("UPDATE chunks SET at = ? WHERE push_id = ? AND part = ?");
    this.#verified = prepare(
      "UPDATE chunks SET verified = 1, checksums = ? WHERE push_id = ? AND part = ?",
    );
    this.#remove = prepare("DELETE FROM chunks WHERE push_id = ? AND part = ?");
    this.#moving = prepare("SELECT * FROM chunks WHERE place <> 'placed' OR at <> 'placed'");
    this.#staged = prepare(
      `SELECT * FROM chunks
       WHERE (place <> 'placed' OR at <> 'placed') AND place = 'staging'`,
    );
    this.#page = prepare(
      "SELECT * FROM chunks WHERE (push_id, part) > (?, ?) ORDER BY push_id, part LIMIT ?",
    );
    this.#sums = prepare(
      `SELECT place, copy > 0 is_backup, count(*) count, sum(length) bytes FROM chunks
       GROUP BY place, copy > 0`,
    );
    this.#stagedBytes = prepare(
      `SELECT coalesce(sum(length), 0) bytes FROM chunks
       WHERE (place <> 'placed' OR at <> 'placed') AND place = 'staging'`,
    );
  }

  /**
   * Puts the row of a chunk in staging; it is written with the next change.
   *
   * @param isUnwritten that no row of its push is written, which spares the next look for them
   */
  putLater(row: ChunkRow, isUnwritten = false): void {
    this.#later.set(formatKey(row), row);
    if (isUnwritten) this.#unwritten.add(row.pushId);
  }

  /** How many rows wait to be written. */
  get laterCount(): number {
    return this.#later.size;
  }

  /** The rows that wait. A transaction that fails puts them there again. */
  laterRows(): readonly ChunkRow[] {
    return this.#later.size === 0 ? [] : [...this.#later.values()];
  }

  /** Writes the rows that still wait: the end of a transaction, which may have put others over them. */
  writeLater(): void {
    for (const row of this.#later.values()) this.#write(row);
    this.#later.clear();
  }

  /** One chunk. */
  get({ pushId, part }: ChunkKey): ChunkRow | undefined {
    const later = this.#later.size > 0 && this.#later.get(formatKey({ pushId, part }));
    if (later) return later;
    const row = this.#get.get(pushId, part);
    return row === undefined ? undefined : toChunk(row);
  }

  /** The chunks of a push. */
  ofPush(pushId: string): ChunkRow[] {
    const later = this.laterOf(pushId);
    if (this.#unwritten.has(pushId)) return later;
    return [...this.#ofPush.all(pushId).map(toChunk), ...later];
  }

  /** Those of them whose rows wait to be written. */
  laterOf(pushId: string): ChunkRow[] {
    const rows: ChunkRow[] = [];
    for (const row of this.#later.values()) if (row.pushId === pushId) rows.push(row);
    return rows;
  }

  /** The chunks of a name that are placed, belong there, or were there when their row was written. */
  onSlots(name: string): ChunkRow[] {
    return this.#onSlots.all(name).map(toChunk);
  }

  /** The chunks that are staged, retired or being moved. */
  moving(): ChunkRow[] {
    return [...this.#moving.all().map(toChunk), ...this.#later.values()];
  }

  /** The chunks that are staged. */
  staged(): ChunkRow[] {
    return [...this.#staged.all().map(toChunk), ...this.#later.values()];
  }

  /** Chunks after a key, in order; without those that wait to be written. */
  page(after: ChunkKey, limit: number): ChunkRow[] {
    return this.#page.all(after.pushId, after.part, limit).map(toChunk);
  }

  /** Puts a row in the place of any other of its key, one that waits included. */
  put(row: ChunkRow): void {
    if (this.#later.size > 0) this.#later.delete(formatKey(row));
    this.#write(row);
  }

  #write(row: ChunkRow): void {
    this.#unwritten.delete(row.pushId);
    const { pushId, part, name, parts, copy, place, at, length, timeMs } = row;
    const { checksums = null, coordinator = null, incarnation = null } = row;
    const slot = [pushId, part, name, parts, copy, place, at, length, checksums] as const;
    this.#put.run(...slot, row.verified ? 1 : 0, coordinator, incarnation, timeMs);
  }

  /** Says where a chunk belongs. */
  setPlace({ pushId, part }: ChunkKey, place: Place): void {
    this.#writeIfLater({ pushId, part });
    this.#place.run(place, pushId, part);
  }

  /** Says where a chunk's file is. */
  setAt({ pushId, part }: ChunkKey, at: Place): void {
    this.#writeIfLater({ pushId, part });
    this.#at.run(at, pushId, part);
  }

  /** Says that the bytes sum up to these checksums. */
  setVerified({ pushId, part }: ChunkKey, checksums: string): void {
    this.#writeIfLater({ pushId, part });
    this.#verified.run(checksums, pushId, part);
  }

  /** Forgets a chunk; whether it was known. */
  remove({ pushId, part }: ChunkKey): boolean {
    this.#writeIfLater({ pushId, part });
    return this.#remove.run(pushId, part) > 0;
  }

  /** A row that waits is written before it changes. */
  #writeIfLater(key: ChunkKey): void {
    const row = this.#later.size > 0 ? this.#later.get(formatKey(key)) : undefined;
    if (row !== undefined) this.put(row);
  }

  /** Counts everything that is written: reads the whole table. */
  sums(): ChunkSums[] {
    return this.#sums.all().map((row) => ({
      place: placeOf(row, "place"),
      isBackup: countOf(row, "is_backup") === 1,
      count: countOf(row, "count"),
      bytes: countOf(row, "bytes"),
    }));
  }

  /** The bytes in staging. */
  stagedBytes(): number {
    let bytes = countOf(this.#stagedBytes.get() ?? {}, "bytes");
    for (const row of this.#later.values()) bytes += row.length;
    return bytes;
  }
}

function toChunk(row: Row): ChunkRow {
  return {
    pushId: textOf(row, "push_id"),
    part: countOf(row, "part"),
    name: textOf(row, "name"),
    parts: countOf(row, "parts"),
    copy: countOf(row, "copy"),
    place: placeOf(row, "place"),
    at: placeOf(row, "at"),
    length: countOf(row, "length"),
    checksums: optionalTextOf(row, "checksums"),
    verified: countOf(row, "verified") === 1,
    coordinator: optionalTextOf(row, "coordinator") as NodeAddress | undefined,
    incarnation: optionalTextOf(row, "incarnation"),
    timeMs: countOf(row, "time_ms"),
  };
}

function placeOf(row: Row, column: string): Place {
  const place = textOf(row, column);
  if (place === "staging" || place === "placed" || place === "retired") return place;
  throw new CatalogDamagedError(`The catalog is damaged: '${place}' is no place of a chunk`);
}
