import type { PeerConnection } from "../../net/peer_connection.ts";
import type { Logger } from "../../runtime/log.ts";

/** A piece of an answer's body: bytes that are here, or counted bytes that a node is asked for. */
export type BodyPiece =
  | Uint8Array<ArrayBuffer>
  | {
    readonly size: number;
    /** Gives a connection on which exactly these bytes come next. */
    open(): Promise<PeerConnection>;
  };

/**
 * Streams the pieces of a body, at the pace of who reads them.
 *
 * A failure can only show by what is missing, as the status has gone out: the stream ends early, and
 * the server, which has promised a Content-Length, then cuts the connection, so that every client
 * notices. (An error of the stream would do the same and write itself to stderr.)
 */
export function bodyStream(
  pieces: readonly BodyPiece[],
  log: Logger,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const source = new PieceReader(pieces);
  let given: Uint8Array<ArrayBuffer> | undefined;
  return new ReadableStream({
    async pull(controller) {
      // The server has taken the piece over, or it would not ask for the next one. Let go of its memory
      // now: left to the garbage collector, fresh memory for every piece costs more than all the rest
      // (measured: 512 MiB in 0.21 s of CPU time instead of 0.46 s).
      given?.buffer.transfer(0);
      given = undefined;
      try {
        given = await source.next();
        if (given !== undefined) return controller.enqueue(given);
      } catch (error) {
        log.warn("answer is cut short", { error });
      }
      source.close();
      controller.close();
    },
    cancel() {
      source.close();
    },
  }, { highWaterMark: 0 });
}

/** Gives the bytes of pieces one after another. */
class PieceReader {
  readonly #pieces: BodyPiece[];
  /** Where the bytes of the piece under way come from. */
  #peer: PeerConnection | undefined;
  #left = 0;
  #isClosed = false;

  constructor(pieces: readonly BodyPiece[]) {
    this.#pieces = [...pieces];
  }

  /** Some of the next bytes; `undefined` after the last. */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#left === 0) {
      const piece = this.#pieces.shift();
      if (piece === undefined) return undefined;
      if (piece instanceof Uint8Array) return piece;
      const peer = await piece.open();
      // Whoever read may have gone meanwhile.
      if (this.#isClosed) return peer.close(), undefined;
      this.#peer = peer;
      this.#left = piece.size;
      if (piece.size === 0) this.#release();
    }
    return await this.#read();
  }

  /** Gives the connection up, with whatever was not read. */
  close(): void {
    this.#isClosed = true;
    this.#pieces.length = 0;
    this.#left = 0;
    this.#peer?.close();
    this.#peer = undefined;
  }

  async #read(): Promise<Uint8Array<ArrayBuffer>> {
    const peer = this.#peer;
    if (peer === undefined) throw new Error("the answer was given up");
    const buffer = new Uint8Array(Math.min(pieceBytes, this.#left));
    const count = await peer.readInto(buffer);
    if (count === null) throw new Error(`${peer.address} ended ${this.#left} bytes too early`);
    this.#left -= count;
    if (this.#left === 0) this.#release();
    return buffer.subarray(0, count);
  }

  #release(): void {
    this.#peer?.release();
    this.#peer = undefined;
  }
}

/** Bytes that are read at a time: enough that the steps of the stream do not count. */
const pieceBytes = 256 * 1024;
