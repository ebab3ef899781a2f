import type { NodeAddress } from "../protocol/address.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import { Catalog } from "./catalog.ts";
import type { ChunkRow } from "./chunk_table.ts";
import { DiskFullError, StoreError } from "./errors.ts";
import { type Failpoint, noFailpoint } from "./failpoint.ts";
import { statIfThere } from "./if_there.ts";
import { type ChunkKey, formatKey, StorePaths } from "./paths.ts";
import { Placer } from "./placer.ts";
import { Quarantine } from "./quarantine.ts";
import { recover } from "./recovery.ts";

/** How a store is opened. */
export interface StoreOptions {
  /** The node's own directory, `<data-dir>/<port>`; the caller holds its lock. */
  readonly directory: string;
  /** How placements name this node. */
  readonly self: NodeAddress;
  /**
   * `fsync`: what is confirmed survives a power cut. `relaxed`: it survives the death of every process,
   * and costs no sync.
   */
  readonly durability: "fsync" | "relaxed";
  readonly clock: Pick<Clock, "nowMs" | "wallMs">;
  readonly log: Logger;
  /** Hears of each chunk that was found damaged or gone, so that it can be repaired. Must not throw. */
  readonly onDamaged?: (chunk: LostChunk) => void;
  /**
   * Hears that the catalog was lost under the open store, in the same moment in which an empty one takes
   * its place: nobody may be told of that before the peers have filled it. Must not throw.
   */
  readonly onLost?: () => void;
  /** For tests that look at every moment at which a crash could come. */
  readonly failpoint?: Failpoint;
}

/** A chunk that this node had and has no more. */
export interface LostChunk {
  readonly pushId: string;
  /** Empty if nobody knows it. */
  readonly name: string;
  /** Counted from 0. */
  readonly part: number;
  readonly reason: string;
}

/** What the parts of the store share: the catalog, the files, and the few ways to change them. */
export class StoreCore implements Disposable {
  readonly options: StoreOptions;
  readonly paths: StorePaths;
  readonly catalog: Catalog;
  readonly placer: Placer;
  readonly quarantine: Quarantine;
  readonly failpoint: Failpoint;
  /** How many open readers a chunk has, by its key. */
  readonly leases = new Map<string, number>();
  /** When chunks were retired, by `clock.nowMs`, oldest first. */
  readonly #retired = new Map<string, { readonly key: ChunkKey; readonly sinceMs: number }>();
  /** How often {@linkcode change} was called. */
  #changes = 0;
  #isClosed = false;

  private constructor(options: StoreOptions, paths: StorePaths, catalog: Catalog) {
    const { log, failpoint = noFailpoint } = options;
    this.options = options;
    this.paths = paths;
    this.catalog = catalog;
    this.failpoint = failpoint;
    this.quarantine = new Quarantine({ paths, log, failpoint });
    this.placer = new Placer({ paths, catalog, quarantine: this.quarantine, log, failpoint });
  }

  /** Opens the directory and finishes what a crash interrupted. */
  static async open(options: StoreOptions): Promise<StoreCore> {
    const { directory, durability, log, onLost } = options;
    const paths = new StorePaths(directory);
    makeDirectories(paths);
    const catalog = await Catalog.open({ paths, durability, log, onLost });
    const core = new StoreCore(options, paths, catalog);
    try {
      core.recover();
      return core;
    } catch (error) {
      catalog[Symbol.dispose]();
      throw error;
    }
  }

  /** False from the moment of its end. */
  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** Brings rows and files together again, after a start or the loss of the catalog. */
  recover(): void {
    const { paths, catalog, quarantine } = this;
    const { log, clock } = this.options;
    this.#retired.clear();
    const found = recover({ paths, catalog, quarantine, log, nowMs: clock.wallMs() });
    this.placer.reset(found.moves);
    try {
      this.change(() => {
        for (const row of found.gone) catalog.chunkTable.remove(row);
        for (const row of found.nameless) catalog.chunkTable.put(row);
      });
    } catch (error) {
      // Reads go on. What is gone is found again when it is read, what is nameless at the next start.
      if (!(error instanceof DiskFullError)) throw error;
      log.error("recovery not written", { error });
    }
    for (const row of found.gone) this.#tell(row, "its file is gone");
    this.settle(found.unsettled);
    for (const row of catalog.chunkTable.moving()) {
      if (row.place === "retired") this.noteRetired(row);
    }
  }

  /**
   * Runs a change of the catalog: all of it or nothing. Within it, `at` of every row is up to date. What
   * it concerns in memory or on disk must be done after it.
   */
  change<T>(change: () => T): T {
    const { chunkTable } = this.catalog;
    const moves = this.placer.unwrittenMoves();
    const later = chunkTable.laterRows();
    this.#changes++;
    try {
      const result = this.catalog.transaction(() => {
        for (const { key, at } of moves) chunkTable.setAt(key, at);
        const result = change();
        // Last, as most of them have been put in their places by the change.
        chunkTable.writeLater();
        return result;
      });
      this.placer.movesWritten(moves);
      return result;
    } catch (error) {
      for (const row of later) chunkTable.putLater(row);
      throw error;
    }
  }

  /** Writes the rows that wait for the next change, if there are any. */
  writeLater(): void {
    if (this.catalog.chunkTable.laterCount > 0) this.change(() => {/* that is all */});
  }

  /** Moves the files of these chunks to where their rows, durably, say that they belong. */
  settle(keys: Iterable<ChunkKey>): void {
    this.#forgetGone(this.placer.settle(keys));
  }

  /**
   * Makes the rows durable and then {@linkcode settle}s them.
   *
   * @param arrivals chunks that are {@linkcode Placer.expect}ed where nothing is in their way, by the change
   * that was made last
   * @throws {StoreError} if they cannot be: the files stay where they are until a later try
   */
  async settleDurably(
    keys: readonly ChunkKey[],
    arrivals: readonly ChunkRow[] = [],
  ): Promise<void> {
    const changes = this.#changes;
    try {
      await this.catalog.durable();
    } catch (error) {
      this.placer.postpone([...keys, ...arrivals]);
      throw error;
    }
    this.failpoint("commit: rows durable");
    this.settle(keys);
    if (changes === this.#changes) this.#forgetGone(this.placer.settleExpected(arrivals));
    else this.settle(arrivals);
  }

  /** Tries again what could not be moved. */
  settleStuck(): void {
    this.#forgetGone(this.placer.settleStuck());
  }

  /** Forgets a chunk whose file is gone or no good, and tells. */
  forget(row: ChunkRow, reason: string): void {
    try {
      this.change(() => this.catalog.chunkTable.remove(row));
      this.placer.forget(row);
    } catch (error) {
      // A full disk, perhaps. Whoever needs the chunk finds again that it is not there.
      if (!(error instanceof StoreError)) throw error;
      this.options.log.error("lost chunk not forgotten", { ...keyOf(row), error });
    }
    this.#tell(row, reason);
  }

  /** Moves a chunk's file into quarantine and forgets the chunk. */
  discard(row: ChunkRow, reason: string): void {
    this.quarantine.take(this.placer.file(row), formatKey(row), reason);
    this.forget(row, reason);
  }

  /** Takes down that a chunk was retired now. */
  noteRetired(row: ChunkKey): void {
    const key = keyOf(row);
    const name = formatKey(key);
    // A map keeps its order: what is retired again counts from now.
    this.#retired.delete(name);
    this.#retired.set(name, { key, sinceMs: this.options.clock.nowMs() });
  }

  /** The retired chunks without an open reader that were retired at least `graceMs` ago. */
  *collectable(graceMs: number): Generator<ChunkRow> {
    const until = this.options.clock.nowMs() - graceMs;
    for (const [name, { key, sinceMs }] of this.#retired) {
      if (sinceMs > until) return;
      const row = this.catalog.chunkTable.get(key);
      if (row?.place !== "retired") this.#retired.delete(name);
      else if (!this.leases.has(name)) yield row;
    }
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.change(() => {/* writes down the last moves */});
    } catch (error) {
      // The next start finds the files where they are.
      this.options.log.warn("last moves not written", { error });
    }
    this.catalog[Symbol.dispose]();
  }

  #forgetGone(gone: readonly ChunkRow[]): void {
    for (const row of gone) this.forget(row, "its file is gone");
  }

  #tell({ pushId, name, part }: ChunkRow, reason: string): void {
    this.options.log.warn("chunk lost", { pushId, name, part, reason });
    this.options.onDamaged?.({ pushId, name, part, reason });
  }
}

function keyOf({ pushId, part }: ChunkKey): ChunkKey {
  return { pushId, part };
}

/** Makes what is missing of the directories; whether anything was. */
export function makeDirectories(paths: StorePaths): boolean {
  let made = false;
  for (const directory of paths.directories) {
    // Looked at first, as it is done every few seconds: an error costs many times what a look does.
    if (statIfThere(directory) !== undefined) continue;
    Deno.mkdirSync(directory, { recursive: true });
    made = true;
  }
  return made;
}
