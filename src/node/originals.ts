import { createHash } from "node:crypto";
import type { NodeAddress } from "../protocol/address.ts";
import type { Command } from "../protocol/command.ts";
import { decodeChunkLength } from "../protocol/file_replies.ts";
import { listLineBytesMax } from "../protocol/limits.ts";
import type { Tag } from "../protocol/lists.ts";
import { chunkName, parseChunkName, partLength, partLengths } from "../protocol/names.ts";
import type { FileRecord, PartPlacement, StoredFile } from "../protocol/record.ts";
import { nextVersion } from "../protocol/ulid.ts";
import { randomBytes } from "../runtime/random.ts";
import { OriginalReach } from "../ring/original_reach.ts";
import type { StagedChunk } from "../store/staging_writer.ts";
import { type Body, ConnectionBody } from "./body.ts";
import type { NodeContext } from "./context.ts";
import { openPart } from "./part_source.ts";
import { openPeerSink, type PeerSink } from "./peer_sink.ts";
import { pump, type Sink } from "./pump.ts";

/** How long an original may take to answer, in ms. */
const askDeadlineMs = 10_000;

/** How long an original may take to be reached, in ms. */
const dialMs = 2_000;

/** Records that are read from the catalog at a time for the map of an original. */
const pageRecords = 500;

/** The original's `FILE RELAY-STREAM`. */
type RelayCommand = Extract<Command, { kind: "file-relay-stream" }>;

/**
 * What a node does for the original program's nodes in its ring. They know chunks by name only, keep
 * no checksums and no versions, and copy backups by themselves after `FILE NOTIFY-CHUNK-SAVED`.
 * A file that one of them coordinated is *foreign* here: its record has no checksums, and it is
 * committed as its bytes come.
 */
export class Originals {
  readonly #context: NodeContext;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /**
   * Sends an original the whole map of files: it forgets what the message does not name. A file that it
   * would read short is not named, so that it knows none of that name.
   */
  async sendTags(member: NodeAddress): Promise<void> {
    const reach = new OriginalReach(this.#context.ring.members());
    const tags: Tag[] = [];
    let bytes = 0;
    for (const file of this.#files()) {
      if (!reach.has(file)) continue;
      const { name, start, size, placement } = file;
      tags.push({ name, start, size, parts: placement.length });
      bytes += name.length + 40;
      if (bytes > listLineBytesMax) throw new RangeError("The map of files is too long for a line");
    }
    await this.#context.peers.request(member, { kind: "file-tags-set", tags }, {
      deadlineMs: askDeadlineMs,
      idempotent: true,
    });
  }

  /** Takes the files of an original's map that this node has never heard of, deletes included. */
  async acceptTags(tags: readonly Tag[]): Promise<void> {
    const { catalog } = this.#context;
    const records = tags
      .filter((tag) => tag.parts > 0 && catalog.record(tag.name) === undefined)
      .map((tag) => this.#foreignRecord(tag, foreignPushId(`${tag.name}:${tag.parts}`)));
    for (let at = 0; at < records.length; at += pageRecords) {
      await this.#context.chunks.commitAll(records.slice(at, at + pageRecords));
    }
  }

  /** Tells an original predecessor that this node has its part of a committed file. */
  stored(record: FileRecord): void {
    if (record.kind !== "file") return;
    for (const [part, { nodes }] of record.placement.entries()) {
      const [holder, predecessor] = nodes;
      if (holder !== this.#context.self || predecessor === undefined) continue;
      if (this.#context.ring.programOf(predecessor) !== "original") continue;
      this.#notify(predecessor, chunkName(record.name, part, record.placement.length));
    }
  }

  /** `FILE NOTIFY-CHUNK-SAVED`: copies the successor's chunk, soon. */
  chunkSaved(chunk: string): void {
    this.#context.background(`backup of ${chunk}`, () => this.#copyBackup(chunk));
  }

  /**
   * A relay that an original began: keeps this node's part at once, passes the rest on, and keeps
   * the successor's part as its backup.
   */
  async acceptRelay(command: RelayCommand, body: Body): Promise<void> {
    const { token, start, fileBytes, parts, index, name } = command;
    const { buffers, chunks } = this.#context;
    const lengths = partLengths(fileBytes, parts);
    const pushId = foreignPushId(`${token}:${name}`);
    const next = index + 1 < parts ? await this.#relayOn(command) : undefined;
    try {
      using lease = await buffers.relayPair(body.remaining);
      for (let part = index; part < parts; part++) {
        const length = lengths[part] ?? 0;
        const sinks: Sink[] = next !== undefined && part > index ? [next] : [];
        const keep = part <= index + 1 && parts > 1 || part === index;
        const chunk = { pushId, name, parts, part, copy: part - index, length };
        await using writer = keep ? await chunks.stage(chunk) : undefined;
        if (writer !== undefined) sinks.push(writer);
        await pump(body, length, { sinks, buffers: lease.buffers });
        await writer?.finish();
      }
      await next?.acknowledged();
    } catch (error) {
      await chunks.abort(pushId);
      throw error;
    } finally {
      next?.cut();
    }
    await chunks.placeForeign(pushId);
    await chunks.commit(this.#foreignRecord({ name, start, size: fileBytes, parts }, pushId));
    const predecessor = this.#context.ring.predecessor();
    if (predecessor !== undefined && this.#context.ring.programOf(predecessor) === "original") {
      this.#notify(predecessor, chunkName(name, index, parts));
    }
  }

  /** Fetches the copies of a foreign file that this node should hold and does not. */
  async repair(record: StoredFile): Promise<number> {
    const { chunks, self } = this.#context;
    let repaired = 0;
    for (const [part, { nodes, length }] of record.placement.entries()) {
      const copy = nodes.indexOf(self);
      if (copy < 0) continue;
      const name = chunkName(record.name, part, record.placement.length);
      const reader = await chunks.openByChunkName(name, copy === 0 ? "content" : "backup");
      reader?.close();
      if (reader !== undefined) continue;
      using source = await openPart(this.#context, { record, part, offset: 0, avoid: self });
      let offset = 0;
      await this.#store(
        {
          pushId: record.pushId,
          name: record.name,
          parts: record.placement.length,
          part,
          copy,
          length,
        },
        {
          get remaining() {
            return length - offset;
          },
          async read(buffer) {
            const count = await source.read(offset, buffer);
            offset += count;
            return count;
          },
        },
      );
      repaired++;
    }
    return repaired;
  }

  async #relayOn(command: RelayCommand): Promise<PeerSink> {
    const next = this.#context.ring.next();
    if (next === undefined) throw new Error("no next hop set");
    const { fileBytes, parts, index } = command;
    return await openPeerSink(this.#context, next, {
      command: {
        ...command,
        index: index + 1,
        bodyBytes: command.bodyBytes - partLength(fileBytes, parts, index),
      },
    });
  }

  async #copyBackup(chunk: string): Promise<void> {
    const parsed = parseChunkName(chunk);
    const next = this.#context.ring.next();
    if (parsed === undefined || next === undefined) return;
    const { name, part, parts } = parsed;
    const record = this.#context.catalog.record(name);
    if (record?.kind === "file" && !record.foreign) {
      // Its checksums are known, so the repair fetches what is missing and checks it.
      return this.#context.repair.enqueue(name);
    }
    using peer = await this.#context.peers.borrow(next, { timeoutMs: dialMs });
    await peer.send({ kind: "file-get-chunk-for-backup", chunk });
    const header = new Uint8Array(8);
    await peer.readExactly(header);
    const length = decodeChunkLength(header);
    // 0 says that it is missing, unless the part is known to be empty.
    const isEmpty = record?.kind === "file" && record.placement[part]?.length === 0;
    if (length === undefined || length === 0 && !isEmpty) return;
    const pushId = foreignPushId(`${chunk}:${randomBytes(8).join()}`);
    const body = new ConnectionBody(peer.reader, length);
    await this.#store({ pushId, name, parts, part, copy: 1, length }, body);
    peer.release();
  }

  /** Stores a chunk that has no record of its own, and puts it in its place. */
  async #store(chunk: StagedChunk, body: Body): Promise<void> {
    const { buffers, chunks } = this.#context;
    await using writer = await chunks.stage(chunk);
    using lease = await buffers.relayPair(chunk.length);
    await pump(body, chunk.length, { sinks: [writer], buffers: lease.buffers });
    await writer.finish();
    await chunks.placeForeign(chunk.pushId);
  }

  #notify(predecessor: NodeAddress, chunk: string): void {
    this.#context.background(`notice to ${predecessor}`, async () => {
      await this.#context.peers.request(predecessor, { kind: "file-notify-chunk-saved", chunk }, {
        deadlineMs: askDeadlineMs,
        idempotent: true,
      });
    });
  }

  /** The record of a file that an original coordinated: part i is on the i-th node from its start. */
  #foreignRecord(tag: Tag, pushId: string): StoredFile {
    const { name, start, size, parts } = tag;
    const { catalog, clock, ring } = this.#context;
    const order = ring.members().map(({ address }) => address);
    const first = Math.max(0, order.indexOf(start));
    const at = (index: number) => order[(first + index + order.length) % order.length] ?? start;
    const placement: PartPlacement[] = partLengths(size, parts).map((length, part) => ({
      nodes: order.length > 1 ? [at(part), at(part - 1)] : [start],
      length,
      checksums: "",
    }));
    return {
      kind: "file",
      name,
      version: nextVersion(clock.wallMs(), randomBytes(10), catalog.highestVersion(name)),
      pushId,
      size,
      sha256: "",
      start,
      timeMs: clock.wallMs(),
      foreign: true,
      placement,
    };
  }

  *#files(): Generator<StoredFile> {
    let after = "";
    for (;;) {
      const page = this.#context.catalog.records(after, pageRecords);
      for (const record of page) if (record.kind === "file") yield record;
      const last = page.at(-1);
      if (last === undefined || page.length < pageRecords) return;
      after = last.name;
    }
  }
}

/** A push id for bytes that came without one: the same everywhere for the same relay. */
function foreignPushId(seed: string): string {
  return `foreign-${createHash("sha256").update(seed).digest("hex").slice(0, 32)}`;
}
