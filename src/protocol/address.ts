/**
 * The address of a node, `host:port`. Inside the program a node is always this, never a bare port,
 * so that a ring over several hosts needs no other core.
 */
export type NodeAddress = string & { readonly [nodeAddressBrand]: true };

declare const nodeAddressBrand: unique symbol;

/** The two halves of a {@linkcode NodeAddress}. */
export interface HostPort {
  /** A host name or an IP address; an IPv6 address is without its brackets. */
  readonly hostname: string;
  /** 1 to 65535. */
  readonly port: number;
}

/**
 * Reads `host:port` or `[v6]:port`; `undefined` when it is neither. Equal addresses come out as
 * equal texts: the host in lower case, the port without leading zeros.
 *
 * @example
 * ```ts
 * import { parseAddress } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseAddress("127.0.0.1:7000") as string, "127.0.0.1:7000");
 * assertEquals(parseAddress("LocalHost:07000") as string, "localhost:7000");
 * assertEquals(parseAddress("7000"), undefined);
 * ```
 */
export function parseAddress(text: string): NodeAddress | undefined {
  const match = /^(\[[0-9a-fA-F:.]{2,45}\]|[0-9a-zA-Z._-]{1,253}):([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[2]);
  if (port < 1 || port > 65535) return undefined;
  return `${match[1]?.toLowerCase()}:${port}` as NodeAddress;
}

/** Joins a host and a port; the caller has checked both. */
export function formatAddress(hostname: string, port: number): NodeAddress {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${host}:${port}` as NodeAddress;
}

/** Splits an address into host and port. */
export function splitAddress(address: NodeAddress): HostPort {
  const colon = address.lastIndexOf(":");
  const hostname = address.slice(0, colon).replace(/^\[|\]$/g, "");
  return { hostname, port: Number(address.slice(colon + 1)) };
}

/** The port of an address, which is how the wire's lists name a node of a ring on one host. */
export function portOf(address: NodeAddress): number {
  return splitAddress(address).port;
}
