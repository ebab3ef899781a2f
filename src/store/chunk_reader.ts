import { blockBytes } from "../protocol/limits.ts";
import { blockCount, blockLength, isBlockIntact } from "./block_checksums.ts";
import { DamagedChunkError, storeError } from "./errors.ts";

/**
 * What is read at once, without another thread, which would cost more than twice as much: blocks of up
 * to this many bytes. The price is that nothing else runs while a disk looks for bytes that the system
 * has not in memory.
 */
const readNowBytesMax = 16 * 1024;

/** What a {@linkcode ChunkReader} reads. */
export interface OpenChunk {
  readonly pushId: string;
  /** Counted from 0. */
  readonly part: number;
  /** Bytes. */
  readonly length: number;
  /** As in a record. */
  readonly checksums: string;
}

/** The part of the store that a {@linkcode ChunkReader} needs. */
export interface ReadingSite {
  /** Moves a chunk that is not what it should be out of the way. */
  damaged(reader: ChunkReader, reason: string): void;
  /** The reader needs its chunk no more. */
  closed(reader: ChunkReader): void;
}

/**
 * An open chunk. Its file is not deleted while it is open, wherever the chunk goes meanwhile, and no byte
 * leaves it that was not checked.
 */
export class ChunkReader implements Disposable {
  readonly pushId: string;
  readonly part: number;
  /** Bytes. */
  readonly length: number;
  /** As in a record. */
  readonly checksums: string;
  /** How many blocks of {@linkcode blockBytes} bytes there are, the last of which may be shorter. */
  readonly blocks: number;
  /** The inode, by which the store tells the file from one that took its name; `null` on Windows. */
  readonly inode: number | null;
  readonly #file: Deno.FsFile;
  readonly #site: ReadingSite;
  #position = 0;
  #isOpen = true;

  /** @param file the chunk's file, which is the reader's from now on */
  constructor(chunk: OpenChunk, file: Deno.FsFile, inode: number | null, site: ReadingSite) {
    this.pushId = chunk.pushId;
    this.part = chunk.part;
    this.length = chunk.length;
    this.checksums = chunk.checksums;
    this.blocks = blockCount(chunk.length);
    this.inode = inode;
    this.#file = file;
    this.#site = site;
  }

  /** The bytes of block `index`, which counts from 0. */
  blockLength(index: number): number {
    return blockLength(this.length, index);
  }

  /**
   * Reads a block and checks it. One call at a time; blocks in order need no seek.
   *
   * @param buffer room for the block at least; its first bytes are the block afterwards
   * @returns the bytes of the block
   * @throws {DamagedChunkError} if the bytes are not those that were stored; {@linkcode StoreError} if the
   * reader cannot tell; {@linkcode RangeError} if there is no such block or no room for it
   */
  readBlock(index: number, buffer: Uint8Array): Promise<number> {
    return this.readBlocks(index, buffer.subarray(0, blockBytes));
  }

  /**
   * Reads and checks as many blocks from `index` on as the buffer has room for, one at least: otherwise as
   * {@linkcode readBlock}.
   *
   * @returns the bytes of all of them
   */
  async readBlocks(index: number, buffer: Uint8Array): Promise<number> {
    const first = this.blockLength(index);
    if (!Number.isSafeInteger(index) || index < 0 || first === 0 || buffer.length < first) {
      throw new RangeError(
        `Cannot read block ${index} of ${this.blocks} into ${buffer.length} bytes`,
      );
    }
    const left = this.length - index * blockBytes;
    const room = buffer.length - buffer.length % blockBytes;
    const run = buffer.subarray(0, left <= buffer.length ? left : room);
    const reason = await this.#read(index * blockBytes, run) ?? this.#findDamage(index, run);
    if (reason === undefined) return run.length;
    const error = new DamagedChunkError(this.pushId, this.part, reason);
    this.#site.damaged(this, error.message);
    throw error;
  }

  /**
   * Reads a block without comparing it with a checksum, for who is about to make checksums.
   *
   * @returns what is wrong with the file, or `undefined`
   */
  readUnchecked(index: number, buffer: Uint8Array): Promise<string | undefined> {
    return this.#read(index * blockBytes, buffer.subarray(0, this.blockLength(index)));
  }

  /** Lets the chunk go; may be called again. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
    this.#site.closed(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** What is wrong with some blocks, the first of which is block `index`. */
  #findDamage(index: number, run: Uint8Array): string | undefined {
    for (let at = 0; at < run.length; at += blockBytes) {
      const block = index + at / blockBytes;
      if (isBlockIntact(run.subarray(at, at + blockBytes), this.checksums, block)) continue;
      return `block ${block + 1} of ${this.blocks} has another checksum`;
    }
    return undefined;
  }

  /** Fills a block, or some; what is wrong with the file if that cannot be. */
  async #read(offset: number, block: Uint8Array): Promise<string | undefined> {
    let filled = 0;
    try {
      if (this.#position !== offset) await this.#file.seek(offset, Deno.SeekMode.Start);
      this.#position = offset;
      while (filled < block.length) {
        const rest = block.subarray(filled);
        const count = rest.length > readNowBytesMax
          ? await this.#file.read(rest)
          : readNow(this.#file, rest);
        if (count === null) return `it ends after ${offset + filled} of ${this.length} bytes`;
        filled += count;
        this.#position += count;
      }
      return undefined;
    } catch (error) {
      this.#position = -1;
      if (isReadFault(error)) return "the disk cannot read it";
      throw storeError(`read part ${this.part + 1} of push ${this.pushId}`, error);
    }
  }
}

function readNow(file: Deno.FsFile, buffer: Uint8Array): number | null {
  return file.readSync(buffer);
}

/** Whether the disk itself, and not this process, failed to read (EIO). */
function isReadFault(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EIO";
}
