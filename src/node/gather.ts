import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError } from "../net/peer_errors.ts";
import type { NodeAddress } from "../protocol/address.ts";
import { fetchedBytesMax } from "../protocol/limits.ts";
import { parseCountedReply } from "../protocol/peer_replies.ts";
import type { StoredFile } from "../protocol/record.ts";
import { isChunkIntact } from "../store/block_checksums.ts";
import type { NodeContext } from "./context.ts";

/**
 * How long other nodes may take to send their parts of a small file, in ms, before it is read as a large
 * one is, which asks the other copies as well.
 */
const fetchMs = 500;

/** A file that is read as a whole. */
export interface Gathering {
  readonly record: StoredFile;
  /** Room for just its bytes, which are of no use when it was not all to be had. */
  readonly content: Uint8Array;
}

/**
 * Reads all parts of a file at once: from this disk, and with one request to each of as few other nodes as
 * will do. False when some part is not to be had like that, whatever the reason. Every byte was checked,
 * and nothing writes into the content any more.
 */
export async function gatherFile(
  context: NodeContext,
  { record, content }: Gathering,
): Promise<boolean> {
  const shares = shareOut(context, record);
  if (shares === undefined) return false;
  const slots = partSlots(record, content);
  // The others are asked first, and read their disks while this node reads its own.
  const fetches = shares.others.map((share) => tryFetch(context, { record, share, slots }));
  const isHere = shares.here.every((part) => readHere(context, { record, part, slots }));
  // Whatever the rest came to, the buffer is the caller's only when none of them fills it any more.
  const fetched = fetches.length === 0 ? [] : await Promise.all(fetches);
  return isHere && fetched.every(Boolean);
}

/** One part of a file, or some with at most {@linkcode fetchedBytesMax} bytes, and the node that is asked. */
interface Share {
  readonly node: NodeAddress;
  readonly parts: readonly number[];
}

/**
 * Which parts this node has, and which few others have all the rest; `undefined` when a part is with no
 * node that is Alive.
 */
function shareOut(
  { self, ring }: NodeContext,
  { placement }: StoredFile,
): { here: readonly number[]; others: readonly Share[] } | undefined {
  const here: number[] = [];
  let rest: number[] = [];
  for (const [part, { nodes, length }] of placement.entries()) {
    if (length > 0) (nodes.includes(self) ? here : rest).push(part);
  }
  const others: Share[] = [];
  const alive = rest.length === 0 ? [] : ring.aliveMembers();
  for (let first = rest[0]; first !== undefined; first = rest[0]) {
    let best: Share | undefined;
    for (const node of placement[first]?.nodes ?? []) {
      if (!alive.includes(node)) continue;
      const parts = partsAt(node, rest, placement);
      // Of those that have equally many, the first: the holder comes before its backup holders.
      if (best === undefined || parts.length > best.parts.length) best = { node, parts };
    }
    if (best === undefined) return undefined;
    const { parts } = best;
    others.push(best);
    rest = rest.filter((part) => !parts.includes(part));
  }
  return { here, others };
}

/** Those of some parts that a node has, from the first on, as many as one answer holds. */
function partsAt(
  node: NodeAddress,
  wanted: readonly number[],
  placement: StoredFile["placement"],
): readonly number[] {
  const parts: number[] = [];
  let bytes = 0;
  for (const part of wanted) {
    const { nodes = [], length = 0 } = placement[part] ?? {};
    if (!nodes.includes(node)) continue;
    bytes += length;
    if (bytes > fetchedBytesMax && parts.length > 0) break;
    parts.push(part);
  }
  return parts;
}

/** Where each part goes. */
function partSlots({ placement }: StoredFile, content: Uint8Array): Uint8Array[] {
  let at = 0;
  return placement.map(({ length }) => content.subarray(at, at += length));
}

/** A part to be read from this disk. */
interface PartHere {
  readonly record: StoredFile;
  readonly part: number;
  readonly slots: readonly Uint8Array[];
}

function readHere({ chunks }: NodeContext, { record, part, slots }: PartHere): boolean {
  const slot = slots[part];
  if (slot === undefined) return false;
  return chunks.readWhole({ pushId: record.pushId, part }, slot) === slot.length;
}

/** What is to be fetched, and where it goes. */
interface Fetch {
  readonly record: StoredFile;
  readonly share: Share;
  readonly slots: readonly Uint8Array[];
}

/** Fetches parts from another node; false when that did not work out, whatever the reason. */
async function tryFetch({ peers }: NodeContext, fetch: Fetch): Promise<boolean> {
  try {
    using peer = await peers.borrow(fetch.share.node, { timeoutMs: fetchMs });
    return await fetchParts(peer, fetch);
  } catch {
    // The long way meets the same fault, and reports it.
    return false;
  }
}

async function fetchParts(
  peer: PeerConnection,
  { record, share: { parts }, slots }: Fetch,
): Promise<boolean> {
  const { pushId, placement } = record;
  const program = await peer.ensureProgram(fetchMs);
  if (program !== "ouroboros" || !peer.info.get("verbs")?.includes(" FETCH ")) return false;
  peer.setDeadline(fetchMs);
  const sent = peer.send({ kind: "file-fetch", pushId, parts });
  // If it could not be sent, there will be no answer.
  sent.catch(() => {});
  const wanted = parts.reduce((sum, part) => sum + (placement[part]?.length ?? 0), 0);
  if (parseCountedReply("DATA", await replyOf(peer)) !== wanted) return false;
  for (const part of parts) {
    const slot = slots[part];
    if (slot === undefined) return false;
    await peer.readExactly(slot);
    if (!isChunkIntact(slot, placement[part]?.checksums ?? "")) return false;
  }
  await sent;
  peer.release();
  return true;
}

/** The line of the answer. A node that refuses, as it has no buffer to spare, is asked again another time. */
async function replyOf(peer: PeerConnection): Promise<string> {
  try {
    return await peer.readReply();
  } catch (error) {
    if (error instanceof PeerError) peer.release();
    throw error;
  }
}
