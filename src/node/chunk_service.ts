import { blockBytes } from "../protocol/limits.ts";
import type { ChunkReader } from "../store/chunk_reader.ts";
import { DamagedChunkError } from "../store/errors.ts";
import type { NodeContext } from "./context.ts";
import type { Sink } from "./pump.ts";

/** A range of this many bytes at most is read before it is sent, in one write. */
const gatheredBytesMax = 64 * 1024;

/** What is sent of a chunk. */
export interface ChunkRange {
  /** Goes out first. */
  readonly header: Uint8Array;
  /** Where the bytes begin. */
  readonly offset: number;
  /** How many there are; they lie within the chunk. */
  readonly count: number;
}

/** A chunk as a connection reads it from this node: opened once, then read in ranges. */
export class ServedChunk implements Disposable {
  readonly #context: NodeContext;
  readonly #name: string;
  readonly #reader: ChunkReader;

  constructor(context: NodeContext, name: string, reader: ChunkReader) {
    this.#context = context;
    this.#name = name;
    this.#reader = reader;
  }

  /** Bytes. */
  get length(): number {
    return this.#reader.length;
  }

  /**
   * Sends `header`, then `count` bytes from `offset`, each block checked before its bytes leave the
   * node. What is small goes out in one write with the header.
   *
   * @throws {DamagedChunkError} after the repair is queued; some bytes may have gone out.
   */
  async sendTo(sink: Sink, { header, offset, count }: ChunkRange): Promise<void> {
    if (count === 0) return await sink.write(header);
    using lease = await this.#context.buffers.readPair(count);
    if (count <= gatheredBytesMax) {
      return await sink.write(await this.#gather({ header, offset, count }, lease.buffers));
    }
    await sink.write(header);
    let sending: Promise<void> | undefined;
    let turn: 0 | 1 = 0;
    let at = offset;
    const end = offset + count;
    try {
      while (at < end) {
        const block = Math.floor(at / blockBytes);
        const start = block * blockBytes;
        const blocks = Math.ceil((end - start) / blockBytes);
        const buffer = lease.buffers[turn].subarray(0, blocks * blockBytes);
        turn = turn === 0 ? 1 : 0;
        const length = await this.#readBlocks(block, buffer);
        const bytes = buffer.subarray(at - start, Math.min(length, end - start));
        at += bytes.length;
        if (sending !== undefined) await sending;
        sending = sink.write(bytes);
        // It is awaited a turn later; until then a failure must not count as unhandled.
        sending.catch(() => {});
      }
    } finally {
      if (sending !== undefined) await sending;
    }
  }

  [Symbol.dispose](): void {
    this.#reader.close();
  }

  /** Reads a small range behind `header` into one buffer. */
  async #gather(
    { header, offset, count }: ChunkRange,
    [block, gathered]: readonly [Uint8Array, Uint8Array],
  ): Promise<Uint8Array> {
    gathered.set(header);
    let filled = header.length;
    for (let at = offset; at < offset + count;) {
      const index = Math.floor(at / blockBytes);
      const length = await this.#readBlocks(index, block);
      const start = at - index * blockBytes;
      const bytes = block.subarray(start, Math.min(length, start + offset + count - at));
      gathered.set(bytes, filled);
      filled += bytes.length;
      at += bytes.length;
    }
    return gathered.subarray(0, filled);
  }

  async #readBlocks(block: number, buffer: Uint8Array): Promise<number> {
    try {
      return await this.#reader.readBlocks(block, buffer);
    } catch (error) {
      if (error instanceof DamagedChunkError) {
        this.#context.repair.enqueue(this.#name);
        this.#context.log.warn("damaged chunk found while reading", {
          name: this.#name,
          reason: error.message,
        });
      }
      throw error;
    }
  }
}
