import type { NodeAddress } from "../protocol/address.ts";
import { errors, isCopyDamaged } from "../protocol/errors.ts";
import { type CopyStat, type CopyState, fileStatReply } from "../protocol/file_replies.ts";
import type { StoredFile } from "../protocol/record.ts";
import { parseCountedReply } from "../protocol/peer_replies.ts";
import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError } from "../net/peer_errors.ts";
import { askPeer } from "./ask_peer.ts";
import type { NodeContext } from "./context.ts";

/** How long a node may take to say whether it has a copy, in ms. */
const statDeadlineMs = 3_000;

/** Parts whose copies are asked for at the same time. */
const statPartsMax = 16;

/** Every byte of a file of this size is checked, in bytes: a scrub is for all the others. */
const checkedBytesMax = 1024 * 1024;

/** What a peer reads before it sends any of it, in bytes: so damage is an answer and no broken connection. */
const readBytesMax = 64 * 1024;

/** A copy of a part. */
interface Copy {
  readonly record: StoredFile;
  /** Counted from 0. */
  readonly part: number;
  readonly address: NodeAddress;
}

/** The answer to `FILE STAT`: what the record says, and whether each copy is where it should be. */
export async function statFile(context: NodeContext, name: string): Promise<string> {
  const record = context.catalog.record(name);
  if (record?.kind !== "file") throw new Error(errors.fileNotFound);
  const parts = new Array<CopyStat[]>(record.placement.length);
  let next = 0;
  const worker = async () => {
    for (let part = next++; part < parts.length; part = next++) {
      parts[part] = await statPart(context, record, part);
    }
  };
  await Promise.all(Array.from({ length: Math.min(statPartsMax, parts.length) }, worker));
  return fileStatReply({ ...record, parts });
}

function statPart(context: NodeContext, record: StoredFile, part: number): Promise<CopyStat[]> {
  const nodes = record.placement[part]?.nodes ?? [];
  return Promise.all(nodes.map(async (address) => ({
    address,
    state: await copyState(context, { record, part, address }),
  })));
}

async function copyState(context: NodeContext, copy: Copy): Promise<CopyState> {
  try {
    return copy.address === context.self
      ? await ownState(context, copy)
      : await askPeer(context, copy.address, (peer, program) => peerState(peer, program, copy));
  } catch (error) {
    return stateAfter(error);
  }
}

async function ownState({ chunks }: NodeContext, copy: Copy): Promise<CopyState> {
  const { record: { pushId }, part } = copy;
  using reader = await chunks.open(pushId, part);
  if (reader === undefined) return "missing";
  if (reader.length !== lengthOf(copy)) return "damaged";
  return isChecked(copy) ? await chunks.checkChunk(pushId, part) : "ok";
}

/** Has a peer open its copy, and send it where it is to be checked: it sends nothing unchecked. */
async function peerState(
  peer: PeerConnection,
  program: "ouroboros" | "original",
  copy: Copy,
): Promise<CopyState> {
  if (program === "original") return "unknown";
  const { record: { name, pushId }, part } = copy;
  const length = lengthOf(copy);
  const limits = { deadlineMs: statDeadlineMs };
  peer.setStall(statDeadlineMs);
  try {
    const opened = await peer.request({ kind: "file-open", pushId, part, name }, limits);
    if (parseCountedReply("PART", opened) !== length) return "damaged";
    let offset = isChecked(copy) ? 0 : length;
    do {
      const count = Math.min(readBytesMax, length - offset);
      const answer = await peer.request({ kind: "file-read", offset, count }, limits);
      if (parseCountedReply("DATA", answer) !== count) return "unknown";
      await peer.readExactly(new Uint8Array(count));
      offset += count;
      // What was read to its end is closed there; of what is not checked that is its end.
    } while (offset < length);
    peer.release();
    return "ok";
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    peer.release();
    return stateAfter(error);
  } finally {
    peer.close();
  }
}

/** What a failure to read a copy says of it. */
function stateAfter(error: unknown): CopyState {
  if (!(error instanceof Error)) return "unknown";
  if (error.message === errors.chunkNotFound) return "missing";
  return isCopyDamaged(error.message) ? "damaged" : "unknown";
}

function lengthOf({ record, part }: Copy): number {
  return record.placement[part]?.length ?? 0;
}

function isChecked({ record }: Copy): boolean {
  return record.size <= checkedBytesMax;
}
