import type { ClientCommand, Command, CommandKind, NodeCommand, OwnCommand } from "./command.ts";
import { formatCondition } from "./condition.ts";
import { encodeText } from "./encoded_text.ts";
import { formatEntries, formatHistory, formatTags, type ListOptions } from "./lists.ts";

/**
 * Writes a command as its line, without the line end; the exact inverse of `parseCommand`. Names
 * must be normalised.
 *
 * @throws {RangeError} if a parameter holds a line end, which would make one command two.
 *
 * @example
 * ```ts
 * import { formatCommand } from "./format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatCommand({ kind: "file-pull", name: "my file.txt" }), "FILE PULL my file.txt");
 * assertEquals(formatCommand({ kind: "topology-set", edges: [] }), "TOPOLOGY SET ");
 * ```
 */
export function formatCommand(command: Command, options: ListOptions = {}): string {
  const format = formats[command.kind] as (command: Command, options: ListOptions) => string;
  const line = format(command, options);
  if (line.includes("\n")) {
    throw new RangeError(`Cannot send '${command.kind}' as a parameter holds a line end`);
  }
  return line;
}

type Formats<C extends Command> = {
  readonly [K in C["kind"]]: (command: Extract<C, { kind: K }>, options: ListOptions) => string;
};

const clientFormats: Formats<ClientCommand> = {
  "node-ping": () => "NODE PING",
  "node-status": () => "NODE STATUS",
  "node-next": (c) => `NODE NEXT ${c.address}`,
  "node-heal": () => "NODE HEAL",
  "node-scrub": () => "NODE SCRUB",
  "node-info": () => "NODE INFO",
  "node-stop": (c) => `NODE STOP ${c.incarnation}`,
  "node-kill": (c) => `NODE KILL ${c.incarnation}`,
  "netmap-get": () => "NETMAP GET",
  "netmap-discover": () => "NETMAP DISCOVER",
  "topology-walk": () => "TOPOLOGY WALK",
  "file-push": (c) => `FILE PUSH ${c.bodyBytes} ${c.name}`,
  "file-pull": (c) => `FILE PULL ${c.name}`,
  "file-get": (c) => `FILE GET ${c.name}`,
  "file-stat": (c) => `FILE STAT ${c.name}`,
  "file-delete": (c) => `FILE DELETE ${c.name}`,
  "file-list": () => "FILE LIST",
  "file-range": (c) => `FILE RANGE ${c.offset} ${c.count ?? "-"} ${c.version ?? "-"} ${c.name}`,
  "file-put": (c) =>
    `FILE PUT ${c.size} ${c.sha256 ?? "-"} ${formatCondition(c.condition)} ${c.name}`,
  "file-delete-if": (c) => `FILE DELETE-IF ${formatCondition(c.condition)} ${c.name}`,
  "file-page": (c) => `FILE PAGE ${c.limit} ${encodeText(c.after)} ${encodeText(c.prefix)}`,
  "ring-forward": (c) => `RING FORWARD ${c.ttl} ${c.message}`,
};

const nodeFormats: Formats<NodeCommand> = {
  "node-heal-hop": (c) => `NODE HEAL-HOP ${c.token} ${c.start}`,
  "node-heal-done": (c) => `NODE HEAL-DONE ${c.token}`,
  "topology-hop": (c, o) => `TOPOLOGY HOP ${c.token} ${c.start} ${formatHistory(c.edges, o)}`,
  "topology-done": (c, o) => `TOPOLOGY DONE ${c.token} ${formatHistory(c.edges, o)}`,
  "topology-set": (c, o) => `TOPOLOGY SET ${formatHistory(c.edges, o)}`,
  "netmap-hop": (c, o) => `NETMAP HOP ${c.token} ${c.start} ${formatEntries(c.entries, o)}`,
  "netmap-done": (c, o) => `NETMAP DONE ${c.token} ${formatEntries(c.entries, o)}`,
  "netmap-set": (c, o) => `NETMAP SET ${formatEntries(c.entries, o)}`,
  "file-relay-stream": (c) =>
    `FILE RELAY-STREAM ${c.token} ${c.start} ${c.fileBytes} ${c.parts} ${c.index} ${c.name}`,
  "file-relay-blob": (c) => `FILE RELAY-BLOB ${c.token} ${c.start} ${c.bodyBytes} ${c.name}`,
  "file-get-chunk": (c) => `FILE GET-CHUNK ${c.chunk}`,
  "file-get-backup-chunk": (c) => `FILE GET-BACKUP-CHUNK ${c.chunk}`,
  "file-notify-chunk-saved": (c) => `FILE NOTIFY-CHUNK-SAVED ${c.chunk}`,
  "file-get-chunk-for-backup": (c) => `FILE GET-CHUNK-FOR-BACKUP ${c.chunk}`,
  "file-tags-set": (c, o) => `FILE TAGS-SET ${formatTags(c.tags, o)}`,
};

const ownFormats: Formats<OwnCommand> = {
  "node-restrict": () => "NODE RESTRICT",
  "node-scrub-local": () => "NODE SCRUB-LOCAL",
  "node-metrics": () => "NODE METRICS",
  "ring-ping": (c) => `RING PING ${c.from} ${c.incarnation} ${c.viewDigest} ${c.catalogDigest}`,
  "ring-view": (c) => `RING VIEW ${c.bodyBytes}`,
  "ring-stopping": (c) => `RING STOPPING ${c.seconds}`,
  "ring-events": (c) => `RING EVENTS ${c.after}`,
  "file-stage": (c) => `FILE STAGE ${c.token} ${c.part} ${c.copy} ${c.bodyBytes} ${c.name}`,
  "file-stage-all": (c) => `FILE STAGE-ALL ${c.token} ${c.fileBytes} ${c.bodyBytes} ${c.name}`,
  "file-commit": (c) => `FILE COMMIT ${c.bodyBytes}`,
  "file-abort": (c) => `FILE ABORT ${c.pushId}`,
  "file-push-state": (c) => `FILE PUSH-STATE ${c.pushId}`,
  "file-open": (c) => `FILE OPEN ${c.pushId} ${c.part} ${c.name}`,
  "file-read": (c) => `FILE READ ${c.offset} ${c.count}`,
  "file-fetch": (c) => `FILE FETCH ${c.pushId} ${c.parts.join(",")}`,
  "catalog-pull": (c) => `CATALOG PULL ${c.bodyBytes}`,
  "catalog-forget": (c) => `CATALOG FORGET ${c.bodyBytes}`,
};

const formats: { readonly [K in CommandKind]: unknown } = {
  ...clientFormats,
  ...nodeFormats,
  ...ownFormats,
};
