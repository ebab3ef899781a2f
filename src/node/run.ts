import { splitAddress } from "../protocol/address.ts";
import { nextVersion } from "../protocol/ulid.ts";
import { PeerPool } from "../net/peer_pool.ts";
import { TcpTransport } from "../net/tcp_transport.ts";
import type { Listener } from "../net/transport.ts";
import { Watchdog } from "../net/watchdog.ts";
import { SystemClock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import { randomBytes, randomId } from "../runtime/random.ts";
import type { Catalog } from "../store/catalog.ts";
import { ChunkStore } from "../store/chunk_store.ts";
import type { LostChunk } from "../store/core.ts";
import { Admission } from "./admission.ts";
import { AntiEntropy } from "./anti_entropy.ts";
import { BackgroundTasks } from "./background_tasks.ts";
import { catchUp, type CatchUpPeer } from "./catch_up.ts";
import { Census } from "./census.ts";
import { CommitSender } from "./commit_sender.ts";
import type { NodeContext } from "./context.ts";
import { NodeCounters } from "./counters.ts";
import { DirectoryLock } from "./directory_lock.ts";
import { RingDriver } from "./driver.ts";
import { EventFeed } from "./event_feed.ts";
import type { NodeOptions } from "./options.ts";
import { Originals } from "./originals.ts";
import { PeerClocks } from "./peer_clocks.ts";
import { portHeldExitCode, ProcessRespawner } from "./respawn.ts";
import { RepairQueue } from "./repair.ts";
import { RingObserver } from "./ring_observer.ts";
import { Scrub } from "./scrub.ts";
import { Server } from "./server.ts";
import { SmallFiles } from "./small_files.ts";
import { readHooks, TestHooks, type TestHookValues } from "./test_hooks.ts";
import { TransferBuffers } from "./transfer_buffers.ts";
import { Upkeep } from "./upkeep.ts";

/** What a node is run with besides its options. */
export interface RunNodeOptions {
  /** Stops the node. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * Runs a node until it is told to stop: takes the lock of its directory, then listens, then opens
 * its catalog, so that two healers can never make two nodes of one port.
 *
 * @returns the exit code: 0 after a clean stop, {@linkcode portHeldExitCode} when another process is
 * this node already
 * @throws {StoreError} when the data directory cannot be used.
 */
export async function runNode(options: NodeOptions, run: RunNodeOptions): Promise<number> {
  const { hostname, port } = splitAddress(options.address);
  const directory = `${options.dataDir}/${port}`;
  using lock = await DirectoryLock.take(directory);
  if (lock === undefined) {
    run.log.info("another process holds the directory", { directory });
    return portHeldExitCode;
  }
  const transport = new TcpTransport();
  const listener = listen(transport, hostname, port);
  if (listener === undefined) {
    run.log.info("another process holds the port", { address: options.address });
    return portHeldExitCode;
  }
  using _listening = listener;
  const hooks = options.testHooks === true ? await readHooks(directory) : undefined;
  const clock = new SystemClock(hooks?.clockSkewMs);
  await using node = await Node.open({
    options,
    run,
    transport,
    listener,
    lock,
    directory,
    clock,
    hooks,
  });
  await node.serve();
  return 0;
}

function listen(transport: TcpTransport, hostname: string, port: number): Listener | undefined {
  try {
    return transport.listen(hostname, port);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    throw error;
  }
}

/** What {@linkcode Node.open} is given. */
interface NodeParts {
  readonly options: NodeOptions;
  readonly run: RunNodeOptions;
  readonly transport: TcpTransport;
  readonly listener: Listener;
  readonly lock: DirectoryLock;
  readonly directory: string;
  readonly clock: SystemClock;
  readonly hooks: TestHookValues | undefined;
}

/** What the ring of a node is made from. */
interface RingParts {
  readonly parts: NodeParts;
  readonly catalog: Catalog;
  readonly peers: PeerPool;
  readonly observer: RingObserver;
}

/** What counts and tells what a node does, and what becomes of the others. */
function observe({ clock, options, run: { log }, transport }: NodeParts) {
  const run = randomId();
  const counters = new NodeCounters();
  const events = new EventFeed({ by: options.address, run, clock });
  const respawner = new ProcessRespawner({ transport, clock, log });
  const observer = new RingObserver({ clock, counters, events, respawner });
  return { run, counters, events, observer };
}

/** A running node: everything it owns, started and stopped in the right order. */
class Node implements AsyncDisposable {
  readonly #context: NodeContext;
  readonly #server: Server;
  readonly #antiEntropy: AntiEntropy;
  readonly #upkeep: Upkeep;
  readonly #tasks: BackgroundTasks;
  readonly #stopped: AbortSignal;
  #catchUps = 0;

  private constructor(parts: NodeParts, chunks: ChunkStore) {
    const { clock, options, run, transport } = parts;
    const watchdog = new Watchdog(clock);
    const { hostname } = splitAddress(options.address);
    const stop = new AbortController();
    const peers = new PeerPool({
      transport,
      watchdog,
      clock,
      hostname,
      onInfo: (address, info) => this.#context.peerClocks.heard(address, info),
    });
    this.#stopped = AbortSignal.any([run.signal, stop.signal]);
    this.#tasks = new BackgroundTasks(run.log);
    const { catalog } = chunks;
    const { observer, ...observation } = observe(parts);
    const ring = this.#openRing({ parts, catalog, peers, observer });
    // The parts of a node know each other through the context, which they are also parts of.
    const context: { -readonly [K in keyof NodeContext]?: NodeContext[K] } = {
      options,
      self: options.address,
      hostname,
      incarnation: catalog.incarnation,
      startedMs: clock.nowMs(),
      clock,
      log: run.log,
      lock: parts.lock,
      watchdog,
      peers,
      peerClocks: new PeerClocks({ clock, log: run.log, peers, ring, self: options.address }),
      buffers: new TransferBuffers(clock),
      chunks,
      catalog,
      ring,
      ...observation,
      census: new Census(clock, chunks),
      pushes: new Set(),
      testHooks: parts.hooks && new TestHooks(parts.hooks, {
        directory: parts.directory,
        clock,
        log: run.log,
        stopped: this.#stopped,
      }),
      catchUps: () => this.#catchUps,
      newPushId: () => nextVersion(clock.wallMs(), randomBytes(10), undefined),
      connections: () => this.#server.connections,
      background: (what, task) => this.#tasks.run(what, task),
      stop: (reason) => stop.abort(new Error(reason)),
    };
    this.#context = context as NodeContext;
    context.admission = new Admission(this.#context);
    context.commits = new CommitSender(this.#context);
    context.repair = new RepairQueue(this.#context);
    context.originals = new Originals(this.#context);
    context.scrub = new Scrub(this.#context);
    context.smallFiles = new SmallFiles(this.#context);
    this.#server = new Server(this.#context, parts.listener);
    this.#antiEntropy = new AntiEntropy(this.#context);
    this.#upkeep = new Upkeep(this.#context);
  }

  #openRing({ parts, catalog, peers, observer }: RingParts): RingDriver {
    const { clock, options, run } = parts;
    return new RingDriver({
      options,
      incarnation: catalog.incarnation,
      peers,
      clock,
      log: run.log,
      respawner: observer,
      random: randomId,
      loadView: () => catalog.loadView(),
      saveView: (view) => catalog.saveView(view),
      catalogDigest: () => catalog.digest.root(),
      catchUp: (members, signal) => this.#catchUp(members, signal),
      onPeerDigest: (peer, digest) => this.#antiEntropy.heard(peer, digest),
      onStatus: (change) => {
        if (change.member.status === "Dead") this.#context.peerClocks.forget(change.member.address);
        observer.changed(change);
      },
      tagsFor: (member) => this.#context.originals.sendTags(member),
    });
  }

  #catchUp(members: readonly CatchUpPeer[], signal: AbortSignal): Promise<void> {
    this.#catchUps++;
    return catchUp(this.#context, members, signal);
  }

  static async open(parts: NodeParts): Promise<Node> {
    const { clock, options, run, directory } = parts;
    const damaged: LostChunk[] = [];
    const opened: { node?: Node } = {};
    const chunks = await ChunkStore.open({
      directory,
      self: options.address,
      durability: options.durability,
      clock,
      log: run.log,
      onDamaged: (chunk) => {
        if (opened.node === undefined) damaged.push(chunk);
        else opened.node.#damaged(chunk);
      },
      onLost: () => opened.node?.catalogLost(),
    });
    const node = new Node(parts, chunks);
    opened.node = node;
    for (const chunk of damaged) node.#damaged(chunk);
    return node;
  }

  /** A chunk of this node was found damaged or gone. */
  #damaged({ name, part, reason }: LostChunk): void {
    const { counters, events, repair, self } = this.#context;
    counters.repair.damaged++;
    events.tell({ kind: "chunk-damaged", node: self, name, part: part + 1, reason });
    repair.enqueue(name);
  }

  /** The catalog is an empty one from now on. */
  catalogLost(): void {
    this.#context.ring.rejoin("its catalog was lost");
  }

  /** Serves until the node is told to stop. */
  async serve(): Promise<void> {
    const { log, self, incarnation, ring } = this.#context;
    this.#server.start();
    ring.start();
    this.#upkeep.start();
    this.#context.scrub.start();
    log.info("node is up", { address: self, incarnation, pid: Deno.pid });
    await new Promise<void>((resolve) => {
      if (this.#stopped.aborted) return resolve();
      this.#stopped.addEventListener("abort", () => resolve(), { once: true });
    });
    log.info("node stops", { address: self, reason: String(this.#stopped.reason) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { chunks, events, peers, repair, ring, scrub, watchdog } = this.#context;
    await ring.stop();
    events.close();
    await this.#server.stop();
    await Promise.all([
      repair.stop(),
      scrub.stop(),
      this.#antiEntropy.stop(),
      this.#upkeep.stop(),
    ]);
    peers.close();
    await this.#tasks.settled();
    await chunks.close();
    watchdog.close();
  }
}
