import { BenchClient } from "./client.ts";
import { LineProcess } from "./line_process.ts";
import type { Durability } from "./options.ts";
import { quantile } from "./statistics.ts";

/** The two plain processes that the ring is measured by. */
export class Floor implements AsyncDisposable {
  readonly #servers: readonly FloorServer[];

  private constructor(servers: readonly FloorServer[]) {
    this.#servers = servers;
  }

  /** Starts them; their files go below the directory. */
  static async start(
    options: { directory: string; durability: Durability; signal: AbortSignal },
  ): Promise<Floor> {
    const servers: FloorServer[] = [];
    const floor = new Floor(servers);
    try {
      for (const name of ["floor-1", "floor-2"]) {
        const directory = `${options.directory}/${name}`;
        await Deno.mkdir(directory);
        const args = [directory, options.durability];
        const process = new LineProcess({ script: "./floor_server.ts", args });
        const server = { process, directory, address: "" };
        servers.push(server);
        server.address = `127.0.0.1:${await process.hear(options.signal)}`;
      }
    } catch (error) {
      await floor[Symbol.asyncDispose]();
      throw error;
    }
    return floor;
  }

  /** `host:port` of both: of a push, each gets one half. */
  get pushAddresses(): string[] {
    return this.#servers.map(({ address }) => address);
  }

  /** `host:port` of the one that files are pulled from. */
  get pullAddresses(): string[] {
    return this.pushAddresses.slice(0, 1);
  }

  /** The process ids of both. */
  get pids(): number[] {
    return this.#servers.map(({ process }) => process.pid);
  }

  /**
   * Measures what the push of a small file to so many files on disk takes at least, in ms: some times,
   * and the median of that. See `SYNC` of the server.
   */
  async measureSync(files: number): Promise<number> {
    const times = 20;
    const client = new BenchClient(this.pullAddresses[0] ?? "");
    try {
      const ms: number[] = [];
      for (let time = 0; time < times; time++) {
        const began = performance.now();
        await client.ask(`SYNC ${files}`);
        ms.push(performance.now() - began);
      }
      return quantile(ms, 0.5);
    } finally {
      client.close();
      await this.remove("sync-");
    }
  }

  /** Deletes what was pushed under names that begin so. */
  async remove(prefix: string): Promise<void> {
    for (const { directory } of this.#servers) {
      const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
      const ours = names.filter((name) => name.startsWith(prefix));
      await Promise.all(ours.map((name) => Deno.remove(`${directory}/${name}`)));
    }
  }

  /** Ends both. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map(({ process }) => process[Symbol.asyncDispose]()));
  }
}

interface FloorServer {
  readonly process: LineProcess;
  readonly directory: string;
  /** Known once it listens. */
  address: string;
}
