import type { StoredFile } from "../protocol/record.ts";
import { type ByteRange, type PartRange, partRanges } from "./byte_range.ts";
import type { NodeContext } from "./context.ts";
import { PartBody } from "./part_body.ts";
import { type OpenPart, openPart } from "./part_source.ts";
import { pump, type Sink } from "./pump.ts";
import { TaskGroup } from "./task_group.ts";

/** How often the copies that wait for their turn show that somebody still wants them, in ms. */
const keepAliveMs = 20_000;

/** How often a pull looks whether the copy that it reads from is slow, in ms. */
const lookMs = 250;

/** A file of at most this many bytes is read before it is sent, in one write. */
const gatheredBytesMax = 64 * 1024;

/** Parts that are opened at the same time. */
const openingMax = 64;

/** How often a pull looks the record up again when a newer version replaced it while it opened. */
const overtakenMax = 5;

/**
 * A file with every part open on one copy or the other: what follows can only fail if both copies
 * of a part fail from here on.
 */
export class OpenFile implements Disposable {
  readonly record: StoredFile;
  /** The bytes that are sent. */
  readonly range: ByteRange;
  readonly #context: NodeContext;
  /** What is sent of each part. */
  readonly #ranges: readonly PartRange[];
  /** The open copy of each part; nothing for one that has no bytes to send, or none left. */
  readonly #parts: (OpenPart | undefined)[];
  readonly #keepAlive: { stop(): void };
  /** What is being read. */
  #body: PartBody | undefined;

  private constructor(
    context: NodeContext,
    { record, range, ranges }: PullPlan,
    parts: (OpenPart | undefined)[],
  ) {
    this.record = record;
    this.range = range;
    this.#context = context;
    this.#ranges = ranges;
    this.#parts = parts;
    this.#keepAlive = context.clock.every(keepAliveMs, () => {
      for (const part of this.#parts) part?.keepAlive();
    });
  }

  /**
   * Opens the current version of a name; `undefined` when there is none.
   *
   * @param choose says which bytes of the version are wanted, or throws when it is not the one wanted.
   * @throws {PartUnavailableError} when no copy of some part can be had.
   */
  static async open(
    context: NodeContext,
    name: string,
    choose: (record: StoredFile) => ByteRange = wholeFile,
  ): Promise<OpenFile | undefined> {
    for (let attempt = 1;; attempt++) {
      const record = context.catalog.record(name);
      if (record?.kind !== "file") return undefined;
      const range = choose(record);
      const lengths = record.placement.map(({ length }) => length);
      const plan = { record, range, ranges: partRanges(lengths, range) };
      try {
        return new OpenFile(context, plan, await openParts(context, plan));
      } catch (error) {
        const overtaken = context.catalog.record(name)?.version !== record.version;
        if (!overtaken || attempt === overtakenMax) throw error;
      }
    }
  }

  /**
   * Sends `header` and the bytes of the range, part after part. A small one goes out in one write,
   * after all of it was read.
   *
   * @throws {Error} when every copy of a part failed, or the sink did; some bytes may have gone out.
   */
  async sendTo(sink: Sink, header: Uint8Array): Promise<void> {
    if (this.range.count === 0) return await sink.write(header);
    using lease = await this.#context.buffers.clientPair(this.range.count);
    using _looks = this.#context.clock.every(lookMs, () => this.#body?.look());
    const [buffer] = lease.buffers;
    const wholeBytes = header.length + this.range.count;
    if (this.range.count <= gatheredBytesMax && wholeBytes <= buffer.length) {
      return await sink.write(await this.#gather(header, buffer));
    }
    if (header.length > 0) await sink.write(header);
    for (const [part, { begin, end }] of this.#ranges.entries()) {
      if (begin === end) continue;
      // This node's own blocks come whole; to read on behind a part of one would take each of them twice.
      const isOwn = this.#parts[part]?.node === this.#context.self;
      const body = this.#begin(part);
      this.#parts.find((other) => other !== undefined)?.prefetch(0);
      try {
        await pump(body, end - begin, {
          sinks: [sink],
          buffers: lease.buffers,
          ...(!isOwn && { clock: this.#context.clock }),
        });
      } finally {
        body[Symbol.dispose]();
      }
    }
  }

  [Symbol.dispose](): void {
    this.#keepAlive.stop();
    for (const part of this.#parts) part?.[Symbol.dispose]();
  }

  /** Reads the whole file behind `header` into `buffer`, and gives what is filled. */
  async #gather(header: Uint8Array, buffer: Uint8Array): Promise<Uint8Array> {
    buffer.set(header);
    let filled = header.length;
    for (const part of this.#ranges.keys()) {
      using body = this.#begin(part);
      while (body.remaining > 0) filled += await body.read(buffer.subarray(filled));
    }
    return buffer.subarray(0, filled);
  }

  /** What is to be sent of a part; it owns the part's open copy. */
  #begin(part: number): PartBody {
    const range = this.#ranges[part];
    if (range === undefined) throw new RangeError(`'${this.record.name}' has no part ${part}`);
    const open = this.#parts[part];
    this.#parts[part] = undefined;
    this.#body = new PartBody(this.#context, { record: this.record, part, range }, open);
    return this.#body;
  }
}

/** What a pull sends. */
interface PullPlan {
  readonly record: StoredFile;
  readonly range: ByteRange;
  /** The range, part by part. */
  readonly ranges: readonly PartRange[];
}

function wholeFile({ size }: StoredFile): ByteRange {
  return { offset: 0, count: size };
}

/** Opens every part that has bytes to send; all or none. */
async function openParts(
  context: NodeContext,
  { record, ranges }: PullPlan,
): Promise<(OpenPart | undefined)[]> {
  const opened: (OpenPart | undefined)[] = ranges.map(() => undefined);
  const giveUp = new AbortController();
  const { signal } = giveUp;
  let next = 0;
  const worker = async () => {
    for (let part = next++; part < ranges.length; part = next++) {
      const { begin = 0, end = 0 } = ranges[part] ?? {};
      if (begin === end) continue;
      opened[part] = await openPart(context, { record, part, offset: begin, end, signal });
    }
  };
  const workers = new TaskGroup();
  for (let i = 0; i < Math.min(openingMax, ranges.length); i++) {
    workers.add(
      worker().catch((error) => {
        giveUp.abort(error);
        throw error;
      }),
    );
  }
  try {
    await workers.all();
    return opened;
  } catch (error) {
    for (const part of opened) part?.[Symbol.dispose]();
    throw giveUp.signal.aborted ? giveUp.signal.reason : error;
  }
}
