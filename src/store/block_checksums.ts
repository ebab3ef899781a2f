import { crc32 } from "node:zlib";
import { blockBytes } from "../protocol/limits.ts";

/** Hex digits of one checksum in the text that a record holds. */
const digits = 8;

/**
 * The CRC-32 of each block of {@linkcode blockBytes} bytes of a stream that arrives in pieces of any
 * size. Native `crc32`: over 2 GB/s.
 */
export class BlockChecksums {
  readonly #done: string[] = [];
  #crc = 0;
  #blockFill = 0;

  /** Takes in the next bytes; they are not kept. */
  update(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const piece = bytes.subarray(at, at + blockBytes - this.#blockFill);
      this.#crc = crc32(piece, this.#crc);
      this.#blockFill += piece.length;
      at += piece.length;
      if (this.#blockFill === blockBytes) this.#endBlock();
    }
  }

  /** The checksums in the form of a record, once all bytes are in; none for no bytes. */
  finish(): string {
    if (this.#blockFill > 0) this.#endBlock();
    return this.#done.join("");
  }

  #endBlock(): void {
    this.#done.push(formatChecksum(this.#crc));
    this.#crc = 0;
    this.#blockFill = 0;
  }
}

/** Whether `bytes` are block `index` (from 0), going by the checksums of the chunk. */
export function isBlockIntact(bytes: Uint8Array, checksums: string, index: number): boolean {
  const expected = checksums.slice(index * digits, (index + 1) * digits);
  return formatChecksum(crc32(bytes)) === expected;
}

/** Whether `bytes` are a whole chunk, going by its checksums. */
export function isChunkIntact(bytes: Uint8Array, checksums: string): boolean {
  for (let index = 0; index < blockCount(bytes.length); index++) {
    const at = index * blockBytes;
    if (!isBlockIntact(bytes.subarray(at, at + blockBytes), checksums, index)) return false;
  }
  return true;
}

/** How many blocks a chunk of `length` bytes has. */
export function blockCount(length: number): number {
  return Math.ceil(length / blockBytes);
}

/** The bytes of block `index` (from 0) of a chunk of `length` bytes. */
export function blockLength(length: number, index: number): number {
  return Math.max(0, Math.min(blockBytes, length - index * blockBytes));
}

function formatChecksum(crc: number): string {
  return crc.toString(16).padStart(digits, "0");
}
