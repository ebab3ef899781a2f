import { type NodeAddress, parseAddress, portOf, splitAddress } from "./address.ts";
import {
  type Edge,
  formatEdge,
  formatEntry,
  type ListOptions,
  type NetmapEntry,
  parseEdge,
  parseEntry,
} from "./lists.ts";

/** The answer to a command that only does something. */
export const okReply = "OK\n";

/** The answer to `NODE PING`. */
export const pongReply = "PONG\n";

/** The answer to `NODE HEAL`. */
export const healedReply = "OK network healed\n";

/**
 * Any refusal. The text goes on one line, whatever it holds.
 *
 * @example
 * ```ts
 * import { errorReply, parseErrorReply } from "./replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(errorReply("file not found"), "ERR file not found\n");
 * assertEquals(parseErrorReply("ERR file not found"), "file not found");
 * assertEquals(parseErrorReply("OK"), undefined);
 * ```
 */
export function errorReply(error: string): string {
  return `ERR ${error.replace(/[\r\n]+/g, " ")}\n`;
}

/** The text of a refusal, given its line without the line end; `undefined` when it is none. */
export function parseErrorReply(line: string): string | undefined {
  if (line === "ERR") return "";
  return line.startsWith("ERR ") ? line.slice(4) : undefined;
}

/** What `NODE STATUS` answers. */
export interface NodeStatusReply {
  readonly address: NodeAddress;
  /** The next hop; `undefined` before the node was wired. */
  readonly next: NodeAddress | undefined;
}

/** The answer to `NODE STATUS`. */
export function nodeStatusReply({ address, next }: NodeStatusReply): string {
  return `PORT ${address}\nNEXT ${next ?? "<unset>"}\nOK\n`;
}

/**
 * Reads the whole answer to `NODE STATUS`; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { nodeStatusReply, parseNodeStatus } from "./replies.ts";
 * import { formatAddress } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const status = { address: formatAddress("127.0.0.1", 7000), next: undefined };
 * assertEquals(nodeStatusReply(status), "PORT 127.0.0.1:7000\nNEXT <unset>\nOK\n");
 * assertEquals(parseNodeStatus(nodeStatusReply(status)), status);
 * ```
 */
export function parseNodeStatus(text: string): NodeStatusReply | undefined {
  const match = /^PORT (\S+)\nNEXT (\S+)\nOK\n$/.exec(text);
  const address = parseAddress(match?.[1] ?? "");
  const next = parseAddress(match?.[2] ?? "");
  if (address === undefined || (next === undefined && match?.[2] !== "<unset>")) return undefined;
  return { address, next };
}

/** The answer to `NODE NEXT`. */
export function nodeNextReply(next: NodeAddress): string {
  return `OK next=${next}\n`;
}

/** Reads the answer to `NODE NEXT`, a line without its line end; `undefined` when it is none. */
export function parseNodeNextReply(line: string): NodeAddress | undefined {
  return line.startsWith("OK next=") ? parseAddress(line.slice(8)) : undefined;
}

/** The answer to `NETMAP GET`: an entry a line, by host and port. */
export function netmapReply(entries: readonly NetmapEntry[], options: ListOptions = {}): string {
  if (entries.length === 0) return "(empty)\nOK\n";
  const sorted = entries.toSorted((a, b) => compareAddresses(a.address, b.address));
  return `${sorted.map((entry) => formatEntry(entry, options)).join("\n")}\nOK\n`;
}

/**
 * Reads the whole answer to `NETMAP GET`; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { netmapReply, parseNetmapReply } from "./replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const reply = "7000=Alive\n7001=Dead\nOK\n";
 * assertEquals(netmapReply(parseNetmapReply(reply) ?? []), reply);
 * assertEquals(parseNetmapReply("(empty)\nOK\n"), []);
 * ```
 */
export function parseNetmapReply(
  text: string,
  options: ListOptions = {},
): NetmapEntry[] | undefined {
  if (text === "(empty)\nOK\n") return [];
  return parseLines(text, (line) => parseEntry(line, options));
}

/** The answer to `TOPOLOGY WALK`: an edge a line, in the order given. */
export function topologyReply(edges: readonly Edge[], options: ListOptions = {}): string {
  return edges.map((edge) => `${formatEdge(edge, options)}\n`).join("") + okReply;
}

/**
 * Reads the whole answer to `TOPOLOGY WALK`; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { parseTopologyReply, topologyReply } from "./replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const reply = "7000->7001\n7001->7000\nOK\n";
 * assertEquals(topologyReply(parseTopologyReply(reply) ?? []), reply);
 * ```
 */
export function parseTopologyReply(text: string, options: ListOptions = {}): Edge[] | undefined {
  return parseLines(text, (line) => parseEdge(line, options));
}

/** The answer to `NODE INFO`: a `key: value` line each, in the order given. */
export function nodeInfoReply(info: ReadonlyMap<string, string | number>): string {
  let text = "";
  for (const [key, value] of info) text += `${key}: ${String(value).replace(/[\r\n]+/g, " ")}\n`;
  return text + okReply;
}

/**
 * Reads the whole answer to `NODE INFO`; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { nodeInfoReply, parseNodeInfo } from "./replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const reply = nodeInfoReply(new Map([["address", "127.0.0.1:7000"]]));
 * assertEquals(reply, "address: 127.0.0.1:7000\nOK\n");
 * assertEquals(parseNodeInfo(reply)?.get("address"), "127.0.0.1:7000");
 * ```
 */
export function parseNodeInfo(text: string): Map<string, string> | undefined {
  const pairs = parseLines(text, (line): [string, string] | undefined => {
    const colon = line.indexOf(": ");
    return colon < 1 ? undefined : [line.slice(0, colon), line.slice(colon + 2)];
  });
  return pairs === undefined ? undefined : new Map(pairs);
}

/** The items of an answer that is a line each and then `OK`. */
function parseLines<T>(text: string, parse: (line: string) => T | undefined): T[] | undefined {
  if (text !== okReply && !text.endsWith(`\n${okReply}`)) return undefined;
  const items: T[] = [];
  for (const line of text.slice(0, -okReply.length).split("\n").slice(0, -1)) {
    const item = parse(line);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

function compareAddresses(a: NodeAddress, b: NodeAddress): number {
  const hostA = splitAddress(a).hostname;
  const hostB = splitAddress(b).hostname;
  if (hostA === hostB) return portOf(a) - portOf(b);
  return hostA < hostB ? -1 : 1;
}
