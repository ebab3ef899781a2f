import type { StoredFile } from "../protocol/record.ts";
import type { NodeContext } from "./context.ts";
import { openPart } from "./part_source.ts";
import { pump } from "./pump.ts";

/** Names that can wait for their repair; beyond it the whole catalog is checked instead. */
const queueMax = 10_000;

/** Files repaired at the same time. */
const workersMax = 2;

/**
 * Pause before a repair that failed is tried again, in ms: the other copy's node may be away. It
 * doubles with each failure, as both copies may be lost for good.
 */
const retryFirstMs = 1_000;

/** The longest such pause, in ms. */
const retryMaxMs = 15_000;

/** How often the queue looks which of them is due, in ms, as long as there are any. */
const retryLookMs = 250;

/** What became of the copies that were looked at. */
export interface RepairCounts {
  /** Copies fetched from another node. */
  repaired: number;
  /** Attempts that found no copy to fetch. */
  failed: number;
}

/** A repair that has failed. */
interface Failure {
  /** Of the record that it was tried for; another one is another repair. */
  readonly version: string | undefined;
  readonly dueMs: number;
  readonly pauseMs: number;
}

/**
 * Brings back the copies that this node should hold and does not: after a wiped or damaged disk,
 * and for records that came while it was away. A name is queued at most once; a repair that fails
 * is tried again until it succeeds or the record changes, and keeps no other one waiting meanwhile.
 */
export class RepairQueue {
  readonly counts: RepairCounts = { repaired: 0, failed: 0 };
  readonly #context: NodeContext;
  readonly #waiting = new Set<string>();
  /** Names being repaired; one that is queued again meanwhile waits for its end. */
  readonly #busy = new Set<string>();
  /** Names whose repair has failed. */
  readonly #failed = new Map<string, Failure>();
  readonly #stopping = new AbortController();
  readonly #workers = new Set<Promise<void>>();
  #retries: { stop(): void } | undefined;
  #checkAll = false;
  /** Comparisons of the whole catalog that are under way. */
  #checks = 0;
  #progress = 0;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /**
   * Has the copies of one name checked and fetched soon. What has just failed waits for its time all
   * the same: two nodes that both lack a copy would keep asking each other.
   */
  enqueue(name: string): void {
    const failed = this.#failed.get(name);
    const isDue = failed === undefined || failed.dueMs <= this.#context.clock.nowMs() ||
      failed.version !== this.#context.catalog.highestVersion(name);
    if (!isDue) return;
    if (this.#waiting.size >= queueMax) return this.enqueueAll();
    this.#waiting.add(name);
    this.#wake();
  }

  /** Has the whole catalog compared with the disk. */
  enqueueAll(): void {
    this.#checkAll = true;
    this.#wake();
  }

  /** Changes whenever something is found, fetched or given up: for who waits as long as it does. */
  get progress(): number {
    return this.#progress;
  }

  /** Whether nobody can tell yet if the copies of a name can be had: they were not asked for since. */
  isPending(name: string): boolean {
    if (this.#waiting.has(name) || this.#busy.has(name)) return true;
    return (this.#checkAll || this.#checks > 0) && !this.#failed.has(name);
  }

  /** True when nothing is queued or under way; what has failed may still wait for its next try. */
  get hasTriedAll(): boolean {
    return this.#workers.size === 0 && this.#waiting.size === 0 && !this.#checkAll;
  }

  /** Names that wait for another attempt. */
  get waiting(): number {
    return this.#failed.size;
  }

  /** True when there is nothing left to repair. */
  get idle(): boolean {
    return this.hasTriedAll && this.#failed.size === 0;
  }

  /** Ends the repair under way and forgets the queue; the next start checks everything anyway. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the node stops"));
    this.#retries?.stop();
    this.#waiting.clear();
    this.#failed.clear();
    this.#checkAll = false;
    await Promise.all(this.#workers);
  }

  #wake(): void {
    if (this.#stopping.signal.aborted || this.#workers.size >= workersMax) return;
    const worker: Promise<void> = this.#work().finally(() => this.#workers.delete(worker));
    this.#workers.add(worker);
  }

  #retryDue(): void {
    if (this.#failed.size === 0) {
      // A node with nothing to repair is not to be woken for it.
      this.#retries?.stop();
      this.#retries = undefined;
    }
    const nowMs = this.#context.clock.nowMs();
    for (const [name, { dueMs }] of this.#failed) {
      if (dueMs > nowMs || this.#waiting.has(name) || this.#busy.has(name)) continue;
      this.enqueue(name);
    }
  }

  #repaired(name: string, count: number): void {
    const { events, self } = this.#context;
    if (count === 0) return;
    this.counts.repaired += count;
    events.tell({ kind: "chunk-repaired", node: self, name, count });
  }

  #failedNow(
    name: string,
    { version, reason }: Pick<Failure, "version"> & { reason: string },
  ): void {
    const before = this.#failed.get(name);
    const isFirst = before === undefined || before.version !== version;
    const { events, self } = this.#context;
    if (isFirst) events.tell({ kind: "repair-failed", node: self, name, reason });
    const pauseMs = isFirst ? retryFirstMs : Math.min(2 * before.pauseMs, retryMaxMs);
    this.#failed.delete(name);
    // Beyond that many it is left to the next check of the whole catalog.
    if (this.#failed.size >= queueMax) return;
    this.#failed.set(name, { version, pauseMs, dueMs: this.#context.clock.nowMs() + pauseMs });
    if (this.#stopping.signal.aborted) return;
    this.#retries ??= this.#context.clock.every(retryLookMs, () => this.#retryDue());
  }

  async #work(): Promise<void> {
    for (;;) {
      if (this.#stopping.signal.aborted) return;
      const name = this.#next();
      if (name !== undefined) {
        await this.#repairName(name);
      } else if (this.#checkAll) {
        this.#checkAll = false;
        await this.#findMissing();
      } else {
        return;
      }
    }
  }

  /** Takes a name off the queue that nobody repairs right now. */
  #next(): string | undefined {
    for (const name of this.#waiting) {
      if (this.#busy.has(name)) continue;
      this.#waiting.delete(name);
      return name;
    }
    return undefined;
  }

  async #findMissing(): Promise<void> {
    const { chunks, log } = this.#context;
    this.#checks++;
    try {
      for await (const { record } of chunks.missingRecords(this.#stopping.signal)) {
        this.#progress++;
        while (this.#waiting.size >= queueMax / 2) {
          const name = this.#next();
          if (name === undefined) break;
          await this.#repairName(name);
        }
        this.#waiting.add(record.name);
        this.#wake();
      }
    } catch (error) {
      if (!this.#stopping.signal.aborted) log.error("repair check failed", { reason: `${error}` });
    } finally {
      this.#checks--;
    }
  }

  async #repairName(name: string): Promise<void> {
    const { catalog, originals } = this.#context;
    const record = catalog.record(name);
    this.#busy.add(name);
    try {
      if (record?.kind === "file") {
        if (record.foreign) this.#repaired(name, await originals.repair(record));
        else await this.#repairFile(record);
      }
      this.#failed.delete(name);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.counts.failed++;
      this.#context.log.warn("repair failed, will try again", { name, reason: `${error}` });
      this.#failedNow(name, { version: record?.version, reason: `${error}` });
    } finally {
      this.#busy.delete(name);
      this.#progress++;
    }
  }

  /** Fetches every part that can be had, and then fails if one could not. */
  async #repairFile(record: StoredFile): Promise<void> {
    const { chunks, log, originals } = this.#context;
    const fetched: number[] = [];
    const failures: unknown[] = [];
    for (const part of await chunks.missing(record)) {
      try {
        await this.#fetch(record, part);
        fetched.push(part + 1);
      } catch (error) {
        failures.push(error);
      }
    }
    if (fetched.length > 0) {
      await chunks.commit(record);
      this.#repaired(record.name, fetched.length);
      log.info("repaired", { name: record.name, parts: fetched.join(",") });
    }
    if (failures.length > 0) throw failures[0];
    // When the record came, there was nothing yet for an original to copy.
    originals.stored(record);
  }

  /** Copies one part from another node into staging, with its record's push id. */
  async #fetch(record: StoredFile, part: number): Promise<void> {
    const { buffers, chunks, self } = this.#context;
    const placement = record.placement[part];
    if (placement === undefined) throw new RangeError(`'${record.name}' has no part ${part}`);
    const { signal } = this.#stopping;
    using source = await openPart(this.#context, { record, part, offset: 0, avoid: self, signal });
    const writer = await chunks.stage({
      pushId: record.pushId,
      name: record.name,
      parts: record.placement.length,
      part,
      copy: placement.nodes.indexOf(self),
      length: placement.length,
    });
    const progressed = () => void this.#progress++;
    try {
      using lease = await buffers.forClient(2, signal);
      let offset = 0;
      const body = {
        get remaining() {
          return placement.length - offset;
        },
        async read(buffer: Uint8Array) {
          const count = await source.read(offset, buffer);
          offset += count;
          progressed();
          return count;
        },
      };
      await pump(body, placement.length, { sinks: [writer], buffers: lease.buffers });
      await writer.finish();
    } finally {
      await writer.abandon();
    }
  }
}
