/** The version of a name's record, and the push whose bytes it is. */
export interface CacheKey {
  /** A ULID. */
  readonly version: string;
  /** Names the bytes. */
  readonly pushId: string;
}

/** A whole file with the line before it, which never changes. */
export interface CachedFile {
  /** Of the record that the line was written from. */
  readonly version: string;
  /** The line of `FILE GET`, then the file. */
  readonly answer: Uint8Array;
  /** Bytes of the line. */
  readonly headerBytes: number;
}

/** What an entry takes besides its bytes, in bytes: the objects that hold it. */
const entryBytes = 512;

/**
 * Small files that were read lately; who has not been asked for longest goes first.
 *
 * 1. An entry is found by its push id, and only for the version that the catalog has now: whoever asks
 *    has looked there first. So it may be old, but it is never taken for current.
 * 2. Its bytes were compared with their checksums before they came here.
 * 3. All entries together take at most `bytesMax`.
 */
export class FileCache {
  readonly #bytesMax: number;
  /** By push id, the one that was asked for last at the end. */
  readonly #entries = new Map<string, CachedFile>();
  #bytes = 0;

  /** @param bytesMax 0: keeps nothing. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** False when it keeps nothing, so that nobody need ask. */
  get isOn(): boolean {
    return this.#bytesMax > 0;
  }

  /** What all entries take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The file of this version, if it is here. */
  get({ version, pushId }: CacheKey): CachedFile | undefined {
    const entry = this.#entries.get(pushId);
    if (entry === undefined || entry.version !== version) return undefined;
    this.#entries.delete(pushId);
    this.#entries.set(pushId, entry);
    return entry;
  }

  /** Keeps a file, in the place of another version of the same push. */
  put(pushId: string, file: CachedFile): void {
    const bytes = file.answer.length + entryBytes;
    if (bytes > this.#bytesMax) return;
    this.#remove(pushId);
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes + bytes <= this.#bytesMax) break;
      this.#remove(oldest);
    }
    this.#entries.set(pushId, file);
    this.#bytes += bytes;
  }

  #remove(pushId: string): void {
    const entry = this.#entries.get(pushId);
    if (entry === undefined) return;
    this.#entries.delete(pushId);
    this.#bytes -= entry.answer.length + entryBytes;
  }
}
