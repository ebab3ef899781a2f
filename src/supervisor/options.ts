import { type Balance, type GatewayHttpOptions, httpArgs } from "../gateway/options.ts";
import type { NodeOptions } from "../node/options.ts";

/** What `set-network` is asked for: a ring of nodes on one host. */
export interface NetworkOptions {
  /** Where every node and the gateway listens. */
  readonly host: string;
  /** The port of the first node; the others follow without a gap. */
  readonly basePort: number;
  /** How many nodes: 1 to what the ports allow. */
  readonly nodeCount: number;
  /** The gateway's port; without it there is no gateway. */
  readonly gatewayPort?: number;
  /** Milliseconds between two looks of the gateway at the ring's netmap. */
  readonly gatewayPollMs: number;
  /** Which node a connection to the gateway goes to. */
  readonly gatewayBalance: Balance;
  /** What the gateway's HTTP lets others do. */
  readonly gatewayHttp: GatewayHttpOptions;
  /** Delete what the ring's own nodes have stored, and start empty. */
  readonly overwrite: boolean;
  /** What every node of the ring is run with. `dataDir` is absolute. */
  readonly node: RingNodeOptions;
}

/** The options that all nodes of a ring share; their log file follows from their port. */
export type RingNodeOptions = Omit<NodeOptions, "address" | "logFile" | "awaitsRing">;

/** The command line that starts this network; the inverse of `set-network`'s parser. */
export function networkArgs(options: NetworkOptions): string[] {
  const { node } = options;
  const args = [
    "set-network",
    `--host=${options.host}`,
    `--base-port=${options.basePort}`,
    `--nodes=${options.nodeCount}`,
    `--dns-poll=${options.gatewayPollMs}`,
    `--balance=${options.gatewayBalance}`,
    ...httpArgs(options.gatewayHttp),
    `--data-dir=${node.dataDir}`,
    `--wait-time=${node.gossipIntervalMs}`,
    `--file-size=${node.fileBytesMax}`,
    `--durability=${node.durability}`,
    `--copies=${node.copies}`,
    `--placement=${node.placement}`,
    `--min-part-bytes=${node.partBytesMin}`,
    `--scrub-rate=${node.scrubRateMiB}`,
    `--cache-bytes=${node.cacheBytes}`,
    `--log-level=${node.logLevel}`,
  ];
  if (options.gatewayPort !== undefined) args.push(`--dns-port=${options.gatewayPort}`);
  if (options.overwrite) args.push("--overwrite-nodes-dir");
  if (node.logJson) args.push("--log-json");
  if (node.testHooks === true) args.push("--test-hooks");
  return args;
}
