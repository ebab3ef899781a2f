import type { NodeAddress } from "../protocol/address.ts";

/** How a node is run. A respawned node gets the options that the dead one had. */
export interface NodeOptions {
  /** Where the node listens and what the ring calls it. */
  readonly address: NodeAddress;
  /** Parent of the directory `<port>/` in which the node keeps everything. */
  readonly dataDir: string;
  /** Milliseconds between two looks at the successor; 0: never looks, nobody is respawned. */
  readonly gossipIntervalMs: number;
  /** The largest file taken, in bytes; 0: no limit. */
  readonly fileBytesMax: number;
  /** `fsync`: an OK survives a power cut. `relaxed`: an OK survives the death of processes only. */
  readonly durability: Durability;
  /** Copies of each part, the holder's included; gives way in a smaller ring. */
  readonly copies: number;
  /** How the bytes of a push get to the nodes that keep them; see {@linkcode PlacementRoute}. */
  readonly placement: PlacementRoute;
  /**
   * Bytes that a part of a file has at least, which keeps small files on fewer nodes: fewer messages and
   * files, but the load of a popular one is on fewer nodes too. 0: as many parts as nodes.
   */
  readonly partBytesMin: number;
  /** How fast chunks are read in the background to be verified, in MiB a second; 0: never. */
  readonly scrubRateMiB: number;
  /**
   * How much memory small files take that were read lately, in bytes; 0: none. More answers more reads
   * without a disk or another node.
   */
  readonly cacheBytes: number;
  /** The least important messages that are logged. */
  readonly logLevel: LogLevel;
  /** JSON lines instead of text. */
  readonly logJson: boolean;
  /** Log to this file, rotated, instead of to stderr. */
  readonly logFile?: string;
  /**
   * The node belongs to a ring whose view somebody is about to send: it serves no client before it
   * has heard of the other members and has caught up with them.
   */
  readonly awaitsRing?: boolean;
  /** Does what a test asks for in the node's directory: see `TestHooks`. */
  readonly testHooks?: boolean;
}

/**
 * `relay`: round the ring, as in the original; a byte travels up to N/2 times. `direct`: from the
 * coordinator to each holder and from there to the backup holders; every node of the placement must be
 * of this program. `auto`: direct where that is known, else relay. The files are the same.
 */
export type PlacementRoute = "auto" | "direct" | "relay";

/** Whether an acknowledged write waits for the disk. */
export type Durability = "fsync" | "relaxed";

/** Names of the log levels, most talkative first. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** The options of a node that gets none. */
export const defaultNodeOptions: Omit<NodeOptions, "address"> = {
  dataDir: "nodes",
  gossipIntervalMs: 5_000,
  fileBytesMax: 1_000_000_000,
  durability: "fsync",
  copies: 2,
  placement: "auto",
  partBytesMin: 0,
  scrubRateMiB: 8,
  cacheBytes: 32 * 1024 * 1024,
  logLevel: "info",
  logJson: false,
};

/** The command line that runs a node with these options; the exact inverse of `run`'s parser. */
export function nodeArgs(options: NodeOptions): string[] {
  const args = [
    "run",
    `--addr=${options.address}`,
    `--data-dir=${options.dataDir}`,
    `--wait-time=${options.gossipIntervalMs}`,
    `--file-size=${options.fileBytesMax}`,
    `--durability=${options.durability}`,
    `--copies=${options.copies}`,
    `--placement=${options.placement}`,
    `--min-part-bytes=${options.partBytesMin}`,
    `--scrub-rate=${options.scrubRateMiB}`,
    `--cache-bytes=${options.cacheBytes}`,
    `--log-level=${options.logLevel}`,
  ];
  if (options.logJson) args.push("--log-json");
  if (options.awaitsRing === true) args.push("--awaits-ring");
  if (options.testHooks === true) args.push("--test-hooks");
  if (options.logFile !== undefined) args.push(`--log-file=${options.logFile}`);
  return args;
}
