import type { FileRecord, StoredFile } from "../protocol/record.ts";
import type { ChunkRow } from "./chunk_table.ts";
import { commitRecords, hasLength } from "./commit.ts";
import type { StoreCore } from "./core.ts";
import { removeIfThere } from "./if_there.ts";
import { parseChunkName } from "../protocol/names.ts";
import type { Shelf } from "./shelf.ts";

/** Records looked at between two turns of the event loop: about 5 ms. */
const recordsPerTurn = 128;

/** Files deleted in one transaction of the catalog. */
const filesPerTurn = 128;

/** A file of which this node lacks parts. */
export interface IncompleteFile {
  readonly record: StoredFile;
  /** The parts that should be here and are not, counted from 0. */
  readonly parts: readonly number[];
}

/** What compares the catalog with the disk, and clears away. */
export class Upkeep {
  readonly #core: StoreCore;
  readonly #shelf: Shelf;

  constructor(core: StoreCore, shelf: Shelf) {
    this.#core = core;
    this.#shelf = shelf;
  }

  /** The parts of a file that should be here and are not. */
  async missing(record: FileRecord, signal?: AbortSignal): Promise<number[]> {
    if (record.kind === "tombstone") return [];
    const { catalog } = this.#core;
    const isCurrent = catalog.highestVersion(record.name) === record.version;
    const isAtRest = (row: ChunkRow) => row.place === "placed";
    if (isCurrent && (!this.#rowsOf(record).every(isAtRest) || catalog.hasStrays)) {
      // What is staged since, retired, or left by a lost catalog takes its place first.
      await commitRecords(this.#core, [{ record }]);
    }
    for (const row of this.#rowsOf(record)) {
      if (!row.verified) await this.#shelf.verify(row, signal);
    }
    return this.#lacking(record);
  }

  /** Every file of the catalog of which parts should be here and are not. */
  async *missingRecords(signal?: AbortSignal): AsyncGenerator<IncompleteFile> {
    let after = "";
    while (true) {
      const page = this.#core.catalog.records(after, recordsPerTurn);
      for (const record of page) {
        after = record.name;
        if (record.kind === "tombstone" || this.#isSettled(record)) continue;
        const parts = await this.missing(record, signal);
        if (parts.length > 0) yield { record, parts };
      }
      if (page.length < recordsPerTurn) return;
      await nextTurn();
      signal?.throwIfAborted();
    }
  }

  /** Deletes what was retired long enough ago. */
  async collect(graceMs: number): Promise<number> {
    this.#core.settleStuck();
    let collected = 0;
    let removed: ChunkRow[] = [];
    const { catalog, placer, failpoint } = this.#core;
    const forget = () => {
      failpoint("collect: file removed");
      this.#core.change(() => {
        for (const row of removed) catalog.chunkTable.remove(row);
      });
      collected += removed.length;
      removed = [];
    };
    for (const row of this.#core.collectable(graceMs)) {
      removeIfThere(placer.file(row));
      removed.push(row);
      if (removed.length < filesPerTurn) continue;
      forget();
      await nextTurn();
      if (!this.#core.isOpen) return collected;
    }
    if (removed.length > 0) forget();
    return collected;
  }

  /**
   * Moves the files of `content/` and `backup/` that no chunk has into quarantine. To be called when the
   * catalog is complete again after a loss, and {@linkcode missingRecords} has run to its end.
   */
  async sweepStrays(): Promise<number> {
    const { paths, catalog, quarantine } = this.#core;
    let swept = 0;
    let looked = 0;
    for (const directory of [paths.content, paths.backup]) {
      const isBackup = directory === paths.backup;
      for await (const { name, isFile } of Deno.readDir(directory)) {
        if (++looked % filesPerTurn === 0) await nextTurn();
        if (!isFile || this.#isKnown(name, isBackup)) continue;
        if (quarantine.take(`${directory}/${name}`, name, "of a version that nobody knows")) {
          swept++;
        }
      }
    }
    catalog.clearStrays();
    await catalog.durable();
    return swept;
  }

  /** Whether some chunk, of whatever version, has this file. */
  #isKnown(fileName: string, isBackup: boolean): boolean {
    const chunk = parseChunkName(fileName);
    if (chunk === undefined) return false;
    const { catalog, placer } = this.#core;
    return catalog.chunkTable.onSlots(chunk.name).some((row) =>
      row.part === chunk.part && row.parts === chunk.parts && (row.copy > 0) === isBackup &&
      placer.at(row) === "placed"
    );
  }

  /** Whether nothing needs to be done about a file: the quick way to pass by most of them. */
  #isSettled(record: StoredFile): boolean {
    if (!record.placement.some(({ nodes }) => nodes.includes(this.#core.options.self))) return true;
    const rows = this.#rowsOf(record);
    if (!rows.every((row) => row.place === "placed" && row.verified)) return false;
    return this.#lacking(record).length === 0;
  }

  /** The parts that should be here and have no row, or no file of the right length. */
  #lacking(record: StoredFile): number[] {
    const rows = new Map(this.#rowsOf(record).map((row) => [row.part, row]));
    const lacking: number[] = [];
    record.placement.forEach((part, index) => {
      if (!part.nodes.includes(this.#core.options.self)) return;
      const row = rows.get(index);
      if (row !== undefined && this.#hasFile(row)) return;
      lacking.push(index);
    });
    return lacking;
  }

  #hasFile(row: ChunkRow): boolean {
    if (hasLength(this.#core.placer.file(row), row.length)) return true;
    this.#core.discard(row, "its file is gone or has another length");
    return false;
  }

  #rowsOf(record: StoredFile): ChunkRow[] {
    return this.#core.catalog.chunkTable.ofPush(record.pushId);
  }
}

/** Lets everything else that waits for the event loop go first. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
