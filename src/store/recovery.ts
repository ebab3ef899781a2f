import type { Logger } from "../runtime/log.ts";
import { BlockChecksums } from "./block_checksums.ts";
import type { Catalog } from "./catalog.ts";
import type { ChunkRow } from "./chunk_table.ts";
import { statIfThere } from "./if_there.ts";
import { type ChunkKey, formatKey, parseKey, type Place, type StorePaths } from "./paths.ts";
import type { Move } from "./placer.ts";
import type { Quarantine } from "./quarantine.ts";

/** What {@linkcode recover} works on. */
export interface RecoveryOptions {
  readonly paths: StorePaths;
  readonly catalog: Catalog;
  readonly quarantine: Quarantine;
  readonly log: Logger;
  /** Wall clock, ms since the epoch. */
  readonly nowMs: number;
}

/** What {@linkcode recover} found. */
export interface Recovered {
  /** Where files are, other than their rows say. */
  readonly moves: readonly Move[];
  /** Chunks whose file is not where it belongs. */
  readonly unsettled: readonly ChunkKey[];
  /** Chunks whose file is gone. */
  readonly gone: readonly ChunkRow[];
  /** Rows for files that have none. */
  readonly nameless: readonly ChunkRow[];
}

/** The end of the name of a file that is being received. */
export const partialSuffix = ".tmp";

/**
 * Finds out, after a start, where the files of the chunks are that were on their way or are not at
 * rest, and deletes what a crash left half received. The catalog is not changed here. Chunks at rest in
 * `content/` and `backup/` are not looked at: the time this takes does not grow with them.
 *
 * 1. A file in `staging/` or `retired/` is the chunk that its name says.
 * 2. A chunk with no such file is the one in `content/` or `backup/` under its chunk name, if only one
 *    chunk can be it; else the checksums decide.
 * 3. A file that no row tells of gets one, as nobody can say here that it is not needed.
 */
export function recover(options: RecoveryOptions): Recovered {
  const found = new FoundFiles(options);
  const { chunkTable } = options.catalog;
  const moves: Move[] = [];
  const unsettled: ChunkKey[] = [];
  const gone: ChunkRow[] = [];
  const nameless: ChunkRow[] = [];
  const rows = new Map(chunkTable.moving().map((row) => [formatKey(row), row]));
  for (const key of found.keys()) {
    const row = chunkTable.get(key);
    if (row !== undefined) rows.set(formatKey(key), row);
    else nameless.push(found.newRow(key));
  }
  for (const row of rows.values()) {
    const at = found.placeOf(row) ?? slotOwner(row, rows, found, options);
    if (at === undefined) {
      gone.push(row);
      continue;
    }
    if (at !== row.at) moves.push({ key: row, at });
    if (at !== row.place) unsettled.push(row);
  }
  return { moves, unsettled, gone, nameless };
}

/** `placed` if the file under the chunk's name is this chunk's. */
function slotOwner(
  row: ChunkRow,
  moving: ReadonlyMap<string, ChunkRow>,
  found: FoundFiles,
  { paths, catalog }: RecoveryOptions,
): Place | undefined {
  if (row.name === "" || lengthOf(paths.slot(row)) !== row.length) return undefined;
  const rivals = new Set(
    [...catalog.chunkTable.onSlots(row.name), ...moving.values()]
      .filter((other) =>
        other.name === row.name && other.part === row.part && other.parts === row.parts &&
        (other.copy === 0) === (row.copy === 0) && found.placeOf(other) === undefined
      )
      .map(formatKey),
  );
  if (rivals.size === 1) return "placed";
  return checksumsOf(paths.slot(row)) === row.checksums ? "placed" : undefined;
}

/** The files in `staging/` and `retired/`, by their keys. */
class FoundFiles {
  readonly #options: RecoveryOptions;
  readonly #files = new Map<string, { key: ChunkKey; place: Place; length: number }>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#read("staging");
    this.#read("retired");
  }

  keys(): ChunkKey[] {
    return [...this.#files.values()].map(({ key }) => key);
  }

  placeOf(key: ChunkKey): Place | undefined {
    return this.#files.get(formatKey(key))?.place;
  }

  /** The row of a file that has none. */
  newRow(key: ChunkKey): ChunkRow {
    const file = this.#files.get(formatKey(key));
    if (file === undefined) throw new RangeError(`No file was found for ${formatKey(key)}`);
    const { place, length } = file;
    this.#options.log.warn("file without a row found", { ...key, place });
    const unknown = { checksums: undefined, coordinator: undefined, incarnation: undefined };
    const slot = { name: "", parts: 0, copy: 0 };
    const timeMs = this.#options.nowMs;
    return { ...key, ...slot, ...unknown, place, at: place, length, verified: false, timeMs };
  }

  #read(place: "staging" | "retired"): void {
    const { paths, catalog, quarantine, log } = this.#options;
    const directory = paths[place];
    for (const { name, isFile } of [...Deno.readDirSync(directory)]) {
      const path = `${directory}/${name}`;
      if (!isFile) continue;
      if (name.endsWith(partialSuffix)) {
        Deno.removeSync(path);
        log.info("partly received file removed", { file: name });
        continue;
      }
      const key = parseKey(name);
      const length = lengthOf(path);
      if (key === undefined || length === undefined) {
        quarantine.take(path, name, "its name says nothing");
        continue;
      }
      const row = catalog.chunkTable.get(key);
      if (row !== undefined && row.length !== length) {
        quarantine.take(path, name, `${length} instead of ${row.length} bytes`);
      } else if (this.#files.has(name)) {
        quarantine.take(path, name, "it is there twice");
      } else {
        this.#files.set(name, { key, place, length });
      }
    }
  }
}

function lengthOf(path: string): number | undefined {
  const info = statIfThere(path);
  return info?.isFile === true ? info.size : undefined;
}

/** The checksums of a whole file; stops the process while it reads, which only a rare crash needs. */
function checksumsOf(path: string): string {
  using file = Deno.openSync(path);
  const checksums = new BlockChecksums();
  const buffer = new Uint8Array(1024 * 1024);
  for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
    checksums.update(buffer.subarray(0, count));
  }
  return checksums.finish();
}
