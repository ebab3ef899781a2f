import type { NodeAddress } from "../protocol/address.ts";
import { quote } from "../protocol/names.ts";
import { BlockChecksums } from "./block_checksums.ts";
import type { EarlySync } from "./early_sync.ts";
import { DiskFullError, isDiskFull, isNotFound, StoreError, storeError } from "./errors.ts";
import type { Failpoint } from "./failpoint.ts";
import { freeBytes } from "./free_space.ts";

/**
 * What is written at once, without another thread: up to this many bytes that takes less time, unless
 * the disk is so busy that the system lets writers wait.
 */
const writeNowBytesMax = 16 * 1024;

/** One copy of one part that a push brings to this node. */
export interface StagedChunk {
  /** An id of 1 to 64 letters, digits, `-` and `_`. */
  readonly pushId: string;
  /** The file's name, normalised. */
  readonly name: string;
  /** How many parts the file has. */
  readonly parts: number;
  /** Counted from 0. */
  readonly part: number;
  /** 0: this node is the part's holder; k: its k-th backup holder. */
  readonly copy: number;
  /** Bytes. */
  readonly length: number;
  /** Who can tell what became of the push. */
  readonly coordinator?: NodeAddress;
  /** The coordinator's incarnation. */
  readonly incarnation?: string;
}

/** The part of the store that a {@linkcode StagingWriter} needs. */
export interface StagingSite {
  readonly failpoint: Failpoint;
  /**
   * Makes a complete file a staged chunk, durably. It closes the file, and removes it when it throws.
   */
  admit(chunk: StagedChunk, file: PartialFile, checksums: string): Promise<void>;
  /** The writer needs its place no more. */
  ended(writer: StagingWriter): void;
}

/** The file that is being received. */
export interface PartialFile {
  readonly file: Deno.FsFile;
  readonly path: string;
  /** `undefined` unless the file is to survive a power cut. */
  readonly early: EarlySync | undefined;
}

/**
 * Receives the bytes of one chunk. Until {@linkcode finish} has resolved nothing of it counts, and dispose
 * removes it.
 */
export class StagingWriter implements AsyncDisposable {
  readonly chunk: StagedChunk;
  readonly #site: StagingSite;
  readonly #partial: PartialFile;
  readonly #checksums = new BlockChecksums();
  #written = 0;
  #state: "open" | "finishing" | "ended" = "open";
  #busy: Promise<unknown> | undefined;

  /** @param partial an open, empty file, which is the writer's from now on */
  constructor(chunk: StagedChunk, site: StagingSite, partial: PartialFile) {
    this.chunk = chunk;
    this.#site = site;
    this.#partial = partial;
  }

  /** Bytes so far. */
  get written(): number {
    return this.#written;
  }

  /**
   * Writes the next bytes, which are free to change once it has resolved. One call at a time.
   *
   * @throws {RangeError} if they are more than the chunk's length; {@linkcode DiskFullError} or another
   * {@linkcode StoreError} if the disk does not take them or the push was aborted. The file is removed
   * then.
   */
  async write(bytes: Uint8Array): Promise<void> {
    this.#expectOpen();
    if (this.#written + bytes.length > this.chunk.length) {
      await this.abandon();
      throw new RangeError(`More than the ${this.chunk.length} bytes of ${describe(this.chunk)}`);
    }
    // The system copies while the checksum is made.
    const writing = writeAll(this.#partial.file, bytes);
    this.#busy = writing;
    this.#checksums.update(bytes);
    try {
      await writing;
    } catch (error) {
      await this.abandon();
      throw writeError(this.chunk, this.#partial.path, error);
    }
    this.#written += bytes.length;
    if (this.#written < this.chunk.length) this.#partial.early?.grown(this.#written);
  }

  /**
   * Makes what was written a staged chunk. With the durability `fsync` it would survive a power cut once
   * this has resolved.
   *
   * @returns the checksums as a record has them
   * @throws {RangeError} if bytes are missing, {@linkcode StoreError} as {@linkcode write} does
   */
  async finish(): Promise<string> {
    this.#expectOpen();
    if (this.#written < this.chunk.length) {
      await this.abandon();
      throw new RangeError(
        `Only ${this.#written} of ${this.chunk.length} bytes of ${describe(this.chunk)}`,
      );
    }
    this.#site.failpoint("stage: bytes written");
    this.#state = "finishing";
    try {
      const checksums = this.#checksums.finish();
      await this.#site.admit(this.chunk, this.#partial, checksums);
      return checksums;
    } catch (error) {
      throw writeError(this.chunk, this.#partial.path, error);
    } finally {
      await this.#earlySyncEnd();
      this.#state = "ended";
      this.#site.ended(this);
    }
  }

  /** Removes the file; does nothing once {@linkcode finish} was called. */
  async abandon(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "ended";
    // The file is closed under no write, and removed under no sync.
    await this.#busy?.catch(() => {/* who waits for that write hears of it */});
    await this.#earlySyncEnd();
    this.#partial.file.close();
    await removeIfThere(this.#partial.path);
    this.#site.ended(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abandon();
  }

  /** Resolves when no early sync is under way; what it failed with is news only to who admits the file. */
  async #earlySyncEnd(): Promise<void> {
    await this.#partial.early?.settled().catch(() => {/* see above */});
  }

  #expectOpen(): void {
    if (this.#state === "open") return;
    throw new StoreError(`The transfer of ${describe(this.chunk)} was given up`);
  }
}

/**
 * Writes all bytes, however few the system takes at once. A few bytes it takes faster than another
 * thread could be asked to give them.
 */
async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  if (bytes.length <= writeNowBytesMax) return writeNow(file, bytes);
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
}

/** Writes all bytes at once, without another thread. */
export function writeNow(file: Deno.FsFile, bytes: Uint8Array): void {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(file.writeSync(rest));
}

/** The error of a chunk that could not be written. */
export function writeError(chunk: StagedChunk, path: string, error: unknown): unknown {
  if (error instanceof StoreError || error instanceof RangeError) return error;
  if (!isDiskFull(error)) return storeError(`store ${quote(chunk.name)}`, error);
  const room = { freeBytes: freeBytes(path), neededBytes: chunk.length };
  return new DiskFullError(quote(chunk.name), room, { cause: error });
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function describe({ name, part, parts }: StagedChunk): string {
  return `part ${part + 1} of ${parts} of ${quote(name)}`;
}
