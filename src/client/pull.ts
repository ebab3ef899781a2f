import { createHash, type Hash } from "node:crypto";
import type { PeerConnection } from "../net/peer_connection.ts";
import { isUnknownToPeer, PeerError } from "../net/peer_errors.ts";
import { parseCount } from "../protocol/count.ts";
import { errors } from "../protocol/errors.ts";
import { blockBytes } from "../protocol/limits.ts";
import { normalizeName } from "../protocol/names.ts";
import { ClientError, explain } from "./client_error.ts";
import type { Connect } from "./connect.ts";
import { transferStallMs } from "./deadlines.ts";
import { listFiles } from "./list.ts";

/** Takes a pulled file. */
export interface PullSink {
  /** Told the size, in bytes, before the first byte. */
  begin?(size: number): void;
  /** Takes the bytes in order; they are the sink's until it resolves. */
  write(bytes: Uint8Array): Promise<void>;
}

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
  const counted = new CountedSink(sink);
  try {
    return await pullByGet(connect, name.name, counted) ??
      await pullFromOriginal(connect, name.name, counted);
  } catch (error) {
    const { bytes, size } = counted;
    throw explain(
      error,
      doing,
      bytes === 0 ? { harmless: true } : { consequence: `after ${bytes} of ${size} bytes` },
    );
  }
}

/** Remembers how far a pull came. */
class CountedSink implements PullSink {
  readonly #sink: PullSink;
  bytes = 0;
  size = 0;

  constructor(sink: PullSink) {
    this.#sink = sink;
  }

  begin(size: number): void {
    this.size = size;
    this.#sink.begin?.(size);
  }

  write(bytes: Uint8Array): Promise<void> {
    this.bytes += bytes.length;
    return this.#sink.write(bytes);
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
    if (isUnknownToPeer(error)) return undefined;
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
  const { listed, address } = await sizeInList(connect, name);
  if (listed === undefined) throw new PeerError(address, errors.fileNotFound);
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

async function sizeInList(connect: Connect, name: string) {
  using peer = await connect();
  const files = await listFiles(peer);
  return { listed: files.find((file) => file.name === name)?.size, address: peer.address };
}

function endedEarly(name: string, bytes: number, size: number): ClientError {
  return new ClientError(`Cannot pull '${name}': it ended after ${bytes} of ${size} bytes`, {
    retryable: bytes === 0,
  });
}

/** Hands up to `size` bytes on while the next ones are read; fewer when the connection ends. */
async function copyBody(
  peer: PeerConnection,
  sink: PullSink,
  size: number,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash: Hash = createHash("sha256");
  sink.begin?.(size);
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
    const taken = sink.write(full);
    hash.update(full);
    const [next] = await Promise.all([readNext(), taken]);
    filled = next;
  }
  return { bytes, sha256: hash.digest("hex") };
}
