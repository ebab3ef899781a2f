import { TcpTransport } from "../../src/net/tcp_transport.ts";
import { formatAddress } from "../../src/protocol/address.ts";
import { type LineCall, LineNode } from "./line_node.ts";
import { OriginalFiles } from "./original_files.ts";
import { OriginalPeer } from "./original_peer.ts";
import { OriginalRing } from "./original_ring.ts";

/** How an {@linkcode OriginalNode} is run. */
export interface OriginalNodeOptions {
  readonly port: number;
  /** It keeps chunks in `<port>/content` and `<port>/backup` of this directory. */
  readonly dataDir: string;
  /** Milliseconds between two looks at the next node. Default: 0, never. */
  readonly gossipMs?: number;
}

/**
 * A stand-in of a node of the original program. It knows what PROTOCOL.md says of that program and
 * nothing else; where that leaves open what it does, it does what is hardest on the others.
 *
 * 1. Our verbs are unknown to it, and the body of a command that it does not know is more commands.
 * 2. It answers `FILE RELAY-STREAM` when the bytes have passed, durable or not, and
 *    `FILE NOTIFY-CHUNK-SAVED` before it copies.
 * 3. It writes straight into `content/`, never saves an empty backup, and sends a chunk that it does not
 *    have as an empty one.
 * 4. `FILE TAGS-SET` replaces its whole map.
 * 5. It asks the i-th node after a file's start for part i, itself included. An error for a chunk is a dead
 *    node to it, so it asks the node before for the backup; what that has not either is left out of the file.
 * 6. What it knows of the ring and of files is gone when it stops; the chunks stay.
 */
export class OriginalNode implements AsyncDisposable {
  readonly port: number;
  readonly #options: OriginalNodeOptions;
  readonly #tasks = new Set<Promise<void>>();
  /** Lines that came in earlier lives. */
  readonly #earlier: string[] = [];
  #ring: OriginalRing;
  #files: OriginalFiles;
  #listening: LineNode | undefined;
  #gossip: ReturnType<typeof setInterval> | undefined;

  constructor(options: OriginalNodeOptions) {
    this.port = options.port;
    this.#options = options;
    [this.#ring, this.#files] = this.#begin();
  }

  /** All lines that came, oldest first; bodies are none. */
  get lines(): readonly string[] {
    return [...this.#earlier, ...this.#listening?.lines ?? []];
  }

  /** Ports of nodes that did not give it a chunk when it asked. */
  get takenForDead(): readonly number[] {
    return this.#files.takenForDead;
  }

  /** Starts it anew, knowing nothing, on the same port and directory. */
  async restart(): Promise<void> {
    await this.stop();
    [this.#ring, this.#files] = this.#begin();
  }

  /** Ends it as a kill does; what it was doing is cut off. */
  async stop(): Promise<void> {
    clearInterval(this.#gossip);
    this.#earlier.push(...this.#listening?.lines ?? []);
    await this.#listening?.[Symbol.asyncDispose]();
    this.#listening = undefined;
    this.#ring.stop();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #begin(): [OriginalRing, OriginalFiles] {
    const { port, dataDir, gossipMs = 0 } = this.#options;
    const peer = new OriginalPeer();
    const later = (task: () => Promise<void>) => this.#later(task);
    const ring = new OriginalRing({ port, peer, later });
    const files = new OriginalFiles({ port, directory: `${dataDir}/${port}`, ring, peer, later });
    const address = formatAddress("127.0.0.1", port);
    this.#listening = new LineNode(
      new TcpTransport(),
      address,
      (line, call) => this.#answer(line, call),
    );
    if (gossipMs > 0) {
      this.#gossip = setInterval(() => this.#later(() => ring.look()), gossipMs);
    }
    return [ring, files];
  }

  /** Does something that nobody waits for; the end of the node does. */
  #later(task: () => Promise<void>): void {
    const running: Promise<void> = task().catch(() => {
      // It has no log; what did not work is seen in what it answers later.
    }).finally(() => this.#tasks.delete(running));
    this.#tasks.add(running);
  }

  async #answer(line: string, call: LineCall): Promise<string | undefined | "close"> {
    const [noun = "", verb = "", ...parameters] = line.split(" ");
    switch (noun) {
      case "NODE":
        return await this.#ring.node(verb, parameters);
      case "NETMAP":
        return this.#ring.netmap(verb, parameters);
      case "TOPOLOGY":
        return await this.#ring.topology(verb, parameters);
      case "FILE":
        return await this.#files.file(verb, parameters, call);
      case "RING":
        return verb === "FORWARD" ? "OK\n" : "ERR unknown RING command\n";
      default:
        return `ERR unknown command namespace: '${noun}'\n`;
    }
  }
}
