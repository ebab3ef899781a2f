import type { FileRecord, StoredFile } from "../protocol/record.ts";
import type { ChunkRow } from "./chunk_table.ts";
import type { StoreCore } from "./core.ts";
import { isNotFound } from "./errors.ts";
import type { ChunkKey, Place } from "./paths.ts";

/** What became of a record. */
export type CommitResult =
  | {
    /** `same`: it was the name's record already. */
    readonly outcome: "stored" | "same";
    /** Parts that the placement gives to this node and whose bytes are not here. */
    readonly missing: readonly number[];
    /** Parts that are here but were not compared with their checksums yet: check them. */
    readonly unverified: readonly number[];
  }
  | {
    /** Nothing changed: a higher version of the name is known. */
    readonly outcome: "higher";
    readonly version: string;
  };

/** What {@linkcode applyRecords} did. */
export interface Applied {
  readonly results: readonly CommitResult[];
  /** Chunks that belong elsewhere from now on: first what goes, then what comes. */
  readonly touched: readonly ChunkKey[];
}

/**
 * Takes records into the catalog, in one transaction, and says of the chunks they concern where these
 * belong. No file moves yet.
 *
 * 1. A record of a lower version than the known one changes nothing.
 * 2. With a record, every placed chunk of another push of its name is retired.
 * 3. Chunks of the record's push are placed, from staging or, if the push was replaced and is current
 *    again, from among the retired.
 */
export function applyRecords(core: StoreCore, records: readonly FileRecord[]): Applied {
  for (const record of records) if (record.kind === "file") discardOthers(core, record);
  const toggles: [name: string, version: string][] = [];
  const retired: ChunkRow[] = [];
  const touched: ChunkKey[] = [];
  const { recordTable, chunkTable, digest } = core.catalog;
  const results = core.change(() =>
    records.map((record): CommitResult => {
      const known = recordTable.version(record.name);
      if (known !== undefined && known.version > record.version) {
        return { outcome: "higher", version: known.version };
      }
      const isNew = known?.version !== record.version;
      if (isNew) {
        recordTable.put(record);
        if (known !== undefined) toggles.push([record.name, known.version]);
        toggles.push([record.name, record.version]);
      }
      for (const row of chunkTable.onSlots(record.name)) {
        const isCurrent = record.kind === "file" && row.pushId === record.pushId;
        if (row.place !== "placed" || isCurrent) continue;
        chunkTable.setPlace(row, "retired");
        retired.push(row);
        touched.push(row);
      }
      const outcome = isNew ? "stored" : "same";
      if (record.kind === "tombstone") return { outcome, missing: [], unverified: [] };
      return { outcome, ...placeChunks(core, record, touched, retired) };
    })
  );
  for (const [name, version] of toggles) digest.toggle(name, version);
  for (const row of retired) core.noteRetired(row);
  return { results, touched };
}

/** Applies records, makes that durable, and then moves the files. */
export async function commitRecords(
  core: StoreCore,
  records: readonly FileRecord[],
): Promise<readonly CommitResult[]> {
  const { results, touched } = applyRecords(core, records);
  core.failpoint("commit: rows written");
  await core.settleDurably(touched);
  core.failpoint("commit: done");
  return results;
}

/** Moves into quarantine what was staged for a record but is not what the record says. */
function discardOthers(core: StoreCore, record: StoredFile): void {
  const known = core.catalog.highestVersion(record.name);
  if (known !== undefined && known > record.version) return;
  for (const row of core.catalog.chunkTable.ofPush(record.pushId)) {
    const part = record.placement[row.part];
    if (row.place !== "staging" || part === undefined) continue;
    if (row.length !== part.length) {
      core.discard(row, `it has ${row.length} bytes and its record says ${part.length}`);
    } else if (
      row.checksums !== undefined && part.checksums !== "" && row.checksums !== part.checksums
    ) {
      core.discard(row, "its record has other checksums");
    }
  }
}

/** Says of the chunks of a record's push that they belong in `content/` or `backup/`. */
function placeChunks(
  core: StoreCore,
  record: StoredFile,
  touched: ChunkKey[],
  retired: ChunkRow[],
): { missing: number[]; unverified: number[] } {
  const { self } = core.options;
  const { chunkTable } = core.catalog;
  const here = new Set<number>();
  const unverified: number[] = [];
  for (const row of chunkTable.ofPush(record.pushId)) {
    const placed = placedRow(row, record, self);
    if (placed === undefined) {
      // Nobody will look for it here. It is not deleted at once, as nothing is.
      if (row.place !== "retired") {
        chunkTable.setPlace(row, "retired");
        retired.push(row);
        touched.push(row);
      }
      continue;
    }
    if (row.place !== "placed") {
      chunkTable.put(placed);
      touched.push(row);
    }
    here.add(row.part);
    if (!placed.verified) unverified.push(row.part);
  }
  const missing: number[] = [];
  record.placement.forEach((part, index) => {
    const copy = part.nodes.indexOf(self);
    if (copy < 0 || here.has(index)) return;
    const stray = core.catalog.hasStrays ? strayRow(core, record, index, copy) : undefined;
    if (stray === undefined) {
      missing.push(index);
    } else {
      chunkTable.put(stray);
      unverified.push(index);
    }
  });
  return { missing, unverified };
}

/** The row of a chunk as it should be under a record, `undefined` if this node should not have it. */
function placedRow(row: ChunkRow, record: StoredFile, self: string): ChunkRow | undefined {
  const part = record.placement[row.part];
  if (part === undefined || part.length !== row.length) return undefined;
  const index = part.nodes.findIndex((node) => node === self);
  // The placement of a foreign record is a guess.
  if (index < 0 && !record.foreign) return undefined;
  const known = part.checksums === "" ? undefined : part.checksums;
  return {
    ...row,
    name: record.name,
    parts: record.placement.length,
    copy: index < 0 ? row.copy : index,
    place: "placed",
    checksums: row.checksums ?? known,
  };
}

/** The row of a chunk whose file a lost catalog left under the chunk's name, if there is one. */
function strayRow(
  core: StoreCore,
  record: StoredFile,
  index: number,
  copy: number,
): ChunkRow | undefined {
  const part = record.placement[index];
  if (part === undefined) return undefined;
  const place: Place = "placed";
  const row: ChunkRow = {
    pushId: record.pushId,
    part: index,
    name: record.name,
    parts: record.placement.length,
    copy,
    place,
    at: place,
    length: part.length,
    checksums: part.checksums === "" ? undefined : part.checksums,
    verified: false,
    coordinator: undefined,
    incarnation: undefined,
    timeMs: record.timeMs,
  };
  if (core.placer.occupant(row) !== undefined) return undefined;
  return hasLength(core.paths.slot(row), row.length) ? row : undefined;
}

/** Whether a file is there and has so many bytes. */
export function hasLength(path: string, length: number): boolean {
  try {
    const info = Deno.statSync(path);
    return info.isFile && info.size === length;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
