import type { Balance, GatewayHttpOptions } from "../gateway/options.ts";
import type { NodeOptions } from "../node/options.ts";
import { formatAddress, type NodeAddress } from "../protocol/address.ts";
import type { NetworkOptions } from "./options.ts";

/** What a network consists of, decided before anything is started. */
export interface NetworkPlan {
  /** In ring order: each one watches the next, the last one the first. At least one. */
  readonly nodes: readonly NodeOptions[];
  readonly gateway: GatewayPlan | undefined;
  /** Where the supervisor keeps what concerns the ring as a whole. */
  readonly ringDirectory: string;
  /** What makes it this ring and no other; see {@linkcode RingShape}. */
  readonly shape: RingShape;
}

/** The gateway of a plan. */
export interface GatewayPlan {
  readonly address: NodeAddress;
  readonly pollMs: number;
  readonly balance: Balance;
  readonly http: GatewayHttpOptions;
  /** Where uploads of unknown length wait. */
  readonly spoolDir: string;
  readonly logFile: string;
}

/** The members of a ring as its directory remembers them: they are durable, like the files. */
export interface RingShape {
  readonly host: string;
  /** Of the nodes, ascending. */
  readonly ports: readonly number[];
}

/**
 * Plans a network. Pure: looks at no port and no directory.
 *
 * @example
 * ```ts
 * import { planNetwork } from "./plan.ts";
 * import { defaultHttpOptions } from "../gateway/options.ts";
 * import { defaultNodeOptions } from "../node/options.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const plan = planNetwork({
 *   host: "127.0.0.1",
 *   basePort: 7000,
 *   nodeCount: 2,
 *   gatewayPort: 8000,
 *   gatewayPollMs: 5_000,
 *   gatewayBalance: "first",
 *   gatewayHttp: defaultHttpOptions,
 *   overwrite: false,
 *   node: defaultNodeOptions,
 * });
 * assertEquals(plan.nodes.map((node) => String(node.address)), ["127.0.0.1:7000", "127.0.0.1:7001"]);
 * assertEquals(plan.nodes[1]?.logFile, "nodes/7001/node.log");
 * assertEquals(plan.ringDirectory, "nodes/ring-7000");
 * ```
 */
export function planNetwork(options: NetworkOptions): NetworkPlan {
  const { host, basePort, nodeCount, gatewayPort, gatewayPollMs } = options;
  const { dataDir } = options.node;
  const ports = Array.from({ length: nodeCount }, (_, index) => basePort + index);
  const ringDirectory = `${dataDir}/ring-${basePort}`;
  return {
    nodes: ports.map((port) => ({
      ...options.node,
      address: formatAddress(host, port),
      logFile: `${dataDir}/${port}/node.log`,
      awaitsRing: true,
    })),
    gateway: gatewayPort === undefined ? undefined : {
      address: formatAddress(host, gatewayPort),
      pollMs: gatewayPollMs,
      balance: options.gatewayBalance,
      http: options.gatewayHttp,
      spoolDir: `${ringDirectory}/uploads`,
      logFile: `${ringDirectory}/gateway.log`,
    },
    ringDirectory,
    shape: { host, ports },
  };
}

/** Every address that a plan listens on: the nodes', then the gateway's. */
export function plannedAddresses(plan: NetworkPlan): NodeAddress[] {
  const addresses = plan.nodes.map((node) => node.address);
  return plan.gateway === undefined ? addresses : [...addresses, plan.gateway.address];
}

/**
 * Ports for people: `7000 to 7004`, or `7000, 7002 and 7005` when there are gaps.
 *
 * @example
 * ```ts
 * import { showPorts } from "./plan.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(showPorts([7000, 7001, 7002]), "7000 to 7002");
 * assertEquals(showPorts([7000, 7002]), "7000 and 7002");
 * assertEquals(showPorts([7000]), "7000");
 * ```
 */
export function showPorts(ports: readonly number[]): string {
  const [first, ...rest] = ports;
  const last = rest.at(-1);
  if (first === undefined || last === undefined) return String(first ?? "none");
  const gapless = ports.every((port, index) => port === first + index);
  if (gapless && rest.length > 1) return `${first} to ${last}`;
  return `${ports.slice(0, -1).join(", ")} and ${last}`;
}
