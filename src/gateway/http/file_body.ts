import type { PeerConnection } from "../../net/peer_connection.ts";
import type { Logger } from "../../runtime/log.ts";

/** What a {@linkcode fileBody} is made from. */
export interface FileBodyOptions {
  /** Where the bytes come from; it is given back after the last one, and closed before it. */
  readonly peer: PeerConnection;
  /** How many come. */
  readonly size: number;
  readonly log: Logger;
}

/**
 * Streams counted bytes off a connection to a node, at the pace of who reads them.
 *
 * A failure can only show by what is missing, as the status has gone out: the stream ends early, and
 * the server, which has promised a Content-Length, then cuts the connection, so that every client
 * notices.
 */
export function fileBody({ peer, size, log }: FileBodyOptions): ReadableStream<Uint8Array> {
  let left = size;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const buffer = new Uint8Array(Math.min(pieceBytes, left));
        const count = await peer.readInto(buffer);
        if (count === null) throw new Error(`the node ended ${left} bytes before the end`);
        left -= count;
        controller.enqueue(count === buffer.length ? buffer : buffer.subarray(0, count));
        if (left > 0) return;
        peer.release();
        controller.close();
      } catch (error) {
        log.warn("answer is cut short", { node: peer.address, missing: left, error });
        peer.close();
        controller.close();
      }
    },
    cancel() {
      peer.close();
    },
  }, { highWaterMark: 0 });
}

/** Bytes that are read at a time: enough that the steps of the stream do not count. */
const pieceBytes = 256 * 1024;
