import { formatAddress, type NodeAddress, parseAddress, splitAddress } from "./address.ts";
import { parseCount } from "./count.ts";
import { copiesMax, partsMax } from "./limits.ts";
import { isId } from "./names.ts";
import type { PushTicket } from "./record.ts";

/**
 * Writes a ticket as the token of `FILE RELAY-STREAM` and `FILE STAGE`:
 * `o2.<pushId>.<incarnation>.<copies>.<parts>.<nodes>`. Nodes on one host share its name, and ports that
 * follow each other are a range, `127.0.0.1:7003-7019+7000-7002,[::1]:7000`, so that the token of
 * most rings is short, and the longest of a ring on one host fits in a line.
 *
 * @throws {RangeError} if the coordinator is not the first node, a node comes twice, or another field is out
 * of bounds.
 *
 * @example
 * ```ts
 * import { formatTicket, parseTicket } from "./ticket.ts";
 * import { formatAddress } from "./address.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const nodes = [7001, 7002, 7000].map((port) => formatAddress("127.0.0.1", port));
 * const ticket = {
 *   pushId: "01HF7YAT000000000000000000",
 *   coordinator: formatAddress("127.0.0.1", 7001),
 *   incarnation: "5f1c",
 *   nodes,
 *   copies: 2,
 *   parts: 3,
 * };
 * const token = formatTicket(ticket);
 * assertEquals(token, "o2.01HF7YAT000000000000000000.5f1c.2.3.127.0.0.1:7001-7002+7000");
 * assertEquals(parseTicket(token), ticket);
 * assertEquals(parseTicket("relay-1700000000"), undefined);
 * ```
 */
export function formatTicket(ticket: PushTicket): string {
  const { pushId, coordinator, incarnation, nodes, copies, parts } = ticket;
  const bounded = isId(pushId) && isId(incarnation) && nodes.length >= 1 &&
    nodes.length <= partsMax && copies >= 1 && copies <= Math.min(copiesMax, nodes.length) &&
    parts >= 1 && parts <= nodes.length;
  if (!bounded || coordinator !== nodes[0] || new Set(nodes).size !== nodes.length) {
    throw new RangeError(
      `Cannot write a ticket: push '${pushId}', incarnation '${incarnation}', ` +
        `coordinator ${coordinator}, ${copies} copies of ${parts} parts on ${nodes.length} nodes ` +
        `from ${nodes[0]}`,
    );
  }
  return `${prefix}${pushId}.${incarnation}.${copies}.${parts}.${formatNodes(nodes)}`;
}

/** Reads a ticket; `undefined` for any other token, such as an original node's. */
export function parseTicket(token: string): PushTicket | undefined {
  if (!token.startsWith(prefix)) return undefined;
  const idEnd = token.indexOf(".", prefix.length);
  const incarnationEnd = token.indexOf(".", idEnd + 1);
  const copiesEnd = token.indexOf(".", incarnationEnd + 1);
  const partsEnd = token.indexOf(".", copiesEnd + 1);
  if (idEnd < 0 || incarnationEnd < 0 || copiesEnd < 0 || partsEnd < 0) return undefined;
  const pushId = token.slice(prefix.length, idEnd);
  const incarnation = token.slice(idEnd + 1, incarnationEnd);
  const copies = parseCount(token.slice(incarnationEnd + 1, copiesEnd), copiesMax);
  const parts = parseCount(token.slice(copiesEnd + 1, partsEnd), partsMax);
  const nodes = parseNodes(token.slice(partsEnd + 1));
  const coordinator = nodes?.[0];
  if (!isId(pushId) || !isId(incarnation) || coordinator === undefined) return undefined;
  if (nodes === undefined || copies === undefined || parts === undefined) return undefined;
  if (copies < 1 || copies > nodes.length || parts < 1 || parts > nodes.length) return undefined;
  return { pushId, coordinator, incarnation, nodes, copies, parts };
}

/** Other layouts of the token will begin otherwise. */
const prefix = "o2.";

function formatNodes(nodes: readonly NodeAddress[]): string {
  let text = "";
  let host: string | undefined;
  let first = 0;
  let last = 0;
  const endRange = () => last > first ? `-${last}` : "";
  for (const node of nodes) {
    const { hostname, port } = splitAddress(node);
    if (hostname === host && port === last + 1) {
      last = port;
      continue;
    }
    text += endRange();
    if (hostname === host) text += `+${port}`;
    else text += (host === undefined ? "" : ",") + formatAddress(hostname, port);
    host = hostname;
    first = last = port;
  }
  return text + endRange();
}

/** Nodes in the form that {@linkcode formatNodes} writes, each at most once. */
function parseNodes(text: string): NodeAddress[] | undefined {
  const nodes = new Set<NodeAddress>();
  let listed = 0;
  for (const group of text.split(",", partsMax + 1)) {
    const portsAt = group.lastIndexOf(":") + 1;
    for (const range of group.slice(portsAt).split("+", partsMax + 1)) {
      const dash = range.indexOf("-");
      const start = parseAddress(
        group.slice(0, portsAt) + range.slice(0, dash < 0 ? undefined : dash),
      );
      if (start === undefined) return undefined;
      const { hostname, port: first } = splitAddress(start);
      const last = dash < 0 ? first : parseCount(range.slice(dash + 1), 65535);
      if (last === undefined || last < first) return undefined;
      listed += last - first + 1;
      if (listed > partsMax) return undefined;
      for (let port = first; port <= last; port++) nodes.add(formatAddress(hostname, port));
    }
  }
  return nodes.size === listed ? [...nodes] : undefined;
}
