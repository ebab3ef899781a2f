import type { NodeAddress } from "../protocol/address.ts";
import { blockBytes } from "../protocol/limits.ts";
import { chunkName } from "../protocol/names.ts";
import type { StoredFile } from "../protocol/record.ts";
import type { ChunkReader } from "../store/chunk_reader.ts";
import { DamagedChunkError } from "../store/errors.ts";
import type { NodeContext } from "./context.ts";
import type { OpenPart } from "./part_source.ts";

/** A part that this node has on its own disk, as holder or as backup holder. */
export class LocalPart implements OpenPart {
  readonly node: NodeAddress;
  readonly #context: NodeContext;
  readonly #reader: ChunkReader;
  readonly #onDamage: () => void;

  private constructor(context: NodeContext, reader: ChunkReader, onDamage: () => void) {
    this.node = context.self;
    this.#context = context;
    this.#reader = reader;
    this.#onDamage = onDamage;
  }

  /**
   * Opens the copy, in whatever place the chunk store has it; it stays until it is disposed of.
   *
   * @throws {Error} when this node has no copy, and has queued the repair.
   */
  static async open(context: NodeContext, record: StoredFile, part: number): Promise<LocalPart> {
    const repair = () => context.repair.enqueue(record.name);
    const reader = record.foreign
      ? await openForeign(context, record, part)
      : await context.chunks.open(record.pushId, part);
    if (reader === undefined) {
      repair();
      throw new Error("chunk not found");
    }
    return new LocalPart(context, reader, repair);
  }

  /** Length of the copy in bytes. */
  get length(): number {
    return this.#reader.length;
  }

  async read(offset: number, buffer: Uint8Array): Promise<number> {
    const block = Math.floor(offset / blockBytes);
    const skip = offset - block * blockBytes;
    const blockLength = Math.min(blockBytes, this.#reader.length - block * blockBytes);
    try {
      if (skip === 0 && buffer.length >= blockLength) {
        return await this.#reader.readBlocks(block, buffer);
      }
      // Another copy failed within this block, or the buffer is a small one: only whole blocks can be
      // checked.
      using lease = await this.#context.buffers.reads.acquire(1);
      const [whole] = lease.buffers;
      await this.#reader.readBlock(block, whole);
      const wanted = whole.subarray(skip, Math.min(skip + buffer.length, blockLength));
      buffer.set(wanted);
      return wanted.length;
    } catch (error) {
      if (error instanceof DamagedChunkError) this.#onDamage();
      throw error;
    }
  }

  prefetch(): void {
    // The disk's own read-ahead does this.
  }

  keepAlive(): void {
    // The open reader is the lease.
  }

  [Symbol.dispose](): void {
    this.#reader.close();
  }
}

/** Chunks of an original's push are found by their name, in one directory or the other. */
async function openForeign(
  context: NodeContext,
  record: StoredFile,
  part: number,
): Promise<ChunkReader | undefined> {
  const chunk = chunkName(record.name, part, record.placement.length);
  return await context.chunks.openByChunkName(chunk, "content") ??
    await context.chunks.openByChunkName(chunk, "backup");
}
