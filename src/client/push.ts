import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError } from "../net/peer_errors.ts";
import { blockBytes } from "../protocol/limits.ts";
import { normalizeName } from "../protocol/names.ts";
import { ClientError, type Exchange, explain } from "./client_error.ts";
import { commitMs, transferStallMs } from "./deadlines.ts";

/** A file to push. */
export interface PushSource {
  /** Its name in the ring, before `normalizeName`. */
  readonly name: string;
  /** Bytes; so many are read and sent. */
  readonly size: number;
  /** Reads some of the next bytes; `null` at the end. As `Deno.FsFile.read`. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Told how many bytes have left so far. */
  sent?(bytes: number): void;
}

/** How a push went. */
export interface PushReceipt {
  /** The name that the ring lists. */
  readonly name: string;
  /** The ring's answer. */
  readonly answer: string;
}

/**
 * Pushes one file on a connection of its own; the caller closes it. The file is stored when this
 * resolves.
 *
 * @throws {ClientError} When the ring refuses it, the connection breaks (then the file may or may
 * not be stored as a whole, never in part), or the source has fewer bytes than it said.
 */
export async function pushFile(peer: PeerConnection, source: PushSource): Promise<PushReceipt> {
  const name = normalizeName(source.name);
  if (!name.ok) throw new ClientError(`Cannot push '${source.name}': ${name.error}`);
  const doing = `push '${name.name}'`;
  const progress = { sentBytes: 0 };
  try {
    peer.setStall(transferStallMs);
    try {
      await peer.send({ kind: "file-push", bodyBytes: source.size, name: name.name });
      await sendBody(peer, source, progress);
    } catch (error) {
      // A ring that refuses a file says why and hangs up while the bytes are still on their way.
      throw await peer.failure(error);
    }
    peer.setStall(commitMs);
    const answer = await peer.readReply();
    const end = await peer.readLine();
    if (end !== "OK") throw new PeerError(peer.address, end.replace(/^ERR /, ""));
    return { name: name.name, answer };
  } catch (error) {
    throw explain(error, doing, exchangeOf(progress.sentBytes, source.size));
  }
}

/** A ring cannot have stored what it did not get to the end. */
function exchangeOf(sentBytes: number, size: number): Exchange {
  if (sentBytes < size) {
    const consequence = `after ${sentBytes} of ${size} bytes; nothing was stored, push it again`;
    return { consequence };
  }
  return {
    consequence: "after all was sent, so it may be stored or not; 'ouroboros stat' tells which",
    mayBeDone: true,
  };
}

/** Sends the source's bytes while the next ones are read: two buffers change places. */
async function sendBody(
  peer: PeerConnection,
  source: PushSource,
  progress: { sentBytes: number },
): Promise<void> {
  const bufferBytes = Math.min(blockBytes, Math.max(1, source.size));
  let buffer = new Uint8Array(bufferBytes);
  let spare = new Uint8Array(bufferBytes);
  let unread = source.size;
  const readNext = async () => {
    if (unread === 0) return 0;
    const count = await source.read(buffer.subarray(0, Math.min(bufferBytes, unread)));
    if (count === null || count === 0) {
      throw new ClientError(`'${source.name}' became shorter while it was read`);
    }
    unread -= count;
    return count;
  };
  let filled = await readNext();
  while (filled > 0) {
    const full = buffer.subarray(0, filled);
    [buffer, spare] = [spare, buffer];
    const sent = peer.writeBytes(full).then(() => {
      progress.sentBytes += full.length;
      source.sent?.(progress.sentBytes);
    });
    const [next] = await Promise.all([readNext(), sent]);
    filled = next;
  }
}
