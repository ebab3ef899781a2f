import type { Command } from "../protocol/command.ts";
import { fileHeader } from "../protocol/file_replies.ts";
import { fetchedPartsMax, fetchLineBytesMax, wholeFileBytesMax } from "../protocol/limits.ts";
import { countedReply } from "../protocol/peer_replies.ts";
import type { StoredFile } from "../protocol/record.ts";
import type { NodeContext } from "./context.ts";
import { type CachedFile, FileCache } from "./file_cache.ts";
import { gatherFile } from "./gather.ts";
import type { Sink } from "./pump.ts";

/**
 * A file of at most this many bytes is remembered, in memory of its own; a longer one goes through a pooled
 * buffer. More would let fewer files push out many.
 */
const keptBytesMax = 64 * 1024;

/** What remembered files on their way out may take together: 128 of the longest. */
const underWayBytesMax = 8 * 1024 * 1024;

/**
 * The short way for files of at most {@linkcode wholeFileBytesMax} bytes: from memory, or all parts at once
 * from this disk and with one request to each of as few other nodes as will do, then in one write.
 *
 * 1. It only ever succeeds or does nothing. Whatever is not as it should be, a node that is slow or gone,
 *    a chunk that is missing or damaged, is left to the long way, which finds out and sees to it.
 * 2. Every byte is compared with its checksum where it is read, and again where it arrives.
 * 3. What is on its way to clients takes a bounded amount of memory: a pooled buffer for each of the longer
 *    files, if one is spare, and so much for all of the shorter ones. Beyond it they go the long way, where
 *    they wait for buffers.
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
    const cached = this.#cached(name);
    if (cached !== undefined) return await this.#sendKept(sink, bytesOf(cached, isHeaded));
    const record = this.#context.catalog.record(name);
    if (record?.kind !== "file" || record.foreign) return false;
    if (record.size > wholeFileBytesMax || record.placement.length > fetchedPartsMax) return false;
    if (record.size > keptBytesMax) return await this.#sendLent(sink, { record, isHeaded });
    const file = await this.#read(record);
    return file !== undefined && await this.#sendKept(sink, bytesOf(file, isHeaded));
  }

  /** `FILE FETCH`: parts of a small file that are all on this disk; false when nothing was sent. */
  async serve(sink: Sink, { pushId, parts }: Parts): Promise<boolean> {
    const { buffers } = this.#context;
    using usual = await buffers.spareForChunks();
    if (usual === undefined) return await this.#servePressed(sink, { pushId, parts });
    if (await this.#sendParts(sink, { pushId, parts, buffer: usual.buffers[0] })) return true;
    // A part that a usual buffer does not hold is asked for alone.
    if (parts.length > 1) return false;
    using long = await buffers.spareForFile(wholeFileBytesMax);
    if (long === undefined) return false;
    return await this.#sendParts(sink, { pushId, parts, buffer: long.buffers[0] });
  }

  /** The same without pooled buffers: parts that are as short as those of most small files. */
  async #servePressed(sink: Sink, { pushId, parts }: Parts): Promise<boolean> {
    const bytes = fetchLineBytesMax + keptBytesMax;
    return await this.#whileUnderWay(bytes, () => {
      return this.#sendParts(sink, { pushId, parts, buffer: new Uint8Array(bytes) });
    }) ?? false;
  }

  #cached(name: string): CachedFile | undefined {
    if (!this.#cache.isOn) return undefined;
    const known = this.#context.catalog.currentVersion(name);
    return known && this.#cache.get(known);
  }

  /** Reads a file to be remembered, behind its line. */
  async #read(record: StoredFile): Promise<CachedFile | undefined> {
    return await this.#whileUnderWay(record.size, async () => {
      const { pushId, size, version } = record;
      const header = encoder.encode(fileHeader(record));
      const headerBytes = header.length;
      const answer = new Uint8Array(headerBytes + size);
      answer.set(header);
      const content = answer.subarray(headerBytes);
      if (!await gatherFile(this.#context, { record, content })) return undefined;
      const file = { version, answer, headerBytes };
      this.#cache.put(pushId, file);
      return file;
    });
  }

  /** Sends a file from memory of its own. */
  async #sendKept(sink: Sink, bytes: Uint8Array): Promise<boolean> {
    return await this.#whileUnderWay(bytes.length, async () => {
      await sink.write(bytes);
      return true;
    }) ?? false;
  }

  /** Sends a file from a pooled buffer. */
  async #sendLent(
    sink: Sink,
    { record, isHeaded }: { record: StoredFile; isHeaded: boolean },
  ): Promise<boolean> {
    const header = encoder.encode(isHeaded ? fileHeader(record) : "");
    const { size } = record;
    // The longest files fill a buffer without their line.
    const begin = header.length + size <= wholeFileBytesMax ? header.length : 0;
    using lease = await this.#context.buffers.spareForFile(begin + size);
    if (lease === undefined) return false;
    const buffer = lease.buffers[0].subarray(0, begin + size);
    const content = buffer.subarray(begin);
    if (!await gatherFile(this.#context, { record, content })) return false;
    if (begin > 0) buffer.set(header);
    else if (isHeaded) await sink.write(header);
    await sink.write(buffer);
    return true;
  }

  /** Reads parts into `buffer`, and sends them in one write with their line. */
  async #sendParts(
    sink: Sink,
    { pushId, parts, buffer }: Parts & { readonly buffer: Uint8Array },
  ): Promise<boolean> {
    let end = fetchLineBytesMax;
    for (const part of parts) {
      const count = this.#context.chunks.readWhole({ pushId, part }, buffer.subarray(end));
      if (count === undefined) return false;
      end += count;
    }
    const line = encoder.encode(countedReply("DATA", end - fetchLineBytesMax));
    const begin = fetchLineBytesMax - line.length;
    buffer.set(line, begin);
    await sink.write(buffer.subarray(begin, end));
    return true;
  }

  /** Does something that takes so much memory; gives nothing when there is not so much left. */
  async #whileUnderWay<T>(bytes: number, action: () => Promise<T>): Promise<T | undefined> {
    if (this.#underWayBytes + bytes > underWayBytesMax) return undefined;
    this.#underWayBytes += bytes;
    try {
      return await action();
    } finally {
      this.#underWayBytes -= bytes;
    }
  }
}

/** What a client asks for. */
export interface SmallAnswer {
  readonly name: string;
  /** With the line of `FILE GET` before the bytes. */
  readonly isHeaded: boolean;
}

/** What is sent of a file that is remembered. */
function bytesOf({ answer, headerBytes }: CachedFile, isHeaded: boolean): Uint8Array {
  return isHeaded ? answer : answer.subarray(headerBytes);
}

/** Which parts of which file. */
type Parts = Pick<Extract<Command, { kind: "file-fetch" }>, "pushId" | "parts">;

const encoder = new TextEncoder();
