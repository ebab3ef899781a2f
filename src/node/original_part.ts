import type { NodeAddress } from "../protocol/address.ts";
import { parseChunkHeader } from "../protocol/file_replies.ts";
import { chunkName } from "../protocol/names.ts";
import type { PeerConnection } from "../net/peer_connection.ts";
import { BlockChecksums } from "../store/block_checksums.ts";
import type { OpenPart } from "./part_source.ts";
import type { PeerPartOptions } from "./peer_part.ts";

/** Bytes of a header line `FILE RESP-CHUNK …`. */
const skipBufferBytes = 16 * 1024;

/**
 * A part that an original node holds, read by the commands that it knows. It sends the whole chunk
 * from the beginning; where the record has checksums they are compared at the end of the part, when
 * the last byte has not gone out yet.
 */
export class OriginalPart implements OpenPart {
  readonly node: NodeAddress;
  readonly #peer: PeerConnection;
  readonly #length: number;
  readonly #checksums: string;
  readonly #sums = new BlockChecksums();
  #position = 0;

  private constructor(peer: PeerConnection, length: number, checksums: string) {
    this.node = peer.address;
    this.#peer = peer;
    this.#length = length;
    this.#checksums = checksums;
  }

  /** Asks for the chunk by its name and skips what was read from another copy. */
  static async open(peer: PeerConnection, options: PeerPartOptions): Promise<OriginalPart> {
    const { record, part, copy, offset, deadlineMs } = options;
    const placement = record.placement[part];
    if (placement === undefined) throw new RangeError(`'${record.name}' has no part ${part}`);
    const chunk = chunkName(record.name, part, record.placement.length);
    const opened = new OriginalPart(peer, placement.length, placement.checksums);
    try {
      peer.setDeadline(deadlineMs);
      const answer = await peer.request({
        kind: copy === 0 ? "file-get-chunk" : "file-get-backup-chunk",
        chunk,
      }, { deadlineMs });
      const header = parseChunkHeader(answer);
      if (header?.size !== placement.length) {
        throw new Error(`${peer.address} has ${header?.size ?? "no"} bytes of '${chunk}'`);
      }
      peer.setDeadline(undefined);
      const skipped = new Uint8Array(Math.min(skipBufferBytes, offset));
      while (opened.#position < offset) {
        await opened.read(
          opened.#position,
          skipped.subarray(0, Math.min(skipped.length, offset - opened.#position)),
        );
      }
      return opened;
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  async read(offset: number, buffer: Uint8Array): Promise<number> {
    if (offset !== this.#position) throw new RangeError(`Cannot go back to ${offset}`);
    const room = Math.min(buffer.length, this.#length - this.#position);
    const count = await this.#peer.readInto(buffer.subarray(0, room));
    if (count === null) throw new Error(`${this.node} ended the connection within a part`);
    this.#sums.update(buffer.subarray(0, count));
    this.#position += count;
    if (this.#position === this.#length && this.#checksums !== "") {
      if (this.#sums.finish() !== this.#checksums) {
        throw new Error(`${this.node} sent damaged bytes`);
      }
    }
    return count;
  }

  prefetch(): void {
    // It sends everything at once.
  }

  keepAlive(): void {
    // An original knows no lease.
  }

  [Symbol.dispose](): void {
    if (this.#position === this.#length) this.#peer.release();
    else this.#peer.close();
  }
}
