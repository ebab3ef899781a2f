import type { RingReport } from "./bench_report.ts";
import {
  callsMaxOf,
  type Cell,
  floorRunsMin,
  nameCountOf,
  planCells,
  smallBytesMax,
} from "./cell.ts";
import type { Floor } from "./floor.ts";
import { LoadError, type LoadPool, type LoadResult } from "./load_pool.ts";
import { syncDisks, touchMemory } from "./machine.ts";
import type { BenchOptions, Path } from "./options.ts";
import type { RingProcess } from "./process_usage.ts";
import { Recorder } from "./recorder.ts";
import { showSize } from "./sizes.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import type { Target } from "./target.ts";
import { UsageMeter } from "./usage_meter.ts";

/** What a suite works with. */
export interface SuiteContext {
  readonly target: Target;
  readonly floor: Floor;
  readonly load: LoadPool;
  readonly options: BenchOptions;
  /** How many files a small push makes and syncs; 0 where nothing is synced. */
  readonly copyFiles: number;
  /** For whatever the suite has to write. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Tells the user what is done now; one line. */
  readonly say: (text: string) => void;
}

/** Thrown when a file came back with other bytes than it was pushed with. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
}

/** How long it may take to push or pull all files of a size that pulls ask for, in ms. */
const prepareMs = 60_000;

/** Bytes of a page of memory. */
const pageBytes = 4096;

/** Names of files that pulls ask for, of one size; pushes use other ones. */
function readPrefix(size: number): string {
  return `bench-read-${size}`;
}

/** All measurements of one ring. */
export class Suite {
  readonly #context: SuiteContext;
  readonly #cells: readonly Cell[];
  readonly #recorder = new Recorder();
  readonly #began = performance.now();
  #rounds = 0;
  /** Counts the pushes of all cells, so that no name is pushed twice. */
  #pushes = 0;
  readonly #meter = new UsageMeter();
  readonly #syncMs: number[] = [];
  readonly #notes: string[] = [];
  #processes: readonly RingProcess[] = [];

  constructor(context: SuiteContext) {
    this.#context = context;
    this.#cells = planCells(context.options);
  }

  /** How many rounds there was time for. */
  get rounds(): number {
    return this.#rounds;
  }

  /** What happened that nobody asked for. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  /** The cells as they were measured so far. */
  report(): ReturnType<Recorder["report"]> {
    return this.#recorder.report(this.#cells);
  }

  /**
   * Pushes what the pulls ask for, and makes sure that every way brings the same bytes back.
   *
   * @throws {IdentityError} When one does not.
   * @throws {LoadError} When a push or pull fails.
   */
  async prepare(): Promise<void> {
    const { options, target, floor, say } = this.#context;
    for (const size of options.sizes) {
      say(`checking ${showSize(size)}`);
      const pushed = await this.#transfer("push", size, [target.addressOf("direct")]);
      await this.#transfer("push", size, floor.pullAddresses);
      for (const path of options.paths) {
        const pulled = await this.#transfer("pull", size, [target.addressOf(path)]);
        const wrong = pulled.findIndex((sha256, index) => sha256 !== pushed[index]);
        if (wrong === -1 && pulled.length === pushed.length) continue;
        throw new IdentityError(
          `'${
            readPrefix(size)
          }-${wrong}' came back (${path}) with other bytes than it was pushed with`,
        );
      }
    }
  }

  /** Runs what is short once without counting it, so that no runtime is cold when it counts. */
  async warmUp(): Promise<void> {
    for (const cell of this.#cells) {
      if (cell.size > smallBytesMax) continue;
      this.#context.say(`warming up ${describe(cell)}`);
      await this.#try(cell, () => this.#load(cell));
    }
  }

  /** What pushing a small file takes at least where every copy is synced, in ms; see `SYNC` of the floor. */
  get syncMs(): Spread | undefined {
    return this.#syncMs.length === 0 ? undefined : spreadOf(this.#syncMs);
  }

  /** Measures every cell in each round, until the rounds are done or their time is over. */
  async measure(): Promise<void> {
    const { options, say } = this.#context;
    const { copyFiles, floor } = this.#context;
    let longestMs = 0;
    while (this.#rounds < options.runs) {
      const roundBegan = performance.now();
      const wouldEnd = roundBegan + longestMs;
      if (this.#rounds > 0 && wouldEnd > this.#began + options.secondsMax * 1000) break;
      if (copyFiles > 0) {
        await syncDisks();
        this.#syncMs.push(await floor.measureSync(copyFiles));
      }
      for (const cell of this.#cells) {
        if (this.#recorder.hasFailed(cell)) continue;
        say(`round ${this.#rounds + 1} of ${options.runs}: ${describe(cell)}`);
        await this.#try(cell, () => this.#measureCell(cell));
      }
      this.#rounds += 1;
      longestMs = Math.max(longestMs, performance.now() - roundBegan);
    }
    await this.#completeFloors();
  }

  /** Measures the floor again until its best is one of enough, if the rounds were too few for that. */
  async #completeFloors(): Promise<void> {
    for (let run = this.#rounds; run < floorRunsMin; run++) {
      for (const cell of this.#cells) {
        if (cell.path !== "floor" || this.#recorder.hasFailed(cell)) continue;
        this.#context.say(`measuring ${describe(cell)}, ${run + 1} of ${floorRunsMin}`);
        await this.#try(cell, () => this.#measureCell(cell));
      }
    }
  }

  /** Keeps the failure of a cell as its result. */
  async #try(cell: Cell, action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      this.#recorder.fail(cell, error.message);
    }
  }

  async #measureCell(cell: Cell): Promise<void> {
    const { target, floor } = this.#context;
    const processes = await target.processes();
    this.#noteLost(processes, cell);
    const pids = cell.path === "floor" ? floor.pids : processes.map(({ pid }) => pid);
    await syncDisks();
    if (isPush(cell)) await this.#touchMemory(cell);
    const [result, used] = await this.#meter.measure(pids, () => this.#load(cell));
    this.#recorder.add(cell, { result, ...used });
  }

  /**
   * Makes sure that what a push is written to is memory that this machine has: a virtual one gets it
   * when it is first used, which takes longer than the push, and whoever comes second had it for nothing.
   */
  async #touchMemory(cell: Cell): Promise<void> {
    const bytes = 2 * callsMaxOf(cell) * cell.clients * cell.size;
    // Files of less than a page take no more memory than there always is.
    if (cell.size >= pageBytes) await touchMemory(this.#context.directory, bytes);
  }

  /** Notes which processes ended since the last cell: no measurement ends any. */
  #noteLost(processes: readonly RingProcess[], cell: Cell): void {
    for (const { pid, role, address } of this.#processes) {
      if (processes.some((process) => process.pid === pid)) continue;
      this.#notes.push(`${role} ${address} (pid ${pid}) ended before ${describe(cell)}`);
    }
    this.#processes = processes;
  }

  /** The processes of the ring and what each has used since it started. */
  async processes(): Promise<RingReport["processes"]> {
    const used = await this.#meter.usageOf(await this.#context.target.processes());
    return used.toSorted((a, b) => (a.role + a.address).localeCompare(b.role + b.address));
  }

  /** Runs the clients of a cell, and removes what the floor need not keep. */
  async #load(cell: Cell): Promise<LoadResult> {
    const { floor, load, options, target } = this.#context;
    const isNew = isPush(cell);
    const names = isNew ? `bench-push-${++this.#pushes}` : readPrefix(cell.size);
    try {
      return await load.run({
        operation: cell.operation,
        addresses: this.#addressesOf(cell),
        size: cell.size,
        namePrefixes: Array.from(
          { length: cell.clients },
          (_, client) => isNew ? `${names}-${client}` : names,
        ),
        nameCount: nameCountOf(cell.size),
        callsMax: callsMaxOf(cell),
        lengthMs: options.lengthMs,
        hashed: false,
        nodeDirectories: target.nodeDirectories,
      });
    } finally {
      // Small ones stay: a file system may avoid every inode of a deleted file for a minute, and then
      // takes the longer for a new file the more of those there are.
      if (isNew && cell.path === "floor" && cell.size > smallBytesMax) await floor.remove(names);
    }
  }

  #addressesOf(cell: Cell): string[] {
    const { floor, target } = this.#context;
    if (cell.path !== "floor") return [target.addressOf(cell.path)];
    return cell.operation === "push" ? floor.pushAddresses : floor.pullAddresses;
  }

  /** Pushes or pulls all files of a size that pulls ask for, and tells the SHA-256 of each. */
  async #transfer(
    operation: "push" | "pull",
    size: number,
    addresses: string[],
  ): Promise<readonly string[]> {
    const count = nameCountOf(size);
    const { sha256 } = await this.#context.load.run({
      operation,
      addresses,
      size,
      namePrefixes: [readPrefix(size)],
      nameCount: count,
      callsMax: count,
      lengthMs: prepareMs,
      hashed: true,
    });
    return sha256;
  }
}

function isPush({ operation }: Cell): boolean {
  return operation === "push" || operation === "store";
}

function describe({ operation, size, clients, path }: Cell): string {
  const ways: Record<Path | "floor", string> = {
    floor: "at best",
    direct: "direct",
    other: "from another node",
    gateway: "by the gateway",
  };
  const who = clients === 1 ? "" : `, ${clients} clients`;
  return `${operation} ${showSize(size)} ${ways[path]}${who}`;
}
