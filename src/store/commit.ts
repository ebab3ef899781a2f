import type { FileRecord, StoredFile } from "../protocol/record.ts";
import type { ChunkRow } from "./chunk_table.ts";
import type { StoreCore } from "./core.ts";
import { statIfThere } from "./if_there.ts";
import { type ChunkKey, formatKey, type Place } from "./paths.ts";

/** A record that is to be committed. */
export interface Commit {
  readonly record: FileRecord;
  /** The record in JSON, if it is at hand. */
  readonly text?: string | undefined;
}

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
  /** Chunks that go from staging to places that are free; not among `touched`. */
  readonly arrivals: readonly ChunkRow[];
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
export function applyRecords(core: StoreCore, commits: readonly Commit[]): Applied {
  const rowsKnown = discardOthers(core, commits.map(({ record }) => record));
  const changed: Changed = { toggles: [], retired: [], touched: [], arrivals: new Map() };
  const { recordTable, digest } = core.catalog;
  const apply = ({ record, text }: Commit): CommitResult => {
    const known = recordTable.version(record.name);
    if (known !== undefined && known.version > record.version) {
      return { outcome: "higher", version: known.version };
    }
    const isNew = known?.version !== record.version;
    if (isNew) {
      recordTable.put(record, text);
      if (known !== undefined) changed.toggles.push([record.name, known.version]);
      changed.toggles.push([record.name, record.version]);
    }
    const areFree = retireOthers(core, record, changed);
    const outcome = isNew ? "stored" : "same";
    if (record.kind === "tombstone") return { outcome, missing: [], unverified: [] };
    const rows = rowsKnown?.get(record.pushId) ?? core.catalog.chunkTable.ofPush(record.pushId);
    return { outcome, ...placeChunks(core, record, { rows, changed, areFree }) };
  };
  let results: readonly CommitResult[];
  try {
    results = core.change(() => commits.map(apply));
  } catch (error) {
    for (const row of changed.arrivals.values()) core.placer.forget(row);
    throw error;
  }
  for (const [name, version] of changed.toggles) digest.toggle(name, version);
  for (const row of changed.retired) core.noteRetired(row);
  return { results, touched: changed.touched, arrivals: [...changed.arrivals.values()] };
}

/** Applies records, makes that durable, and then moves the files. */
export async function commitRecords(
  core: StoreCore,
  commits: readonly Commit[],
): Promise<readonly CommitResult[]> {
  const { results, touched, arrivals } = applyRecords(core, commits);
  core.failpoint("commit: rows written");
  await core.settleDurably(touched, arrivals);
  core.failpoint("commit: done");
  return results;
}

/** What a change does to the rows of chunks. */
interface Changed {
  /** For the digest. */
  readonly toggles: [name: string, version: string][];
  readonly retired: ChunkRow[];
  readonly touched: ChunkKey[];
  /** By key. */
  readonly arrivals: Map<string, ChunkRow>;
}

/**
 * Moves into quarantine what was staged for records but is not what they say.
 *
 * @returns the chunks of each push, if the change that follows finds them as they are now
 */
function discardOthers(
  core: StoreCore,
  records: readonly FileRecord[],
): ReadonlyMap<string, readonly ChunkRow[]> | undefined {
  const rowsOf = new Map<string, readonly ChunkRow[]>();
  const names = new Set<string>();
  // Where the catalog does not know of a move, the change will tell it.
  let areFresh = true;
  for (const record of records) {
    names.add(record.name);
    if (record.kind === "tombstone") continue;
    const rows = core.catalog.chunkTable.ofPush(record.pushId);
    rowsOf.set(record.pushId, rows);
    areFresh &&= rows.every((row) => core.placer.at(row) === row.at);
    const others = rows.filter((row) =>
      row.place === "staging" && whyOther(row, record) !== undefined
    );
    if (others.length === 0) continue;
    const known = core.catalog.highestVersion(record.name);
    if (known !== undefined && known > record.version) continue;
    for (const row of others) core.discard(row, whyOther(row, record) ?? "");
    areFresh = false;
  }
  // Two records of a name, or of a push, change the same chunks.
  const files = records.filter(({ kind }) => kind === "file").length;
  const areApart = names.size === records.length && rowsOf.size === files;
  return areFresh && areApart ? rowsOf : undefined;
}

/** Why a staged chunk is not what its record says; `undefined` if it is, or if the record has no such part. */
function whyOther(row: ChunkRow, record: StoredFile): string | undefined {
  const part = record.placement[row.part];
  if (part === undefined) return undefined;
  if (row.length !== part.length) {
    return `it has ${row.length} bytes and its record says ${part.length}`;
  }
  const areBothKnown = row.checksums !== undefined && part.checksums !== "";
  return areBothKnown && row.checksums !== part.checksums
    ? "its record has other checksums"
    : undefined;
}

/** Retires the placed chunks of other pushes of a name; whether no file has a name of its chunks. */
function retireOthers(core: StoreCore, record: FileRecord, changed: Changed): boolean {
  const { catalog, placer } = core;
  let areFree = !catalog.hasStrays;
  for (const row of catalog.chunkTable.onSlots(record.name)) {
    const isCurrent = record.kind === "file" && row.pushId === record.pushId;
    if (row.place === "placed" && !isCurrent) {
      catalog.chunkTable.setPlace(row, "retired");
      changed.retired.push(row);
      changed.touched.push(row);
      changed.arrivals.delete(formatKey(row));
    }
    if (!isCurrent || placer.at(row) !== "placed") areFree = false;
  }
  return areFree;
}

/** What {@linkcode placeChunks} goes by. */
interface PlacementScope {
  /** The chunks of the record's push. */
  readonly rows: readonly ChunkRow[];
  readonly changed: Changed;
  /** True when no file has the name of a chunk of the record. */
  readonly areFree: boolean;
}

/** Says of the chunks of a record's push that they belong in `content/` or `backup/`. */
function placeChunks(
  core: StoreCore,
  record: StoredFile,
  { rows, changed, areFree }: PlacementScope,
): { missing: number[]; unverified: number[] } {
  const { self } = core.options;
  const { chunkTable } = core.catalog;
  const here = new Set<number>();
  const unverified: number[] = [];
  for (const row of rows) {
    const placed = placedRow(row, record, self);
    if (placed === undefined) {
      // Nobody will look for it here. It is not deleted at once, as nothing is.
      if (row.place !== "retired") {
        chunkTable.setPlace(row, "retired");
        changed.retired.push(row);
        changed.touched.push(row);
      }
      continue;
    }
    if (row.place === "staging" && areFree && core.placer.at(row) === "staging") {
      const arrival: ChunkRow = { ...placed, at: "placed" };
      chunkTable.put(arrival);
      core.placer.expect(arrival, "staging");
      changed.arrivals.set(formatKey(arrival), arrival);
    } else if (row.place !== "placed") {
      chunkTable.put(placed);
      changed.touched.push(row);
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
  const info = statIfThere(path);
  return info?.isFile === true && info.size === length;
}
