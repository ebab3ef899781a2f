import { type NodeAddress, splitAddress } from "../protocol/address.ts";
import type { LogLevel } from "../node/options.ts";

/** How a gateway is run. */
export interface GatewayOptions {
  /** Where it listens. */
  readonly address: NodeAddress;
  /** The nodes it knows from the start; the netmap tells it of others. At least one. */
  readonly nodes: readonly NodeAddress[];
  /** Milliseconds between two looks at the netmap. Shorter: a node is found back sooner. */
  readonly pollMs: number;
  /** Which node a new connection or request goes to. */
  readonly balance: Balance;
  /** Where uploads of unknown length wait; by default in a temporary directory. */
  readonly spoolDir?: string;
  /** What its HTTP lets others do. */
  readonly http: GatewayHttpOptions;
  /** The supervisor that started it, which `GATEWAY INFO` tells `ouroboros stop`. */
  readonly supervisor?: NodeAddress;
  readonly logLevel: LogLevel;
  /** JSON lines instead of text. */
  readonly logJson: boolean;
  /** Log to this file, rotated, instead of to stderr. */
  readonly logFile?: string;
}

/** How a gateway spreads what it serves over the nodes; see `Balancer`. */
export type Balance = "first" | "round-robin" | "least-connections";

/** The ways to spread, the default first, which is the original's. */
export const balances: readonly [Balance, ...Balance[]] = [
  "first",
  "round-robin",
  "least-connections",
];

/** What the gateway's HTTP lets others do; nothing beyond this machine's own programs by default. */
export interface GatewayHttpOptions {
  /** Web origins whose pages may use the API, such as `https://example.org`. */
  readonly corsOrigins: readonly string[];
  /** Host names that the gateway goes by, besides those of the loopback; in lower case. */
  readonly allowedHosts: readonly string[];
  /** Whether `POST /nodes/<port>/kill` ends nodes. */
  readonly allowKill: boolean;
}

/** The HTTP options of a gateway that is told none. */
export const defaultHttpOptions: GatewayHttpOptions = {
  corsOrigins: [],
  allowedHosts: [],
  allowKill: false,
};

/** The `--poll` of a gateway that is told none, as in the original. */
export const defaultPollMs = 5_000;

/** The flags that say what a gateway's HTTP lets others do. */
export function httpArgs({ corsOrigins, allowedHosts, allowKill }: GatewayHttpOptions): string[] {
  const args: string[] = [];
  if (corsOrigins.length > 0) args.push(`--cors=${corsOrigins.join(",")}`);
  if (allowedHosts.length > 0) args.push(`--allow-host=${allowedHosts.join(",")}`);
  if (allowKill) args.push("--allow-kill");
  return args;
}

/** The command line that runs a gateway with these options; the inverse of its parser. */
export function gatewayArgs(options: GatewayOptions): string[] {
  const { hostname, port } = splitAddress(options.address);
  const args = [
    "gateway",
    `--host=${hostname}`,
    `--port=${port}`,
    `--nodes=${options.nodes.join(",")}`,
    `--poll=${options.pollMs}`,
    `--balance=${options.balance}`,
    ...httpArgs(options.http),
    `--log-level=${options.logLevel}`,
  ];
  if (options.spoolDir !== undefined) args.push(`--spool-dir=${options.spoolDir}`);
  if (options.supervisor !== undefined) args.push(`--supervisor=${options.supervisor}`);
  if (options.logJson) args.push("--log-json");
  if (options.logFile !== undefined) args.push(`--log-file=${options.logFile}`);
  return args;
}
