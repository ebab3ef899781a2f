import type { StoredFile } from "../protocol/record.ts";
import type { NodeContext } from "./context.ts";
import { openPart } from "./part_source.ts";
import { pump } from "./pump.ts";
import { TaskGroup } from "./task_group.ts";

/** Names that can wait for their repair; beyond it the whole catalog is checked instead. */
const queueMax = 10_000;

/** Files repaired at the same time. */
const workersMax = 2;

/** Pause before a repair that failed is tried again, in ms: the other copy's node may be away. */
const retryMs = 2_000;

/** What became of the copies that were looked at. */
export interface RepairCounts {
  /** Copies fetched from another node. */
  repaired: number;
  /** Attempts that found no copy to fetch. */
  failed: number;
}

/**
 * Brings back the copies that this node should hold and does not: after a wiped or damaged disk,
 * and for records that came while it was away. A name is queued at most once; a repair that fails
 * is tried again until it succeeds or the record changes.
 */
export class RepairQueue {
  readonly counts: RepairCounts = { repaired: 0, failed: 0 };
  readonly #context: NodeContext;
  readonly #waiting = new Set<string>();
  /** Names being repaired; one that is queued again meanwhile waits for its end. */
  readonly #busy = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #workers = new TaskGroup();
  #running = 0;
  #checkAll = false;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** Has the copies of one name checked and fetched soon. */
  enqueue(name: string): void {
    if (this.#waiting.size >= queueMax) return this.enqueueAll();
    this.#waiting.add(name);
    this.#wake();
  }

  /** Has the whole catalog compared with the disk. */
  enqueueAll(): void {
    this.#checkAll = true;
    this.#wake();
  }

  /** True when nothing is queued or under way. */
  get idle(): boolean {
    return this.#running === 0 && this.#waiting.size === 0 && !this.#checkAll;
  }

  /** Ends the repair under way and forgets the queue; the next start checks everything anyway. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the node stops"));
    this.#waiting.clear();
    this.#checkAll = false;
    await this.#workers.all();
  }

  #wake(): void {
    if (this.#stopping.signal.aborted || this.#running >= workersMax) return;
    this.#running++;
    this.#workers.add(this.#work().finally(() => this.#running--));
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
    try {
      for await (const { record } of chunks.missingRecords(this.#stopping.signal)) {
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
    }
  }

  async #repairName(name: string): Promise<void> {
    const { catalog, chunks, clock, log } = this.#context;
    this.#busy.add(name);
    try {
      const record = catalog.record(name);
      if (record?.kind !== "file") return;
      if (record.foreign) {
        this.counts.repaired += await this.#context.originals.repair(record);
        return;
      }
      const parts = await chunks.missing(record);
      for (const part of parts) await this.#fetch(record, part);
      if (parts.length > 0) {
        await chunks.commit(record);
        this.counts.repaired += parts.length;
        log.info("repaired", { name, parts: parts.map((part) => part + 1).join(",") });
      }
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.counts.failed++;
      log.warn("repair failed, will try again", { name, reason: `${error}` });
      await clock.sleep(retryMs, this.#stopping.signal).catch(() => {
        // The node stops; the loop sees it.
      });
      if (!this.#stopping.signal.aborted) this.#waiting.add(name);
    } finally {
      this.#busy.delete(name);
    }
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
    try {
      using lease = await buffers.clients.acquire(2, signal);
      let offset = 0;
      const body = {
        get remaining() {
          return placement.length - offset;
        },
        async read(buffer: Uint8Array) {
          const count = await source.read(offset, buffer);
          offset += count;
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
