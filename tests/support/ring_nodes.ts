import { PeerPool } from "../../src/net/peer_pool.ts";
import type { Transport } from "../../src/net/transport.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { writeAll } from "../../src/net/write_all.ts";
import { RingDriver, type RingDriverDependencies } from "../../src/node/driver.ts";
import { defaultNodeOptions } from "../../src/node/options.ts";
import type { RespawnOutcome } from "../../src/node/respawn.ts";
import { sharedOptions } from "../../src/node/shared_options.ts";
import type { NodeAddress } from "../../src/protocol/address.ts";
import { parseCommand } from "../../src/protocol/parse.ts";
import type { RingCommand } from "../../src/ring/machine.ts";
import { initialView } from "../../src/ring/view_codec.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { type LineCall, LineNode } from "./line_node.ts";

/** What nodes of one ring are made of; a test may put its own parts in. */
export interface RingNodesOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly addresses: readonly NodeAddress[];
  /** Default: 1,000 ms. */
  readonly gossipIntervalMs?: number;
  readonly parts?: Partial<RingDriverDependencies>;
}

/** Nodes that are nothing but ring drivers, in one process, on any transport and clock. */
export class RingNodes implements AsyncDisposable {
  /** The addresses of the nodes that somebody asked to respawn, oldest first. */
  readonly respawned: NodeAddress[] = [];
  /** What a respawn comes to; `started` also starts the node. */
  outcome: RespawnOutcome = { kind: "started" };
  readonly #options: RingNodesOptions;
  readonly #nodes = new Map<NodeAddress, RingNode>();
  /** What each node saved last; survives its end. */
  readonly saved = new Map<NodeAddress, string>();

  constructor(options: RingNodesOptions) {
    this.#options = options;
    for (const address of options.addresses) this.start(address);
  }

  /** The driver of a node that runs. */
  driver(address: NodeAddress): RingDriver {
    const node = this.#nodes.get(address);
    if (node === undefined) throw new Error(`${address} does not run`);
    return node.driver;
  }

  /** Starts a node with what it had saved. */
  start(address: NodeAddress): void {
    const { transport, clock, gossipIntervalMs = 1_000, parts } = this.#options;
    const watchdog = new Watchdog(clock);
    const peers = new PeerPool({ transport, watchdog, clock });
    let tokens = 0;
    const driver = new RingDriver({
      options: { ...defaultNodeOptions, address, gossipIntervalMs },
      incarnation: "abc",
      peers,
      clock,
      log: silentLogger,
      respawner: { respawn: (dead) => this.#respawn(dead) },
      random: () => `token-${++tokens}-of-${address}`,
      loadView: () => this.saved.get(address),
      saveView: (json) => {
        this.saved.set(address, json);
        return Promise.resolve();
      },
      catalogDigest: () => "c0",
      catchUp: () => Promise.resolve(),
      onPeerDigest: () => {},
      onStatus: () => {},
      tagsFor: () => Promise.resolve(),
      ...parts,
    });
    const listening = new LineNode(transport, address, (line, call) => serve(driver, line, call));
    this.#nodes.set(address, { driver, listening, peers, watchdog });
    driver.start();
  }

  /** Tells every node of all, as the supervisor does. */
  async wire(): Promise<void> {
    const { addresses, gossipIntervalMs = 1_000 } = this.#options;
    const options = sharedOptions({ ...defaultNodeOptions, gossipIntervalMs });
    const body = new TextEncoder().encode(initialView({ order: addresses, options }));
    for (const { driver } of this.#nodes.values()) {
      await driver.serveView(bodyOf(body), { write: () => Promise.resolve() });
    }
  }

  /** Ends a node; it listens no more and does nothing more. */
  async kill(address: NodeAddress): Promise<void> {
    const node = this.#nodes.get(address);
    if (node === undefined) return;
    this.#nodes.delete(address);
    await node.listening[Symbol.asyncDispose]();
    node.peers.close();
    await node.driver.stop();
    node.watchdog.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const address of [...this.#nodes.keys()]) await this.kill(address);
  }

  #respawn(address: NodeAddress): Promise<RespawnOutcome> {
    this.respawned.push(address);
    if (this.outcome.kind === "started") this.start(address);
    return Promise.resolve(this.outcome);
  }
}

/** A body that is in memory. */
export function bodyOf(
  bytes: Uint8Array,
): { readonly remaining: number; read(buffer: Uint8Array): Promise<number> } {
  let read = 0;
  return {
    get remaining(): number {
      return bytes.length - read;
    },
    read(buffer: Uint8Array): Promise<number> {
      const part = bytes.subarray(read, read + buffer.length);
      buffer.set(part);
      read += part.length;
      return Promise.resolve(part.length);
    },
  };
}

interface RingNode {
  readonly driver: RingDriver;
  readonly listening: LineNode;
  readonly peers: PeerPool;
  readonly watchdog: Watchdog;
}

async function serve(
  driver: RingDriver,
  line: string,
  { conn, reader }: LineCall,
): Promise<string | undefined> {
  const parsed = parseCommand(line);
  if (!parsed.ok) return `ERR ${parsed.error}\n`;
  const { command } = parsed;
  if (command.kind === "node-ping") return "PONG\n";
  if (command.kind !== "ring-view") return await driver.handle(command as RingCommand);
  const body = new Uint8Array(command.bodyBytes);
  await reader.readFull(body);
  await driver.serveView(bodyOf(body), { write: (bytes) => writeAll(conn, bytes) });
  return undefined;
}
