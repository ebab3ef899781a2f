import type { Command } from "./command.ts";
import { digestBytes } from "./digest.ts";
import type { Fields } from "./fields.ts";
import { pageRowsMax } from "./file_page.ts";
import {
  copiesMax,
  fetchedPartsMax,
  partsMax,
  recordBytesMax,
  smallFileBytesMax,
  stoppingSecondsMax,
  ttlMax,
  viewBytesMax,
} from "./limits.ts";
import { parseEntries, parseHistory, parseTags } from "./lists.ts";
import { partOffset } from "./names.ts";

/** Reads the parameters of one command; faults are noted in the fields. */
export type ReadVerb = (fields: Fields) => Command;

/** What clients send. */
const clientVerbs: Record<string, ReadVerb> = {
  "NODE PING": (fields) => {
    fields.rest();
    return { kind: "node-ping" };
  },
  "NODE STATUS": () => ({ kind: "node-status" }),
  "NODE NEXT": (fields) => ({ kind: "node-next", address: fields.address("address") }),
  "NODE HEAL": () => ({ kind: "node-heal" }),
  "NODE SCRUB": () => ({ kind: "node-scrub" }),
  "NODE INFO": () => ({ kind: "node-info" }),
  "NODE STOP": (fields) => ({ kind: "node-stop", incarnation: fields.id("incarnation") }),
  "NODE KILL": (fields) => ({ kind: "node-kill", incarnation: fields.id("incarnation") }),
  "NETMAP GET": () => ({ kind: "netmap-get" }),
  "NETMAP DISCOVER": () => ({ kind: "netmap-discover" }),
  "TOPOLOGY WALK": () => ({ kind: "topology-walk" }),
  "FILE PUSH": (fields) => {
    fields.expectBody();
    return { kind: "file-push", bodyBytes: fields.body("size"), name: fields.fileName() };
  },
  "FILE PULL": (fields) => ({ kind: "file-pull", name: fields.fileName() }),
  "FILE GET": (fields) => ({ kind: "file-get", name: fields.fileName() }),
  "FILE STAT": (fields) => ({ kind: "file-stat", name: fields.fileName() }),
  "FILE DELETE": (fields) => ({ kind: "file-delete", name: fields.fileName() }),
  "FILE LIST": () => ({ kind: "file-list" }),
  "FILE RANGE": (fields) => ({
    kind: "file-range",
    offset: fields.count("offset"),
    count: fields.countOrNone("count"),
    version: fields.versionOrNone("version"),
    name: fields.fileName(),
  }),
  "FILE PUT": (fields) => {
    // Whoever does not wait for the answer has sent bytes behind a line that is refused.
    fields.expectBody();
    return {
      kind: "file-put",
      size: fields.count("size"),
      sha256: fields.sha256OrNone("SHA-256"),
      condition: fields.condition(),
      name: fields.fileName(),
    };
  },
  "FILE DELETE-IF": (fields) => ({
    kind: "file-delete-if",
    condition: fields.condition(),
    name: fields.fileName(),
  }),
  "FILE PAGE": (fields) => ({
    kind: "file-page",
    limit: fields.count("limit", pageRowsMax),
    after: fields.encodedText("name"),
    prefix: fields.encodedText("prefix"),
  }),
  "RING FORWARD": (fields) => ({
    kind: "ring-forward",
    ttl: fields.count("ttl", ttlMax),
    message: fields.rest(),
  }),
};

/** What nodes of either program send each other. */
const nodeVerbs: Record<string, ReadVerb> = {
  "NODE HEAL-HOP": (fields) => ({
    kind: "node-heal-hop",
    token: fields.token("token"),
    start: fields.address("start address"),
  }),
  "NODE HEAL-DONE": (fields) => ({ kind: "node-heal-done", token: fields.token("token") }),
  "TOPOLOGY HOP": (fields) => ({
    kind: "topology-hop",
    token: fields.token("token"),
    start: fields.address("start address"),
    edges: fields.list("history", parseHistory),
  }),
  "TOPOLOGY DONE": (fields) => ({
    kind: "topology-done",
    token: fields.token("token"),
    edges: fields.list("history", parseHistory),
  }),
  "TOPOLOGY SET": (fields) => ({
    kind: "topology-set",
    edges: fields.list("history", parseHistory),
  }),
  "NETMAP HOP": (fields) => ({
    kind: "netmap-hop",
    token: fields.token("token"),
    start: fields.address("start address"),
    entries: fields.list("entries", parseEntries),
  }),
  "NETMAP DONE": (fields) => ({
    kind: "netmap-done",
    token: fields.token("token"),
    entries: fields.list("entries", parseEntries),
  }),
  "NETMAP SET": (fields) => ({
    kind: "netmap-set",
    entries: fields.list("entries", parseEntries),
  }),
  "FILE RELAY-STREAM": readRelayStream,
  "FILE RELAY-BLOB": (fields) => {
    fields.expectBody();
    return {
      kind: "file-relay-blob",
      token: fields.token("token"),
      start: fields.address("start address"),
      bodyBytes: fields.body("size"),
      name: fields.fileName(),
    };
  },
  "FILE GET-CHUNK": (fields) => ({ kind: "file-get-chunk", chunk: fields.chunkName() }),
  "FILE GET-BACKUP-CHUNK": (fields) => ({
    kind: "file-get-backup-chunk",
    chunk: fields.chunkName(),
  }),
  "FILE NOTIFY-CHUNK-SAVED": (fields) => ({
    kind: "file-notify-chunk-saved",
    chunk: fields.chunkName(),
  }),
  "FILE GET-CHUNK-FOR-BACKUP": (fields) => ({
    kind: "file-get-chunk-for-backup",
    chunk: fields.chunkName(),
  }),
  "FILE TAGS-SET": (fields) => ({ kind: "file-tags-set", tags: fields.list("tags", parseTags) }),
};

/** What only our nodes send each other. */
const ownVerbs: Record<string, ReadVerb> = {
  "NODE RESTRICT": () => ({ kind: "node-restrict" }),
  "NODE SCRUB-LOCAL": () => ({ kind: "node-scrub-local" }),
  "NODE METRICS": () => ({ kind: "node-metrics" }),
  "RING PING": (fields) => ({
    kind: "ring-ping",
    from: fields.address("address"),
    incarnation: fields.id("incarnation"),
    viewDigest: fields.id("view digest"),
    catalogDigest: fields.id("catalog digest"),
  }),
  "RING VIEW": (fields) => {
    fields.expectBody();
    return { kind: "ring-view", bodyBytes: fields.body("size", viewBytesMax) };
  },
  "RING STOPPING": (fields) => ({
    kind: "ring-stopping",
    seconds: fields.count("seconds", stoppingSecondsMax),
  }),
  "RING EVENTS": (fields) => ({ kind: "ring-events", after: fields.id("event id") }),
  "FILE STAGE": (fields) => {
    fields.expectBody();
    return {
      kind: "file-stage",
      token: fields.token("token"),
      part: fields.count("part", partsMax - 1),
      copy: fields.count("copy", copiesMax - 1),
      bodyBytes: fields.body("size"),
      name: fields.fileName(),
    };
  },
  "FILE STAGE-ALL": (fields) => {
    fields.expectBody();
    const token = fields.token("token");
    const fileBytes = fields.count("file size", smallFileBytesMax);
    const bodyBytes = fields.body("size", smallFileBytesMax);
    return { kind: "file-stage-all", token, fileBytes, bodyBytes, name: fields.fileName() };
  },
  "FILE COMMIT": (fields) => {
    fields.expectBody();
    return { kind: "file-commit", bodyBytes: fields.body("size", recordBytesMax) };
  },
  "FILE ABORT": (fields) => ({ kind: "file-abort", pushId: fields.id("push id") }),
  "FILE PUSH-STATE": (fields) => ({ kind: "file-push-state", pushId: fields.id("push id") }),
  "FILE OPEN": (fields) => ({
    kind: "file-open",
    pushId: fields.id("push id"),
    part: fields.count("part", partsMax - 1),
    name: fields.fileName(),
  }),
  "FILE READ": (fields) => ({
    kind: "file-read",
    offset: fields.count("offset"),
    count: fields.count("count"),
  }),
  "FILE FETCH": (fields) => ({
    kind: "file-fetch",
    pushId: fields.id("push id"),
    parts: fields.counts("parts", { max: partsMax - 1, itemsMax: fetchedPartsMax }),
  }),
  "CATALOG PULL": (fields) => {
    fields.expectBody();
    return { kind: "catalog-pull", bodyBytes: fields.body("size", digestBytes) };
  },
  "CATALOG FORGET": (fields) => {
    fields.expectBody();
    return { kind: "catalog-forget", bodyBytes: fields.body("size", recordBytesMax) };
  },
};

/** How to read each command, by its noun and verb in upper case. */
export const verbs: ReadonlyMap<string, ReadVerb> = new Map(
  [clientVerbs, nodeVerbs, ownVerbs].flatMap((table) => Object.entries(table)),
);

/** The nouns that have verbs. */
export const nouns: ReadonlySet<string> = new Set(
  [...verbs.keys()].map((command) => command.slice(0, command.indexOf(" "))),
);

/**
 * The body is what is left of the file from part `index` on. With a bad index its length cannot be
 * trusted: the sender counts parts otherwise than we do.
 */
function readRelayStream(fields: Fields): Command {
  fields.expectBody();
  const token = fields.token("token");
  const start = fields.address("start address");
  const fileBytes = fields.body("size");
  const sizeKnown = fields.bodyBytes !== undefined;
  const parts = fields.count("parts", partsMax);
  if (parts === 0) fields.failInvalid("parts");
  const index = fields.number();
  if (index === undefined || index >= parts) fields.fail("bad FILE RELAY-STREAM index");
  const derivable = sizeKnown && index !== undefined && index < parts;
  const bodyBytes = derivable ? fileBytes - partOffset(fileBytes, parts, index) : 0;
  fields.bodyBytes = derivable ? bodyBytes : undefined;
  const name = fields.fileName();
  return {
    kind: "file-relay-stream",
    token,
    start,
    fileBytes,
    parts,
    index: index ?? 0,
    name,
    bodyBytes,
  };
}
