import type { NodeAddress } from "../protocol/address.ts";
import type { PeerPool } from "../net/peer_pool.ts";
import type { Watchdog } from "../net/watchdog.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { Catalog } from "../store/catalog.ts";
import type { ChunkStore } from "../store/chunk_store.ts";
import type { Admission } from "./admission.ts";
import type { Census } from "./census.ts";
import type { NodeCounters } from "./counters.ts";
import type { CommitSender } from "./commit_sender.ts";
import type { DirectoryLock } from "./directory_lock.ts";
import type { RingDriver } from "./driver.ts";
import type { EventFeed } from "./event_feed.ts";
import type { NodeOptions } from "./options.ts";
import type { Originals } from "./originals.ts";
import type { PeerClocks } from "./peer_clocks.ts";
import type { RepairQueue } from "./repair.ts";
import type { Scrub } from "./scrub.ts";
import type { SmallFiles } from "./small_files.ts";
import type { TestHooks } from "./test_hooks.ts";
import type { TransferBuffers } from "./transfer_buffers.ts";

/** What the parts of a running node share. `runNode` builds it and owns everything in it. */
export interface NodeContext {
  readonly options: NodeOptions;
  /** This node. */
  readonly self: NodeAddress;
  /** The host of `self`, which the wire's lists leave out. */
  readonly hostname: string;
  /** Names this data directory; a directory that was made anew has another one. */
  readonly incarnation: string;
  /** Names this process. */
  readonly run: string;
  /** When the node started, by the clock's monotonic time in ms. */
  readonly startedMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lock: DirectoryLock;
  readonly watchdog: Watchdog;
  readonly peers: PeerPool;
  readonly peerClocks: PeerClocks;
  readonly buffers: TransferBuffers;
  readonly chunks: ChunkStore;
  readonly catalog: Catalog;
  readonly ring: RingDriver;
  readonly smallFiles: SmallFiles;
  readonly repair: RepairQueue;
  readonly originals: Originals;
  readonly scrub: Scrub;
  readonly counters: NodeCounters;
  readonly events: EventFeed;
  readonly census: Census;
  readonly admission: Admission;
  readonly commits: CommitSender;
  /** What a test holds this node by; a node that is not tested has none. */
  readonly testHooks: TestHooks | undefined;
  /** Push ids that this node coordinates right now. */
  readonly pushes: Set<string>;
  /** How often this node has begun to catch up with the others. */
  catchUps(): number;
  /** A new push id. */
  newPushId(): string;
  /** Connections being served. */
  connections(): number;
  /** Runs a task that nobody waits for; its failure is logged, and stopping the node awaits it. */
  background(what: string, task: () => Promise<unknown>): void;
  /** Stops the node. */
  stop(reason: string): void;
}
