import { formatAddress, type NodeAddress, parseAddress, splitAddress } from "./address.ts";
import { parseCount } from "./count.ts";
import { partsMax, ringNodesMax } from "./limits.ts";
import { normalizeName } from "./names.ts";

/** One hop of a ring: `to` is the next node after `from`. */
export interface Edge {
  readonly from: NodeAddress;
  readonly to: NodeAddress;
}

/** Whether a node is thought to run. */
export type NodeStatus = "Alive" | "Dead";

/** What a netmap says of one node. */
export interface NetmapEntry {
  readonly address: NodeAddress;
  readonly status: NodeStatus;
}

/** What `FILE TAGS-SET` says of one file. */
export interface Tag {
  /** The name after `normalizeName`. */
  readonly name: string;
  /** The node that holds part 1. */
  readonly start: NodeAddress;
  /** Bytes. */
  readonly size: number;
  /** 1 to {@linkcode partsMax}. */
  readonly parts: number;
}

/** How the lists of the wire name nodes. */
export interface ListOptions {
  /**
   * The host that a bare port means: the one of the node that reads or writes the list. A node on
   * another host is written `host:port`. Default: {@linkcode defaultHostname}.
   */
  readonly hostname?: string;
}

/** The host of a ring whose user named none. */
export const defaultHostname = "127.0.0.1";

/**
 * Reads a node's name in a list: a bare port or `host:port`; `undefined` when it is neither.
 *
 * @example
 * ```ts
 * import { parseNode } from "./lists.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseNode("7000"), "127.0.0.1:7000");
 * assertEquals(parseNode("7000", { hostname: "10.0.0.1" }), "10.0.0.1:7000");
 * assertEquals(parseNode("10.0.0.2:7000"), "10.0.0.2:7000");
 * assertEquals(parseNode("0"), undefined);
 * ```
 */
export function parseNode(text: string, options: ListOptions = {}): NodeAddress | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return parseAddress(text);
  const port = Number(text);
  if (port < 1 || port > 65535) return undefined;
  return formatAddress(options.hostname ?? defaultHostname, port);
}

/** Writes a node's name in a list; the inverse of {@linkcode parseNode}. */
export function formatNode(address: NodeAddress, options: ListOptions = {}): string {
  const { hostname, port } = splitAddress(address);
  return hostname === (options.hostname ?? defaultHostname) ? String(port) : address;
}

/** Reads one edge, `7000->7001`; `undefined` when it is none. */
export function parseEdge(text: string, options: ListOptions = {}): Edge | undefined {
  const arrow = text.indexOf("->");
  if (arrow < 0) return undefined;
  const from = parseNode(text.slice(0, arrow), options);
  const to = parseNode(text.slice(arrow + 2), options);
  return from === undefined || to === undefined ? undefined : { from, to };
}

/** Writes one edge, the inverse of {@linkcode parseEdge}. */
export function formatEdge(edge: Edge, options: ListOptions = {}): string {
  return `${formatNode(edge.from, options)}->${formatNode(edge.to, options)}`;
}

/**
 * Reads a history, `7000->7001;7001->7002`. It may be empty, and empty items are passed over, as
 * a trailing `;` makes one. `undefined` when an item is no edge or there are more than
 * {@linkcode ringNodesMax}.
 *
 * @example
 * ```ts
 * import { formatHistory, parseHistory } from "./lists.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const edges = parseHistory("7000->7001;7001->10.0.0.2:7000") ?? [];
 * assertEquals(edges[1], { from: "127.0.0.1:7001", to: "10.0.0.2:7000" } as unknown);
 * assertEquals(formatHistory(edges), "7000->7001;7001->10.0.0.2:7000");
 * assertEquals(parseHistory("7000-7001"), undefined);
 * ```
 */
export function parseHistory(text: string, options: ListOptions = {}): Edge[] | undefined {
  return parseItems(
    { text, separator: ";", itemsMax: ringNodesMax },
    (item) => parseEdge(item, options),
  );
}

/** Writes a history, the inverse of {@linkcode parseHistory}. */
export function formatHistory(edges: readonly Edge[], options: ListOptions = {}): string {
  return edges.map((edge) => formatEdge(edge, options)).join(";");
}

/** Reads one entry of a netmap, `7000=Alive`; `undefined` when it is none. */
export function parseEntry(text: string, options: ListOptions = {}): NetmapEntry | undefined {
  const equals = text.indexOf("=");
  if (equals < 0) return undefined;
  const address = parseNode(text.slice(0, equals), options);
  const status = text.slice(equals + 1);
  if (address === undefined || (status !== "Alive" && status !== "Dead")) return undefined;
  return { address, status };
}

/** Writes one entry of a netmap, the inverse of {@linkcode parseEntry}. */
export function formatEntry(entry: NetmapEntry, options: ListOptions = {}): string {
  return `${formatNode(entry.address, options)}=${entry.status}`;
}

/**
 * Reads the entries of a netmap, `7000=Alive,7001=Dead`. They may be empty, and empty items are
 * passed over. `undefined` when an item is no entry or there are more than
 * {@linkcode ringNodesMax}.
 *
 * @example
 * ```ts
 * import { formatEntries, parseEntries } from "./lists.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const entries = parseEntries("7000=Alive,7001=Dead") ?? [];
 * assertEquals(entries.map((entry) => entry.status), ["Alive", "Dead"]);
 * assertEquals(formatEntries(entries), "7000=Alive,7001=Dead");
 * assertEquals(parseEntries("7000=Asleep"), undefined);
 * ```
 */
export function parseEntries(text: string, options: ListOptions = {}): NetmapEntry[] | undefined {
  return parseItems(
    { text, separator: ",", itemsMax: ringNodesMax },
    (item) => parseEntry(item, options),
  );
}

/** Writes the entries of a netmap, the inverse of {@linkcode parseEntries}. */
export function formatEntries(entries: readonly NetmapEntry[], options: ListOptions = {}): string {
  return entries.map((entry) => formatEntry(entry, options)).join(",");
}

/**
 * Reads the list of `FILE TAGS-SET`, `<name>:<start_port>:<size>:<parts>;…`. It may be empty, and
 * empty items are passed over. So are files whose name this program refuses: an original node may
 * hold longer ones, and the rest of its list is still news. `undefined` when an item is malformed.
 * The caller's line limit bounds the list.
 *
 * @example
 * ```ts
 * import { formatTags, parseTags } from "./lists.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const tags = parseTags("a b.txt:7000:12:5;ü:7001:0:5") ?? [];
 * assertEquals(tags.map((tag) => tag.name), ["a b.txt", "ü"]);
 * assertEquals(formatTags(tags), "a b.txt:7000:12:5;ü:7001:0:5");
 * assertEquals(parseTags("a.txt:7000:12"), undefined);
 * ```
 */
export function parseTags(text: string, options: ListOptions = {}): Tag[] | undefined {
  const tags = parseItems(
    { text, separator: ";", itemsMax: Infinity },
    (item) => parseTag(item, options),
  );
  return tags?.filter((tag) => tag !== "refused");
}

/** Writes the list of `FILE TAGS-SET`, the inverse of {@linkcode parseTags}. */
export function formatTags(tags: readonly Tag[], options: ListOptions = {}): string {
  return tags.map((tag) => `${tag.name}:${formatNode(tag.start, options)}:${tag.size}:${tag.parts}`)
    .join(";");
}

/**
 * A normalised name has no `:`, and neither have the last two fields, so what lies between the
 * first colon and the last but one is the start node, be it a port or `host:port`.
 */
function parseTag(text: string, options: ListOptions): Tag | "refused" | undefined {
  const nameEnd = text.indexOf(":");
  const partsAt = text.lastIndexOf(":");
  const sizeAt = text.lastIndexOf(":", partsAt - 1);
  if (nameEnd < 0 || sizeAt <= nameEnd) return undefined;
  const start = parseNode(text.slice(nameEnd + 1, sizeAt), options);
  const size = parseCount(text.slice(sizeAt + 1, partsAt));
  const parts = parseCount(text.slice(partsAt + 1), partsMax);
  if (start === undefined || size === undefined || parts === undefined || parts === 0) {
    return undefined;
  }
  const name = normalizeName(text.slice(0, nameEnd));
  return name.ok ? { name: name.name, start, size, parts } : "refused";
}

interface Items {
  readonly text: string;
  readonly separator: string;
  readonly itemsMax: number;
}

function parseItems<T>(items: Items, parse: (item: string) => T | undefined): T[] | undefined {
  const { text, separator, itemsMax } = items;
  const parsed: T[] = [];
  for (let at = 0; at < text.length;) {
    const next = text.indexOf(separator, at);
    const end = next < 0 ? text.length : next;
    if (end > at) {
      const item = parse(text.slice(at, end));
      if (item === undefined || parsed.length >= itemsMax) return undefined;
      parsed.push(item);
    }
    at = end + separator.length;
  }
  return parsed;
}
