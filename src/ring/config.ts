import type { NodeAddress } from "../protocol/address.ts";

/** What a ring machine is told about its node. */
export interface RingConfig {
  readonly self: NodeAddress;
  readonly incarnation: string;
  /** Milliseconds between two looks at the successor; 0: only `NODE HEAL` looks and respawns. */
  readonly gossipIntervalMs: number;
  /** The options that another node needs to start this one again, in JSON. */
  readonly options: string;
  /** The digest of the catalog as it is now. Only reads. */
  readonly catalogDigest: () => string;
  readonly timing?: Partial<RingTiming>;
}

/** The machine's own times, in ms, and what each trades. */
export interface RingTiming {
  /** How long a node may be silent before it is asked a second time: longer forgives a busy machine. */
  readonly answerMs: number;
  /**
   * Steps further apart than this mean that the process was stopped. Below two `answerMs`, so that a
   * node that was called Dead for its silence knows before it serves; above what a busy one needs.
   */
  readonly leaseMs: number;
  /** The longest the machine goes without a step while all is quiet. Well below `leaseMs`. */
  readonly heartbeatMs: number;
  /**
   * After its start a node gives members that it has not met this long before it calls them Dead: a
   * whole ring starts at once, and the first must not respawn the last.
   */
  readonly coldStartGraceMs: number;
  /**
   * A node that finds no member ready waits this long for those that do not answer before it serves
   * without them. They are being respawned meanwhile, and may hold what it has missed; longer than
   * `coldStartGraceMs`, or they would not be.
   */
  readonly aloneGraceMs: number;
  /** The pause before a member that could not be told is told again. */
  readonly retryMs: number;
  /** The first pause after a respawn that failed; doubles up to `respawnBackoffMaxMs`. */
  readonly respawnBackoffMs: number;
  readonly respawnBackoffMaxMs: number;
  /**
   * The pause before a member is looked at again that is Dead but whose process is still there, or
   * that is silent; doubles twice, as a ring that is cut in two has many of them.
   */
  readonly stillThereMs: number;
  /** The pause after which a node that answered, though it is marked Dead, is told so again. */
  readonly toldMs: number;
  /** How long a topology walk may take, as the protocol says. */
  readonly walkMs: number;
  /** How long `NODE HEAL` may take, as the protocol says. */
  readonly healWalkMs: number;
  /** How long `markDead` waits for the node to hear of it. */
  readonly tellDeadMs: number;
}

/** The times of a node in use. */
export const defaultTiming: RingTiming = {
  answerMs: 2_000,
  leaseMs: 3_000,
  heartbeatMs: 1_000,
  coldStartGraceMs: 6_000,
  aloneGraceMs: 12_000,
  retryMs: 250,
  respawnBackoffMs: 250,
  respawnBackoffMaxMs: 15_000,
  stillThereMs: 2_000,
  toldMs: 500,
  walkMs: 30_000,
  healWalkMs: 60_000,
  tellDeadMs: 1_000,
};

/** Requests that a machine has under way at once; more are answered `local`. */
export const requestsMax = 4_096;

/** Members that one node tells of its return at once. */
export const announcementsMax = 32;

/**
 * Members that one node tells of a change itself; in a larger ring those pass it on. Larger is
 * quicker and keeps relays out of the way, smaller is less work for one node.
 */
export const spreadFanout = 32;

/** Members that one node asks in one look round its successors, those found Dead not counted. */
export const watchedMax = 16;

/** Dead members that one node works on at once. */
export const healedMax = 16;

/** Processes that one node starts at once: all at once would be slower on a small machine. */
export const respawnsMax = 4;

/** Up to this many members two views that differ are compared whole. */
export const wholeViewMax = 64;

/** Entries of one plain netmap that are looked into. */
export const hintsMax = 64;

/** Walks whose tokens a node remembers, so that a repeated hop is not walked twice. */
export const tokensMax = 1_024;

/** Walks that clients may have begun at one node and that are not over. */
export const walksMax = 64;
