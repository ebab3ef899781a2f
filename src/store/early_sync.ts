/**
 * Bytes after which a growing file is synced. Fewer cost more syncs, each of which takes the disk's journal
 * a turn; more leave more to the last sync, for which everybody waits while the processors idle.
 */
const earlySyncBytes = 24 * 1024 * 1024;

/**
 * Brings a file to the disk while it still grows, so that the sync at its end has little left to do. It
 * makes nothing durable by itself: that sync has to follow.
 */
export class EarlySync {
  readonly #sync: () => Promise<void>;
  readonly #everyBytes: number;
  #begunBytes = 0;
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** `sync` is never called while a call of it runs. */
  constructor(sync: () => Promise<void>, everyBytes: number = earlySyncBytes) {
    if (!(everyBytes > 0)) throw new RangeError(`Cannot sync every ${everyBytes} bytes`);
    this.#sync = sync;
    this.#everyBytes = everyBytes;
  }

  /** Tells that the file has so many bytes now, and more to come. */
  grown(bytes: number): void {
    if (bytes - this.#begunBytes < this.#everyBytes || this.#running !== undefined) return;
    this.#begunBytes = bytes;
    this.#running = this.#run();
  }

  /**
   * Resolves when no sync runs any more.
   *
   * @throws what the first sync that failed did: the system may tell of lost bytes only once.
   */
  async settled(): Promise<void> {
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #run(): Promise<void> {
    try {
      await this.#sync();
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#running = undefined;
    }
  }
}

/**
 * Syncs the bytes of a file that another handle writes: the runtime takes one call of a handle at a time, and
 * a sync on the writer's own would hold up what it writes.
 */
export async function syncBytesOf(path: string): Promise<void> {
  using file = openForSync(path);
  await file.syncData();
}

/** At once, which takes less time than another thread would. Windows syncs only what may be written. */
function openForSync(path: string): Deno.FsFile {
  return Deno.openSync(path, { write: true });
}
