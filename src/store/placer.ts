import type { Logger } from "../runtime/log.ts";
import type { Catalog } from "./catalog.ts";
import type { ChunkRow } from "./chunk_table.ts";
import { isNotFound } from "./errors.ts";
import type { Failpoint } from "./failpoint.ts";
import { type ChunkKey, formatKey, parentOf, type Place, type StorePaths } from "./paths.ts";
import type { Quarantine } from "./quarantine.ts";

/** What a {@linkcode Placer} works on. */
export interface PlacerOptions {
  readonly paths: StorePaths;
  readonly catalog: Catalog;
  readonly quarantine: Quarantine;
  readonly log: Logger;
  readonly failpoint: Failpoint;
}

/** That a file has moved. */
export interface Move {
  readonly key: ChunkKey;
  readonly at: Place;
}

/**
 * Moves the files of chunks to where their rows say that they belong.
 *
 * It goes by how things stand and not by who asks: a chunk whose row has changed again meanwhile goes
 * straight to where it belongs now, and to ask twice does no harm. A file moves by one rename, what
 * lies in its way moves first, and nothing else of this program runs in between.
 *
 * 1. A row is changed durably before its file moves.
 * 2. Where a file is, is written down (`at`) after it has moved, with the next change of the catalog; of
 *    a file that is yet to move out of staging it is written beforehand ({@linkcode Placer.expect}).
 *    After a crash `at` may be wrong; the names in `staging/` and `retired/` tell then.
 */
export class Placer {
  readonly #options: PlacerOptions;
  readonly #moved = new Map<string, Move>();
  /** Where files are that are to be where their rows say, by key. */
  readonly #expected = new Map<string, Place>();
  readonly #stuck = new Map<string, ChunkKey>();

  constructor(options: PlacerOptions) {
    this.#options = options;
  }

  /** Where the file of a chunk is now. */
  at(row: ChunkRow): Place {
    if (this.#moved.size === 0 && this.#expected.size === 0) return row.at;
    const key = formatKey(row);
    return this.#expected.get(key) ?? this.#moved.get(key)?.at ?? row.at;
  }

  /** Says that a chunk's row tells already where its file will be, which is still at `at`. */
  expect(key: ChunkKey, at: Place): void {
    this.#expected.set(formatKey(key), at);
  }

  /** The file of a chunk. */
  file(row: ChunkRow): string {
    return this.#options.paths.file(this.at(row), row);
  }

  /** Forgets what was {@linkcode expect}ed of a chunk. */
  forget(key: ChunkKey): void {
    this.#expected.delete(formatKey(key));
  }

  /** The chunk whose file now has the name that this chunk has, or would have, when placed. */
  occupant(row: ChunkRow): ChunkRow | undefined {
    return this.#options.catalog.chunkTable.onSlots(row.name).find((other) =>
      other.part === row.part && other.parts === row.parts &&
      (other.copy === 0) === (row.copy === 0) && this.at(other) === "placed"
    );
  }

  /** The moves that the catalog does not know yet. */
  unwrittenMoves(): readonly Move[] {
    return this.#moved.size === 0 ? [] : [...this.#moved.values()];
  }

  /** Says that the catalog knows these moves. */
  movesWritten(moves: readonly Move[]): void {
    for (const move of moves) {
      const key = formatKey(move.key);
      if (this.#moved.get(key) === move) this.#moved.delete(key);
    }
  }

  /** Forgets everything but these moves: what a start, or the loss of the catalog, found. */
  reset(moves: readonly Move[]): void {
    this.#stuck.clear();
    this.#moved.clear();
    this.#expected.clear();
    for (const move of moves) this.#moved.set(formatKey(move.key), move);
  }

  /** Has these chunks moved by a later {@linkcode settleStuck}. */
  postpone(keys: Iterable<ChunkKey>): void {
    for (const key of keys) this.#stuck.set(formatKey(key), key);
  }

  /**
   * Moves the files of these chunks to where they belong. One that cannot be moved stays where it is,
   * is still read from there, and is tried again by {@linkcode settleStuck}.
   *
   * @returns the chunks whose file is gone, for the caller to forget
   */
  settle(keys: Iterable<ChunkKey>): ChunkRow[] {
    const gone: ChunkRow[] = [];
    for (const key of keys) {
      this.#stuck.delete(formatKey(key));
      const row = this.#options.catalog.chunkTable.get(key);
      if (row !== undefined) this.#tryToMove(row, () => this.#settleRow(row, gone));
    }
    return gone;
  }

  /**
   * Moves the files of chunks that are {@linkcode expect}ed where their rows say, and in whose way nothing
   * is: what {@linkcode settle} does, for who knows all this.
   */
  settleExpected(rows: Iterable<ChunkRow>): ChunkRow[] {
    const gone: ChunkRow[] = [];
    for (const row of rows) this.#tryToMove(row, () => this.#move(row, gone));
    return gone;
  }

  /** Tries again what could not be moved; returns as {@linkcode settle} does. */
  settleStuck(): ChunkRow[] {
    return this.#stuck.size === 0 ? [] : this.settle([...this.#stuck.values()]);
  }

  #tryToMove(row: ChunkRow, move: () => void): void {
    try {
      move();
    } catch (error) {
      const { pushId, part, place } = row;
      this.#options.log.error("chunk not moved", { pushId, part, to: place, error });
      this.#stuck.set(formatKey(row), { pushId, part });
    }
  }

  #settleRow(row: ChunkRow, gone: ChunkRow[]): void {
    if (this.at(row) === row.place) return;
    if (row.place === "placed") this.#clearSlot(row, gone);
    this.#move(row, gone);
  }

  /** Moves away what has the name that a chunk is to get. */
  #clearSlot(row: ChunkRow, gone: ChunkRow[]): void {
    const occupant = this.occupant(row);
    if (occupant?.place === "placed") {
      throw new Error(`Two chunks belong in one place: ${formatKey(row)}, ${formatKey(occupant)}`);
    }
    if (occupant !== undefined) this.#move(occupant, gone);
    else if (this.#options.catalog.hasStrays) {
      const slot = this.#options.paths.slot(row);
      const label = slot.slice(slot.lastIndexOf("/") + 1);
      this.#options.quarantine.take(slot, label, "of a version that nobody knows");
    }
  }

  #move(row: ChunkRow, gone: ChunkRow[]): void {
    const from = this.file(row);
    const to = this.#options.paths.file(row.place, row);
    const key = formatKey(row);
    this.#options.failpoint("move: before");
    if (!renameIfThere(from, to)) {
      this.#expected.delete(key);
      gone.push(row);
      return;
    }
    const wasExpected = this.#expected.delete(key) && row.at === row.place;
    if (wasExpected) this.#moved.delete(key);
    else this.#moved.set(key, { key: row, at: row.place });
    this.#options.failpoint("move: after");
  }
}

/** Renames a file, into a directory that is made if it is gone; false if there is no such file. */
function renameIfThere(from: string, to: string): boolean {
  for (const isLastTry of [false, true]) {
    try {
      Deno.renameSync(from, to);
      return true;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (isLastTry) return false;
      Deno.mkdirSync(parentOf(to), { recursive: true });
    }
  }
  return false;
}
