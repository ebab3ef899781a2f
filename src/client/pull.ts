import { createHash, type Hash } from "node:crypto";
import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError } from "../net/peer_errors.ts";
import { parseCount } from "../protocol/count.ts";
import { isUnknownCommand } from "../protocol/errors.ts";
import { blockBytes } from "../protocol/limits.ts";
import { normalizeName } from "../protocol/names.ts";
import { ClientError, explain } from "./client_error.ts";
import type { Connect } from "./connect.ts";
import { transferStallMs } from "./deadlines.ts";
import { listFiles } from "./list.ts";

/** Takes a pulled file's bytes in order; the bytes are the sink's until it resolves. */
export type PullSink = (bytes: Uint8Array) => Promise<void>;

/** What was pulled. */
export interface PullReceipt {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex, of the bytes that came. */
  readonly sha256: string;
  /** Whether the ring's own SHA-256 was there to compare with; an original has none. */
  readonly verified: boolean;
}

/**
 * Pulls one file into `sink`. The sink may have got bytes when this fails: what it wrote is whole
 * and right only once this resolves.
 *
 * @param connect Opens a connection; at an original node more than one is needed.
 * @throws {ClientError} When the ring has no such file, the transfer ends early, or the bytes are
 * not those that the ring stored.
 */
export async function pullFile(
  connect: Connect,
  rawName: string,
  sink: PullSink,
): Promise<PullReceipt> {
  const name = normalizeName(rawName);
  if (!name.ok) throw new ClientError(`Cannot pull '${rawName}': ${name.error}`);
  const doing = `pull '${name.name}'`;
  try {
    return await pullByGet(connect, name.name, sink) ??
      await pullFromOriginal(connect, name.name, sink);
  } catch (error) {
    throw explain(error, doing);
  }
}

/** `FILE GET`; `undefined` when the other end is an original node. */
async function pullByGet(
  connect: Connect,
  name: string,
  sink: PullSink,
): Promise<PullReceipt | undefined> {
  using peer = await connect();
  peer.setStall(transferStallMs);
  let header: string;
  try {
    header = await peer.request({ kind: "file-get", name }, { deadlineMs: transferStallMs });
  } catch (error) {
    if (error instanceof PeerError && isUnknownCommand(error.message)) return undefined;
    throw error;
  }
  const [, sizeText = "", , promised = ""] = /^FILE (\S+) (\S+) (\S+) /.exec(header) ?? [];
  const size = parseCount(sizeText);
  if (size === undefined) throw new ClientError(`Cannot pull '${name}': answered '${header}'`);
  const { bytes, sha256 } = await copyBody(peer, sink, size);
  if (bytes < size) throw endedEarly(name, bytes, size);
  const verified = /^[0-9a-f]{64}$/.test(promised);
  if (verified && sha256 !== promised) {
    throw new ClientError(
      `Cannot pull '${name}': its SHA-256 is ${sha256}, but ${promised} was stored`,
    );
  }
  return { name, size, sha256, verified };
}

/** `FILE LIST` for the size, then `FILE PULL`: nothing else tells a short answer from a file. */
async function pullFromOriginal(
  connect: Connect,
  name: string,
  sink: PullSink,
): Promise<PullReceipt> {
  const listed = await sizeInList(connect, name);
  if (listed === undefined) throw new ClientError(`Cannot pull '${name}': file not found`);
  using peer = await connect();
  peer.setStall(transferStallMs);
  await peer.send({ kind: "file-pull", name });
  const { bytes, sha256 } = await copyBody(peer, sink, listed);
  if (bytes < listed) throw endedEarly(name, bytes, listed);
  const extra = await peer.readInto(new Uint8Array(1));
  if (extra !== null) {
    throw new ClientError(`Cannot pull '${name}': more came than ${listed} bytes`);
  }
  return { name, size: listed, sha256, verified: false };
}

async function sizeInList(connect: Connect, name: string): Promise<number | undefined> {
  using peer = await connect();
  const files = await listFiles(peer);
  return files.find((file) => file.name === name)?.size;
}

function endedEarly(name: string, bytes: number, size: number): ClientError {
  return new ClientError(`Cannot pull '${name}': it ended after ${bytes} of ${size} bytes`);
}

/** Hands up to `size` bytes on while the next ones are read; fewer when the connection ends. */
async function copyBody(
  peer: PeerConnection,
  sink: PullSink,
  size: number,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash: Hash = createHash("sha256");
  const bufferBytes = Math.min(blockBytes, Math.max(1, size));
  let buffer = new Uint8Array(bufferBytes);
  let spare = new Uint8Array(bufferBytes);
  let bytes = 0;
  const readNext = async () => {
    if (bytes === size) return 0;
    const count = await peer.readInto(buffer.subarray(0, Math.min(bufferBytes, size - bytes)));
    bytes += count ?? 0;
    return count ?? 0;
  };
  let filled = await readNext();
  while (filled > 0) {
    const full = buffer.subarray(0, filled);
    [buffer, spare] = [spare, buffer];
    const taken = sink(full);
    hash.update(full);
    const [next] = await Promise.all([readNext(), taken]);
    filled = next;
  }
  return { bytes, sha256: hash.digest("hex") };
}
