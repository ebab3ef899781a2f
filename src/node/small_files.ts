import type { NodeAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import { fileHeader } from "../protocol/file_replies.ts";
import { fetchedBytesMax, fetchedPartsMax } from "../protocol/limits.ts";
import { countedReply, parseCountedReply } from "../protocol/peer_replies.ts";
import type { StoredFile } from "../protocol/record.ts";
import { isBlockIntact } from "../store/block_checksums.ts";
import type { NodeContext } from "./context.ts";
import { type CachedFile, FileCache } from "./file_cache.ts";
import type { Sink } from "./pump.ts";

/**
 * How long other nodes may take to send their parts of a small file, in ms, before it is read as a large
 * one is, which asks the other copies as well.
 */
const fetchMs = 500;

/** What small files on their way out may take together: 128 of the longest. */
const underWayBytesMax = 8 * 1024 * 1024;

/**
 * The short way for small files: from memory, or all parts at once from this disk and with one request
 * to each of as few other nodes as will do, then in one write.
 *
 * 1. It only ever succeeds or does nothing. Whatever is not as it should be, a node that is slow or gone,
 *    a chunk that is missing or damaged, is left to the long way, which finds out and sees to it.
 * 2. Every byte is compared with its checksum where it is read, and again where it arrives.
 * 3. What is on its way to clients takes a bounded amount of memory; beyond it they go the long way,
 *    where they wait for buffers.
 */
export class SmallFiles {
  readonly #context: NodeContext;
  readonly #cache: FileCache;
  #underWayBytes = 0;

  constructor(context: NodeContext) {
    this.#context = context;
    this.#cache = new FileCache(context.options.cacheBytes);
  }

  /**
   * Sends the current version of a name, behind the line of `FILE GET` or without it; false when nothing
   * was sent, as it is no small file or is not to be had this way.
   */
  async send(sink: Sink, { name, isHeaded }: SmallAnswer): Promise<boolean> {
    const file = this.#cached(name) ?? await this.#read(name);
    if (file === undefined) return false;
    const bytes = isHeaded ? file.answer : file.answer.subarray(file.headerBytes);
    return await this.#write(sink, bytes);
  }

  /** `FILE FETCH`: parts of a small file that are all on this disk; false when nothing was sent. */
  async serve(sink: Sink, { pushId, parts }: FetchCommand): Promise<boolean> {
    const { chunks } = this.#context;
    const found: Uint8Array[] = [];
    let count = 0;
    for (const part of parts) {
      const bytes = chunks.readSmall({ pushId, part }, fetchedBytesMax - count);
      if (bytes === undefined) return false;
      found.push(bytes);
      count += bytes.length;
    }
    const header = encoder.encode(countedReply("DATA", count));
    return await this.#write(sink, joinAll([header, ...found], header.length + count));
  }

  #cached(name: string): CachedFile | undefined {
    if (!this.#cache.isOn) return undefined;
    const known = this.#context.catalog.currentVersion(name);
    return known && this.#cache.get(known);
  }

  async #read(name: string): Promise<CachedFile | undefined> {
    const record = this.#context.catalog.record(name);
    if (record?.kind !== "file" || record.foreign) return undefined;
    if (record.placement.length > fetchedPartsMax) return undefined;
    if (record.size > fetchedBytesMax || !this.#hasRoom(record.size)) return undefined;
    this.#underWayBytes += record.size;
    try {
      const file = await readSmallFile(this.#context, record);
      if (file !== undefined) this.#cache.put(record.pushId, file);
      return file;
    } finally {
      this.#underWayBytes -= record.size;
    }
  }

  async #write(sink: Sink, bytes: Uint8Array): Promise<boolean> {
    if (!this.#hasRoom(bytes.length)) return false;
    this.#underWayBytes += bytes.length;
    try {
      await sink.write(bytes);
      return true;
    } finally {
      this.#underWayBytes -= bytes.length;
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#underWayBytes + bytes <= underWayBytesMax;
  }
}

/** What a client asks for. */
export interface SmallAnswer {
  readonly name: string;
  /** With the line of `FILE GET` before the bytes. */
  readonly isHeaded: boolean;
}

type FetchCommand = Extract<Command, { kind: "file-fetch" }>;

/** Some parts of a file and the node that is asked for them. */
interface Share {
  readonly node: NodeAddress;
  readonly parts: readonly number[];
}

/** Reads a whole file behind its line; `undefined` when some part is not to be had at once. */
async function readSmallFile(
  context: NodeContext,
  record: StoredFile,
): Promise<CachedFile | undefined> {
  const shares = shareOut(context, record);
  if (shares === undefined) return undefined;
  const { version } = record;
  const header = encoder.encode(fileHeader(record));
  const headerBytes = header.length;
  const answer = new Uint8Array(headerBytes + record.size);
  answer.set(header);
  const slots = partSlots(record, answer.subarray(headerBytes));
  // The others are asked first, and read their disks while this node reads its own.
  const fetches = shares.others.map((share) => tryFetch(context, { record, share, slots }));
  const isHere = shares.here.every((part) => readHere(context, { record, part, slots }));
  const fetched = fetches.length === 0 ? [] : await Promise.all(fetches);
  return isHere && fetched.every(Boolean) ? { version, answer, headerBytes } : undefined;
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
      const parts = rest.filter((part) => placement[part]?.nodes.includes(node));
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
  const bytes = chunks.readSmall({ pushId: record.pushId, part }, slot.length);
  if (bytes?.length !== slot.length) return false;
  slot.set(bytes);
  return true;
}

/** What is to be fetched, and where it goes. */
interface Fetch {
  readonly record: StoredFile;
  readonly share: Share;
  readonly slots: readonly Uint8Array[];
}

/** Fetches parts from another node; false when that did not work out, whatever the reason. */
async function tryFetch(context: NodeContext, fetch: Fetch): Promise<boolean> {
  try {
    return await fetchParts(context, fetch);
  } catch {
    // The long way meets the same fault, and reports it.
    return false;
  }
}

async function fetchParts(
  { peers }: NodeContext,
  { record, share: { node, parts }, slots }: Fetch,
): Promise<boolean> {
  const { pushId, placement } = record;
  using peer = await peers.borrow(node, { timeoutMs: fetchMs });
  const program = await peer.ensureProgram(fetchMs);
  if (program !== "ouroboros" || !peer.info.get("verbs")?.includes(" FETCH ")) return false;
  peer.setDeadline(fetchMs);
  const sent = peer.send({ kind: "file-fetch", pushId, parts });
  // If it could not be sent, there will be no answer.
  sent.catch(() => {});
  const wanted = parts.reduce((sum, part) => sum + (placement[part]?.length ?? 0), 0);
  if (parseCountedReply("DATA", await peer.readReply()) !== wanted) return false;
  for (const part of parts) {
    const slot = slots[part];
    if (slot === undefined) return false;
    await peer.readExactly(slot);
    if (!isBlockIntact(slot, placement[part]?.checksums ?? "", 0)) return false;
  }
  await sent;
  peer.release();
  return true;
}

function joinAll(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

const encoder = new TextEncoder();
