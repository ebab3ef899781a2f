import { formatAddress, type NodeAddress } from "../protocol/address.ts";
import { defaultBasePort, defaultGatewayPort } from "../protocol/limits.ts";
import { defaultHostname, parseNode } from "../protocol/lists.ts";

/**
 * Where a client looks for the ring: the first of these addresses that takes the connection. Any
 * node and the gateway will do.
 */
export type RingTarget = readonly [NodeAddress, ...NodeAddress[]];

/** What a user said of where the ring is. */
export interface TargetHints {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** The value of the environment's `OUROBOROS_ADDR`: `host:port` or a port. */
  readonly environment?: string | undefined;
}

/**
 * Decides where to look. What is said on the command line counts before the environment, and both
 * before the usual places: the gateway of `deno task ring`, then the first node.
 *
 * @example
 * ```ts
 * import { ringTarget } from "./target.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(ringTarget({}) as unknown, ["127.0.0.1:8000", "127.0.0.1:7000"]);
 * assertEquals(ringTarget({ port: 7003, environment: "h:1" }) as unknown, ["127.0.0.1:7003"]);
 * assertEquals(ringTarget({ environment: "h:1" }) as unknown, ["h:1"]);
 * ```
 * @throws {RangeError} When the environment's value is neither a port nor `host:port`.
 */
export function ringTarget(hints: TargetHints): RingTarget {
  const host = hints.host ?? defaultHostname;
  if (hints.port !== undefined) return [formatAddress(host, hints.port)];
  if (hints.host === undefined && hints.environment !== undefined && hints.environment !== "") {
    const address = parseNode(hints.environment);
    if (address !== undefined) return [address];
    throw new RangeError(`OUROBOROS_ADDR is '${hints.environment}': it takes HOST:PORT`);
  }
  return [formatAddress(host, defaultGatewayPort), formatAddress(host, defaultBasePort)];
}
