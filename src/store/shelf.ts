import { closeSync, openSync, readSync } from "node:fs";
import { parseChunkName } from "../protocol/names.ts";
import { blockBytes } from "../protocol/limits.ts";
import { BlockChecksums, isChunkIntact } from "./block_checksums.ts";
import { ChunkReader, type ReadingSite } from "./chunk_reader.ts";
import type { ChunkRow } from "./chunk_table.ts";
import type { StoreCore } from "./core.ts";
import { isNotFound, storeError } from "./errors.ts";
import { type ChunkKey, formatKey } from "./paths.ts";

/** What a check of a chunk found. `damaged`: its file is in quarantine now. */
export type CheckResult = "ok" | "damaged" | "missing";

/** The chunks of a node as who reads them sees them. */
export class Shelf implements ReadingSite {
  readonly #core: StoreCore;

  constructor(core: StoreCore) {
    this.#core = core;
  }

  /** Opens a chunk, wherever it is; `undefined` if it is not here or was found to be no good. */
  async open(key: ChunkKey): Promise<ChunkReader | undefined> {
    const row = this.#core.catalog.chunkTable.get(key);
    // Without a name it is a file whose row was lost: only its record can say what it should be.
    if (row === undefined || row.name === "") return undefined;
    if (row.checksums !== undefined) return this.#openRow(row);
    return (await this.verify(row)) === "ok" ? this.#openNow(key) : undefined;
  }

  /**
   * Reads all of a chunk into the beginning of a buffer, and checks it, in one go, which costs a third of
   * what it costs to open it; nothing else runs meanwhile.
   *
   * @returns its bytes; `undefined` when there is no room for them, or when anything is not as usual, to
   * which {@linkcode open} sees. What is in the buffer is of no use then.
   */
  readWhole(key: ChunkKey, buffer: Uint8Array): number | undefined {
    const { catalog, placer } = this.#core;
    const row = catalog.chunkTable.get(key);
    if (row === undefined || row.name === "" || row.checksums === undefined) return undefined;
    if (row.length > buffer.length) return undefined;
    const bytes = buffer.subarray(0, row.length);
    if (row.length > 0 && !fillNow(placer.file(row), bytes)) return undefined;
    return isChunkIntact(bytes, row.checksums) ? row.length : undefined;
  }

  /** Opens what an original node means by a chunk's name. */
  openByChunkName(chunk: string, place: "content" | "backup"): Promise<ChunkReader | undefined> {
    const wanted = parseChunkName(chunk);
    if (wanted === undefined) return Promise.resolve(undefined);
    const { catalog } = this.#core;
    const isWanted = (row: ChunkRow) =>
      row.part === wanted.part && row.parts === wanted.parts &&
      (row.copy === 0) === (place === "content");
    const current = catalog.knownVersion(wanted.name)?.pushId ?? "";
    const row = catalog.chunkTable.ofPush(current).find(isWanted) ??
      catalog.chunkTable.onSlots(wanted.name).find((row) =>
        row.place === "placed" && isWanted(row)
      );
    return row === undefined ? Promise.resolve(undefined) : this.open(row);
  }

  /**
   * Reads all of a chunk and compares it with its checksums.
   *
   * @throws the signal's reason once it aborts; {@linkcode StoreError} if this process cannot read
   */
  async check(key: ChunkKey, signal?: AbortSignal): Promise<CheckResult> {
    const row = this.#core.catalog.chunkTable.get(key);
    return row === undefined ? "missing" : await this.verify(row, signal);
  }

  /** The same for a row; a chunk without checksums gets those of the bytes it has. */
  async verify(row: ChunkRow, signal?: AbortSignal): Promise<CheckResult> {
    const reader = this.#openNow(row);
    if (reader === undefined) return "missing";
    using _lease = reader;
    const checksums = new BlockChecksums();
    const buffer = new Uint8Array(Math.min(blockBytes, row.length));
    for (let index = 0; index < reader.blocks; index++) {
      signal?.throwIfAborted();
      const fault = await reader.readUnchecked(index, buffer);
      if (fault !== undefined) {
        this.damaged(reader, fault);
        return "damaged";
      }
      checksums.update(buffer.subarray(0, reader.blockLength(index)));
    }
    const found = checksums.finish();
    if (row.checksums !== undefined && row.checksums !== found) {
      this.damaged(reader, "its checksums are others");
      return "damaged";
    }
    const { catalog, placer } = this.#core;
    const now = catalog.chunkTable.get(row);
    const isSame = now !== undefined && isFile(placer.file(now), reader.inode);
    if (isSame && !now.verified && now.name !== "") {
      this.#core.change(() => catalog.chunkTable.setVerified(now, found));
    }
    return "ok";
  }

  damaged(reader: ChunkReader, reason: string): void {
    if (!this.#core.isOpen) return;
    try {
      const row = this.#core.catalog.chunkTable.get(reader);
      // Another reader may have told already, and a good copy may be here by now.
      if (row === undefined || !isFile(this.#core.placer.file(row), reader.inode)) return;
      this.#core.discard(row, reason);
    } catch (error) {
      this.#core.options.log.error("damaged chunk not moved", { ...keyOf(reader), error });
    }
  }

  closed(reader: ChunkReader): void {
    const { leases } = this.#core;
    const name = formatKey(reader);
    const count = leases.get(name) ?? 0;
    if (count > 1) leases.set(name, count - 1);
    else leases.delete(name);
  }

  /** Looks the chunk up and opens it in one go, so that its file cannot move in between. */
  #openNow(key: ChunkKey): ChunkReader | undefined {
    const row = this.#core.catalog.chunkTable.get(key);
    return row === undefined ? undefined : this.#openRow(row);
  }

  /** Opens the chunk of a row that was looked up just now: some system calls, no turn of the event loop. */
  #openRow(row: ChunkRow): ChunkReader | undefined {
    const { placer, leases } = this.#core;
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(placer.file(row));
    } catch (error) {
      if (!isNotFound(error)) throw storeError(`read part ${row.part + 1}`, error);
      this.#core.forget(row, "its file is gone");
      return undefined;
    }
    try {
      const { size, ino } = file.statSync();
      if (size === row.length) {
        const name = formatKey(row);
        leases.set(name, (leases.get(name) ?? 0) + 1);
        const chunk = { ...row, checksums: row.checksums ?? "" };
        return new ChunkReader(chunk, file, ino, this);
      }
      this.#core.discard(row, `its file has ${size} of ${row.length} bytes`);
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
    return undefined;
  }
}

function keyOf({ pushId, part }: ChunkKey): ChunkKey {
  return { pushId, part };
}

/** Fills `bytes` from the beginning of a file; whether it could. */
function fillNow(path: string, bytes: Uint8Array): boolean {
  try {
    // Not by `Deno.openSync`, which takes twice as many system calls to find out what is permitted.
    const file = openSync(path, "r");
    try {
      let filled = 0;
      while (filled < bytes.length) {
        const count = readSync(file, bytes, filled, bytes.length - filled, null);
        if (count === 0) return false;
        filled += count;
      }
      return true;
    } finally {
      closeSync(file);
    }
  } catch {
    // Whoever opens the chunk next meets the same fault, and reports it.
    return false;
  }
}

/** Whether a path leads to the file with this inode. */
function isFile(path: string, inode: number | null): boolean {
  try {
    return Deno.statSync(path).ino === inode;
  } catch (error) {
    if (isNotFound(error)) return inode === null;
    throw error;
  }
}
