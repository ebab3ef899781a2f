import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError } from "../net/peer_errors.ts";
import { anyVersion, type WriteCondition } from "../protocol/condition.ts";
import { parseErrorReply } from "../protocol/replies.ts";
import { continueReply, parseStoredReply, type StoredReply } from "../protocol/transfer_replies.ts";
import { commitMs, transferStallMs } from "./deadlines.ts";

/** What is about to be pushed, and on which terms. */
export interface PutTerms {
  /** Normalized. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** What the bytes' SHA-256 must be, in lower-case hex. */
  readonly sha256?: string;
  /** What may be replaced; anything by default. */
  readonly condition?: WriteCondition;
}

/**
 * Asks whether a file may be pushed on these terms. When it resolves, its bytes may be sent by
 * {@linkcode sendPut}; nothing has been stored, so that until then another node may be asked.
 *
 * @throws {PeerError} why it may not.
 */
export async function openPut(peer: PeerConnection, terms: PutTerms): Promise<void> {
  const { name, size, sha256, condition = anyVersion } = terms;
  peer.setStall(transferStallMs);
  const answer = await peer.request({ kind: "file-put", name, size, sha256, condition }, {
    deadlineMs: transferStallMs,
  });
  if (`${answer}\n` !== continueReply) throw unexpected(peer, answer);
}

/** The bytes of a push, piece by piece. */
export interface PieceSource {
  /** Bytes in all. */
  readonly size: number;
  /** The next bytes, at least one; `null` at the end. */
  next(): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Takes a piece back that has been sent. */
  recycle(piece: Uint8Array<ArrayBuffer>): void;
}

/**
 * Sends the bytes that {@linkcode openPut} has announced, each piece while the next one is read. The
 * file is stored when this resolves.
 *
 * @throws {PeerError} why it is not.
 * @throws {PeerUnreachable} when the connection broke: it may or may not be stored then, as a whole.
 * @throws {RangeError} when the source has fewer or more bytes than it said: then nothing is stored.
 * @throws what the source throws: then nothing is stored.
 */
export async function sendPut(peer: PeerConnection, source: PieceSource): Promise<StoredReply> {
  try {
    await sendPieces(peer, source);
  } catch (error) {
    // A ring that refuses a file says why and hangs up while the bytes are still on their way.
    const failure = await peer.failure(error);
    // Unless the connection ends, what was sent so far might be taken for the whole.
    peer.close();
    throw failure;
  }
  peer.setStall(commitMs);
  const answer = await peer.readLine();
  const refusal = parseErrorReply(answer);
  if (refusal !== undefined) throw new PeerError(peer.address, refusal);
  const stored = parseStoredReply(answer);
  if (stored === undefined) throw unexpected(peer, answer);
  return stored;
}

async function sendPieces(peer: PeerConnection, source: PieceSource): Promise<void> {
  let left = source.size;
  const next = async () => {
    const piece = await source.next();
    left -= piece?.length ?? 0;
    const isWrong = left < 0 || (piece === null && left > 0);
    if (isWrong) throw new RangeError(`The source has not the ${source.size} bytes that it said`);
    return piece;
  };
  let piece = await next();
  while (piece !== null) {
    const sent = piece;
    if (left === 0) {
      // The end is seen before the last bytes go out: a source that finds fault there stores nothing.
      piece = await next();
      await peer.writeBytes(sent);
    } else {
      [piece] = await Promise.all([next(), peer.writeBytes(sent)]);
    }
    source.recycle(sent);
  }
}

function unexpected(peer: PeerConnection, answer: string): PeerError {
  return new PeerError(peer.address, `unexpected answer to FILE PUT: '${answer.slice(0, 80)}'`);
}
