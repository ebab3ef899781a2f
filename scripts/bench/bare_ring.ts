import { LineProcess } from "./line_process.ts";

/** Nodes of the bare ring. */
const nodeCount = 5;

/** How a {@linkcode BareRing} is started. */
export interface BareRingOptions {
  /** For all that is written. */
  readonly directory: string;
  /** Files stay in one part, on two nodes; else they are split over all of them. */
  readonly isWhole: boolean;
  readonly signal: AbortSignal;
}

/** Five processes that do for a small file what a ring of five does, and nothing else; see `bare_node.ts`. */
export class BareRing implements AsyncDisposable {
  readonly #nodes: readonly LineProcess[];
  /** `host:port` of the one that takes files. */
  readonly address: string;

  private constructor(nodes: readonly LineProcess[], address: string) {
    this.#nodes = nodes;
    this.address = address;
  }

  /** Starts them. */
  static async start({ directory, isWhole, signal }: BareRingOptions): Promise<BareRing> {
    await using started = new AsyncDisposableStack();
    const nodes: LineProcess[] = [];
    const ports: string[] = [];
    for (let node = 0; node < nodeCount; node++) {
      const nodeDirectory = `${directory}/${node}`;
      await Deno.mkdir(nodeDirectory, { recursive: true });
      const copies = isWhole ? (node < 2 ? 1 : 0) : 2;
      const args = [nodeDirectory, `${copies}`];
      const process = started.use(new LineProcess({ script: "./bare_node.ts", args }));
      nodes.push(process);
      ports.push(await process.hear(signal));
    }
    const [first] = nodes;
    const holders = isWhole ? 1 : nodeCount - 1;
    await first?.say([holders, ...ports.slice(1)].join(" "));
    await first?.hear(signal);
    started.move();
    return new BareRing(nodes, `127.0.0.1:${ports[0]}`);
  }

  /** The process ids. */
  get pids(): number[] {
    return this.#nodes.map(({ pid }) => pid);
  }

  /** Ends them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node[Symbol.asyncDispose]()));
  }
}
