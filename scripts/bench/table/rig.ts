import { BareRing } from "../bare_ring.ts";
import { Floor } from "../floor.ts";
import type { LoadPool, LoadResult } from "../load_pool.ts";
import type { Operation } from "../load_job.ts";
import { syncDisks, touchMemory } from "../machine.ts";
import { smallBytesMax } from "../cell.ts";
import type { Durability, Path } from "../options.ts";
import { PlainServers } from "../plain_servers.ts";
import { Ring } from "../ring.ts";
import { UsageMeter } from "../usage_meter.ts";
import { describeShape, type RingShape } from "./ring_shape.ts";

/** What a rig is made with. */
export interface RigOptions {
  readonly load: LoadPool;
  /** For all that is written. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Tells the user what is done now; one line. */
  readonly say: (text: string) => void;
  /** How long small files are pushed or pulled for in a measurement, in ms. */
  readonly lengthMs: number;
  /** How often a floor is measured in each round. */
  readonly floorsPerRound: number;
  /** Files that a catalog of many has. */
  readonly manyFiles: number;
  /** Where the ring with many files stays for the next run; by default it is deleted with all else. */
  readonly manyDirectory?: string;
}

/** Some transfers: so many clients do the same. */
export interface Transfers {
  readonly operation: Operation;
  readonly size: number;
  readonly clients?: number;
  /** Calls of each client at most; without it small ones go on for a time, and of large ones there is one. */
  readonly callsMax?: number;
  /** False where how long they take is of no interest. */
  readonly isTimed?: boolean;
}

/** What transfers took. */
export interface TransfersDone extends LoadResult {
  /** The largest peak of any process that served them, in bytes. */
  readonly peakBytes: number;
}

/** A ring, or a part of the floor, as transfers see it. */
interface Place {
  readonly key: string;
  readonly addresses: readonly string[];
  readonly nodeDirectories: readonly string[];
  pids(): Promise<readonly number[]>;
}

/** Files of a size that are pulled in turn. */
const nameCount = 16;

/** More calls than a client can make in any run. */
const callsMax = 1_000_000;

/** Bytes of a page of memory. */
const pageBytes = 4096;

/**
 * What the rows of the table are measured with: rings of all shapes, floors and plain servers. Each is
 * started when it is first asked for, and stays until the rig is disposed of.
 */
export class Rig implements AsyncDisposable {
  readonly options: RigOptions;
  readonly #owned = new AsyncDisposableStack();
  readonly #kept = new Map<string, Promise<unknown>>();
  readonly #round = new Map<string, Promise<unknown>>();
  readonly #meter = new UsageMeter();
  #pushes = 0;

  constructor(options: RigOptions) {
    this.options = options;
  }

  /** Forgets what was measured in the last round. */
  beginRound(): void {
    this.#round.clear();
  }

  /** Measures something that several rows need, once a round. */
  inRound<T>(key: string, action: () => Promise<T>): Promise<T> {
    return remember(this.#round, key, action);
  }

  /** Does something once. */
  once<T>(key: string, action: () => Promise<T>): Promise<T> {
    return remember(this.#kept, key, action);
  }

  /** The ring of a shape. */
  ring(shape: RingShape): Promise<Ring> {
    return this.once(
      `ring ${describeShape(shape)}`,
      async () => this.#owned.use(await this.startRing(shape)),
    );
  }

  /** Stops something, too, when the rig is disposed of. */
  own<T extends AsyncDisposable>(started: T): T {
    return this.#owned.use(started);
  }

  /** Another ring of a shape, which is the caller's. */
  async startRing(shape: RingShape): Promise<Ring> {
    this.options.say(`starting a ring of ${shape.nodes}`);
    const { directory, signal } = this.options;
    return await Ring.start({
      directory: `${directory}/ring-${crypto.randomUUID().slice(0, 8)}`,
      nodeCount: shape.nodes,
      durability: shape.durability,
      gossipIntervalMs: shape.waitMs,
      flags: shape.flags,
      signal,
    });
  }

  /** The plain processes that write and read files. */
  floor(durability: Durability): Promise<Floor> {
    return this.once(`floor ${durability}`, async () => {
      const directory = `${this.options.directory}/floor-${durability}`;
      await Deno.mkdir(directory);
      const { signal } = this.options;
      return this.#owned.use(await Floor.start({ directory, durability, signal }));
    });
  }

  /** The bare ring, which keeps small files whole or splits them. */
  bareRing(isWhole: boolean): Promise<BareRing> {
    return this.once(`bare ring ${isWhole}`, async () => {
      const directory = `${this.options.directory}/bare-${isWhole ? "whole" : "split"}`;
      const { signal } = this.options;
      return this.#owned.use(await BareRing.start({ directory, isWhole, signal }));
    });
  }

  /** The plain server and proxy. */
  plain(): Promise<PlainServers> {
    return this.once(
      "plain",
      async () => this.#owned.use(await PlainServers.start(this.options.signal)),
    );
  }

  /** Runs transfers of a ring. */
  async transfer(shape: RingShape, path: Path, transfers: Transfers): Promise<TransfersDone> {
    const ring = await this.ring(shape);
    return await this.#run({
      key: describeShape(shape),
      addresses: [ring.addressOf(path)],
      // Every way leads to the same files, which a node takes for all of them.
      nodeDirectories: ring.nodeDirectories,
      pids: async () => (await ring.processes()).map(({ pid }) => pid),
    }, transfers);
  }

  /** Runs transfers of the floor, as often as a floor is to be measured in a round. */
  async floorTransfers(durability: Durability, transfers: Transfers): Promise<TransfersDone[]> {
    const floor = await this.floor(durability);
    const isPush = transfers.operation === "push";
    return await this.floorRuns(async () => {
      const done = await this.#run({
        key: `floor ${durability}`,
        addresses: isPush ? floor.pushAddresses : floor.pullAddresses,
        nodeDirectories: [],
        pids: () => Promise.resolve(floor.pids),
      }, transfers);
      if (isPush && transfers.size > smallBytesMax) await floor.remove("table-push");
      return done;
    });
  }

  /** Pushes to the bare ring, as often as a floor is to be measured in a round. */
  async bareTransfers(isWhole: boolean, transfers: Transfers): Promise<TransfersDone[]> {
    const bare = await this.bareRing(isWhole);
    return await this.floorRuns(() =>
      this.#run({
        key: `bare ring ${isWhole}`,
        addresses: [bare.address],
        nodeDirectories: [],
        pids: () => Promise.resolve(bare.pids),
      }, transfers)
    );
  }

  /** Measures something as often as a floor is to be measured in a round. */
  async floorRuns<T>(measure: () => Promise<T>): Promise<T[]> {
    const done: T[] = [];
    for (let run = 0; run < this.options.floorsPerRound; run++) done.push(await measure());
    return done;
  }

  /** Pulls 1 KiB from a plain server as often as it can. */
  async plainTransfers(address: string, transfers: Transfers): Promise<TransfersDone> {
    const nobody = { nodeDirectories: [], pids: () => Promise.resolve([]) };
    const plain = { key: "plain", addresses: [address], ...nobody };
    return await this.#load(plain, transfers, "any");
  }

  /** Stops everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }

  async #run(place: Place, transfers: Transfers): Promise<TransfersDone> {
    const { operation, size, clients = 1 } = transfers;
    if (operation === "pull" || operation === "get") {
      const prefix = `table-read-${size}`;
      const count = size > smallBytesMax ? 1 : nameCount;
      await this.once(`${place.key} ${prefix}`, async () => {
        await this.#load(place, { operation: "push", size, callsMax: count }, prefix);
      });
      await syncDisks();
      return await this.#load(place, transfers, prefix);
    }
    await syncDisks();
    // A virtual machine gets its memory when it is first used, which takes longer than the push.
    if (size >= pageBytes && transfers.isTimed !== false) {
      await touchMemory(this.options.directory, 2 * size * clients);
    }
    return await this.#load(place, transfers, `table-push-${++this.#pushes}`);
  }

  async #load(place: Place, transfers: Transfers, prefix: string): Promise<TransfersDone> {
    const { operation, size, clients = 1 } = transfers;
    const isPush = operation === "push" || operation === "store";
    const isLarge = size > smallBytesMax;
    const job = {
      operation,
      addresses: place.addresses,
      size,
      namePrefixes: Array.from(
        { length: clients },
        (_, client) => isPush && clients > 1 ? `${prefix}-${client}` : prefix,
      ),
      nameCount: isLarge ? 1 : nameCount,
      callsMax: transfers.callsMax ?? (isLarge ? 1 : callsMax),
      lengthMs: transfers.callsMax === undefined ? this.options.lengthMs : 60_000,
      hashed: false,
      nodeDirectories: place.nodeDirectories,
    };
    const pids = await place.pids();
    const [result, used] = await this.#meter.measure(pids, () => this.options.load.run(job));
    return { ...result, peakBytes: used.peakBytes };
  }
}

function remember<T>(
  map: Map<string, Promise<unknown>>,
  key: string,
  action: () => Promise<T>,
): Promise<T> {
  const known = map.get(key);
  // What was kept under a key came of the same action.
  if (known !== undefined) return known as Promise<T>;
  const promise = action();
  map.set(key, promise);
  return promise;
}
