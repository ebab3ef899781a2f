import type { NodeAddress } from "../protocol/address.ts";
import { ringNodesMax } from "../protocol/limits.ts";
import type { Edge } from "../protocol/lists.ts";

/**
 * The order of a ring from its edges, or `undefined` when they are no single closed ring over all
 * nodes they name. The edges may come in any order, and twice.
 *
 * @example
 * ```ts
 * import { orderOfEdges } from "./topology.ts";
 * import { parseHistory } from "../protocol/lists.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const edges = parseHistory("7001->7002;7002->7000;7000->7001") ?? [];
 * assertEquals(orderOfEdges(edges)?.join(" "), "127.0.0.1:7000 127.0.0.1:7001 127.0.0.1:7002");
 * assertEquals(orderOfEdges(edges.slice(1)), undefined);
 * ```
 */
export function orderOfEdges(edges: readonly Edge[]): NodeAddress[] | undefined {
  const nextOf = new Map<NodeAddress, NodeAddress>();
  for (const { from, to } of edges) {
    if ((nextOf.get(from) ?? to) !== to) return undefined;
    nextOf.set(from, to);
  }
  const [first] = nextOf.keys();
  if (first === undefined || nextOf.size > ringNodesMax) return undefined;
  const order = [first];
  for (let node = nextOf.get(first); node !== first; node = nextOf.get(node)) {
    if (node === undefined || order.length >= nextOf.size) return undefined;
    order.push(node);
  }
  return order.length === nextOf.size ? canonicalOrder(order) : undefined;
}

/**
 * The edges of a ring, in ring order, beginning with the one from `from`.
 *
 * @example
 * ```ts
 * import { edgesOfOrder } from "./topology.ts";
 * import { formatHistory, parseNode } from "../protocol/lists.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const order = ["7000", "7001"].flatMap((port) => parseNode(port) ?? []);
 * assertEquals(formatHistory(edgesOfOrder(order)), "7000->7001;7001->7000");
 * ```
 */
export function edgesOfOrder(order: readonly NodeAddress[], from = order[0]): Edge[] {
  const turned = rotate(order, from);
  return turned.map((node, at) => ({ from: node, to: turned[at + 1] ?? turned[0] ?? node }));
}

/** The same ring, beginning with its least address, so that equal rings are equal lists. */
export function canonicalOrder(order: readonly NodeAddress[]): NodeAddress[] {
  let least = order[0];
  for (const node of order) {
    if (least === undefined || node < least) least = node;
  }
  return rotate(order, least);
}

/** The same ring, beginning with `first`; unchanged when that is not in it. */
export function rotate(
  order: readonly NodeAddress[],
  first: NodeAddress | undefined,
): NodeAddress[] {
  const at = first === undefined ? -1 : order.indexOf(first);
  return at <= 0 ? [...order] : [...order.slice(at), ...order.slice(0, at)];
}
