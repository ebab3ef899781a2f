import type { NodeAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import { parseCountedReply } from "../protocol/peer_replies.ts";
import type { StoredFile } from "../protocol/record.ts";
import type { PeerConnection } from "../net/peer_connection.ts";
import type { OpenPart } from "./part_source.ts";

/** What a copy at another node is opened with. */
export interface PeerPartOptions {
  readonly record: StoredFile;
  /** Counted from 0. */
  readonly part: number;
  /** 0 for the holder, k for the k-th backup holder. */
  readonly copy: number;
  /** Where reading will begin. */
  readonly offset: number;
  /** Where it will end; by default at the end of the part. */
  readonly end?: number;
  /** How long opening may take, in ms. */
  readonly deadlineMs: number;
}

/** Bytes asked for in one request; one more request is always under way. */
const readBytesMax = 1024 * 1024;

/** Requests that are sent before the bytes of the first are read. */
const readsAheadMax = 2;

/**
 * A part of at most this many bytes is asked for together with its opening, to save a round trip. What a
 * connection takes that nobody reads yet: with more, a holder's buffers would wait for the part's turn.
 */
const eagerBytesMax = 64 * 1024;

/** How long asked-for bytes may take before the other copy is tried, in ms. */
const readStallMs = 2_500;

/** What the peer owes, in order. */
type Owed = { readonly kind: "pong" } | { readonly kind: "data"; readonly count: number };

/**
 * A part that another node has open for us. Requests are sent ahead of the bytes and are small
 * enough that a holder never waits long for a reader whose turn has not come.
 */
export class PeerPart implements OpenPart {
  readonly node: NodeAddress;
  readonly #peer: PeerConnection;
  readonly #length: number;
  /** Nothing is asked for from here on. */
  readonly #end: number;
  readonly #owed: Owed[] = [];
  /** Up to where bytes were asked for. */
  #asked: number;
  /** Bytes of the answer under way that were not read yet. */
  #arriving = 0;

  private constructor(
    peer: PeerConnection,
    { length, offset, end }: { length: number; offset: number; end: number },
  ) {
    this.node = peer.address;
    this.#peer = peer;
    this.#length = length;
    this.#end = end;
    this.#asked = offset;
  }

  /** Opens exactly these bytes at a peer, wherever it keeps them. */
  static async open(peer: PeerConnection, options: PeerPartOptions): Promise<PeerPart> {
    const { record, part, offset, deadlineMs } = options;
    const length = record.placement[part]?.length ?? 0;
    const end = options.end ?? length;
    const opened = new PeerPart(peer, { length, offset, end });
    try {
      peer.setDeadline(deadlineMs);
      const open: Command = { kind: "file-open", pushId: record.pushId, part, name: record.name };
      const read = end - offset <= eagerBytesMax ? opened.#nextRead() : undefined;
      await peer.sendTogether(read === undefined ? [open] : [open, read]);
      const answer = await peer.readReply();
      if (parseCountedReply("PART", answer) !== length) {
        throw new Error(`${peer.address} answered '${answer}' when asked for ${length} bytes`);
      }
      peer.setDeadline(undefined);
      return opened;
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  async read(offset: number, buffer: Uint8Array): Promise<number> {
    this.#peer.setStall(readStallMs);
    while (this.#arriving === 0) await this.#nextAnswer(offset);
    const room = Math.min(buffer.length, this.#arriving);
    const count = await this.#peer.readInto(buffer.subarray(0, room));
    if (count === null) throw new Error(`${this.node} ended the connection within a part`);
    this.#arriving -= count;
    return count;
  }

  prefetch(offset: number): void {
    if (this.#asked === offset && this.#owed.length === 0) this.#ask();
  }

  keepAlive(): void {
    // A part whose bytes are on their way is not idle, and a failure shows when its turn comes.
    if (this.#owed.length > 0 || this.#arriving > 0) return;
    this.#owed.push({ kind: "pong" });
    this.#peer.send({ kind: "node-ping" }).catch(() => {
      // The next read fails and opens the other copy.
    });
  }

  [Symbol.dispose](): void {
    // A holder keeps the part open, and its lease, until the last byte was read or the connection ends.
    const complete = this.#owed.length === 0 && this.#arriving === 0 &&
      this.#asked === this.#length;
    if (complete) this.#peer.release();
    else this.#peer.close();
  }

  /** Reads the next answer's header, keeping requests ahead of the bytes. */
  async #nextAnswer(offset: number): Promise<void> {
    while (this.#asked < this.#end && this.#owed.length < readsAheadMax) this.#ask();
    const owed = this.#owed.shift();
    if (owed === undefined) throw new RangeError(`Nothing to read at ${offset}`);
    const answer = await this.#peer.readReply();
    const expected = owed.kind === "pong" ? "PONG" : `DATA ${owed.count}`;
    if (answer !== expected) {
      throw new Error(`${this.node} answered '${answer}' instead of '${expected}'`);
    }
    if (owed.kind === "data") this.#arriving = owed.count;
  }

  #ask(): void {
    const read = this.#nextRead();
    if (read === undefined) return;
    this.#peer.send(read).catch(() => {
      // The read that waits for the answer reports it.
    });
  }

  /** The next request, whose answer is owed from now on; nothing when all was asked for. */
  #nextRead(): Command | undefined {
    const offset = this.#asked;
    const count = Math.min(readBytesMax, this.#end - offset);
    if (count === 0) return undefined;
    this.#asked += count;
    this.#owed.push({ kind: "data", count });
    return { kind: "file-read", offset, count };
  }
}
