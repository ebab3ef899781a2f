import { formatAddress, type NodeAddress } from "../../src/protocol/address.ts";
import type { Command, CommandKind } from "../../src/protocol/command.ts";
import type { WriteCondition } from "../../src/protocol/condition.ts";
import { bucketCount } from "../../src/protocol/digest.ts";
import { partsMax, smallFileBytesMax } from "../../src/protocol/limits.ts";
import { chunkName, normalizeName, partLengths, partOffset } from "../../src/protocol/names.ts";
import { nextVersion } from "../../src/protocol/ulid.ts";
import type { SeededRandom } from "../support/seeded_random.ts";

/** An address on the default host. */
export function local(port: number): NodeAddress {
  return formatAddress("127.0.0.1", port);
}

/** Characters that names may hold and parsers may stumble over. */
export const nasty = [..."ab .,;:|/\\\"'->=\t\r\n\0€ü漢", "\u{1F600}", "\uD800", "\uFEFF"];

/** A random name as the parser gives it. */
export function randomName(random: SeededRandom): string {
  const result = normalizeName(random.text(nasty, 40) + random.pick(["x", "é", " ", "\u{1F600}"]));
  if (!result.ok) throw new Error(result.error);
  return result.name;
}

/** A random address; some are on other hosts. */
export function randomAddress(random: SeededRandom): NodeAddress {
  return formatAddress(
    random.pick(["127.0.0.1", "127.0.0.1", "node-3.example", "::1"]),
    1 + random.integer(65535),
  );
}

/** A random command of each kind: the type makes sure that none is forgotten. */
export function randomCommands(random: SeededRandom): Command[] {
  const byKind: { [K in CommandKind]: Extract<Command, { kind: K }> } = {
    ...clientCommands(random),
    ...walkCommands(random),
    ...fileCommands(random),
    ...ownCommands(random),
  };
  return Object.values(byKind);
}

type ByKind<K extends CommandKind> = { [Kind in K]: Extract<Command, { kind: Kind }> };

function clientCommands(random: SeededRandom) {
  return {
    "node-ping": { kind: "node-ping" },
    "node-status": { kind: "node-status" },
    "node-next": { kind: "node-next", address: randomAddress(random) },
    "node-heal": { kind: "node-heal" },
    "node-info": { kind: "node-info" },
    "node-stop": { kind: "node-stop", incarnation: randomId(random) },
    "node-kill": { kind: "node-kill", incarnation: randomId(random) },
    "netmap-get": { kind: "netmap-get" },
    "netmap-discover": { kind: "netmap-discover" },
    "topology-walk": { kind: "topology-walk" },
    "file-push": { kind: "file-push", bodyBytes: randomSize(random), name: randomName(random) },
    "file-pull": { kind: "file-pull", name: randomName(random) },
    "file-get": { kind: "file-get", name: randomName(random) },
    "file-stat": { kind: "file-stat", name: randomName(random) },
    "file-delete": { kind: "file-delete", name: randomName(random) },
    "file-list": { kind: "file-list" },
    "file-range": {
      kind: "file-range",
      offset: randomSize(random),
      count: random.pick([undefined, randomSize(random)]),
      version: random.pick([undefined, randomVersion(random)]),
      name: randomName(random),
    },
    "file-put": {
      kind: "file-put",
      size: randomSize(random),
      sha256: random.pick([undefined, "0123456789abcdef".repeat(4)]),
      condition: randomCondition(random),
      name: randomName(random),
    },
    "file-delete-if": {
      kind: "file-delete-if",
      condition: randomCondition(random),
      name: randomName(random),
    },
    "file-page": {
      kind: "file-page",
      limit: random.integer(1_000),
      after: random.pick(["", "-", randomName(random)]),
      prefix: random.pick(["", "-", randomName(random)]),
    },
    "ring-forward": {
      kind: "ring-forward",
      ttl: random.integer(100),
      message: random.text([..."hello world "], 30),
    },
  } satisfies Partial<ByKind<CommandKind>>;
}

function walkCommands(random: SeededRandom) {
  const token = `t-${random.integer(1e9)}|walk`;
  const start = randomAddress(random);
  const edges = Array.from({ length: random.integer(6) }, () => ({
    from: randomAddress(random),
    to: randomAddress(random),
  }));
  const entries = Array.from({ length: random.integer(6) }, () => ({
    address: randomAddress(random),
    status: random.pick(["Alive", "Dead"] as const),
  }));
  return {
    "node-heal-hop": { kind: "node-heal-hop", token, start },
    "node-heal-done": { kind: "node-heal-done", token },
    "topology-hop": { kind: "topology-hop", token, start, edges },
    "topology-done": { kind: "topology-done", token, edges },
    "topology-set": { kind: "topology-set", edges },
    "netmap-hop": { kind: "netmap-hop", token, start, entries },
    "netmap-done": { kind: "netmap-done", token, entries },
    "netmap-set": { kind: "netmap-set", entries },
  } satisfies Partial<ByKind<CommandKind>>;
}

function fileCommands(random: SeededRandom) {
  const parts = 1 + random.integer(random.pick([3, 20, partsMax]));
  const index = random.integer(parts);
  const fileBytes = randomSize(random);
  const name = randomName(random);
  const chunk = chunkName(name, index, parts);
  const token = `t-${random.integer(1e9)}`;
  const start = randomAddress(random);
  const tags = Array.from({ length: random.integer(6) }, () => ({
    name: randomName(random),
    start: randomAddress(random),
    size: randomSize(random),
    parts: 1 + random.integer(partsMax),
  }));
  return {
    "file-relay-stream": {
      kind: "file-relay-stream",
      token,
      start,
      fileBytes,
      parts,
      index,
      name,
      bodyBytes: partLengths(fileBytes, parts).slice(index).reduce((sum, part) => sum + part, 0),
    },
    "file-relay-blob": {
      kind: "file-relay-blob",
      token,
      start,
      bodyBytes: fileBytes - partOffset(fileBytes, parts, index),
      name,
    },
    "file-get-chunk": { kind: "file-get-chunk", chunk },
    "file-get-backup-chunk": { kind: "file-get-backup-chunk", chunk },
    "file-notify-chunk-saved": { kind: "file-notify-chunk-saved", chunk },
    "file-get-chunk-for-backup": { kind: "file-get-chunk-for-backup", chunk },
    "file-tags-set": { kind: "file-tags-set", tags },
  } satisfies Partial<ByKind<CommandKind>>;
}

function ownCommands(random: SeededRandom) {
  const pushId = randomId(random);
  const part = random.integer(partsMax);
  const name = randomName(random);
  return {
    "node-restrict": { kind: "node-restrict" },
    "node-scrub": { kind: "node-scrub" },
    "node-scrub-local": { kind: "node-scrub-local" },
    "node-metrics": { kind: "node-metrics" },
    "ring-events": { kind: "ring-events", after: randomId(random) },
    "catalog-forget": { kind: "catalog-forget", bodyBytes: 77 },
    "ring-ping": {
      kind: "ring-ping",
      from: randomAddress(random),
      incarnation: randomId(random),
      viewDigest: randomId(random),
      catalogDigest: randomId(random),
    },
    "ring-view": { kind: "ring-view", bodyBytes: random.integer(100_000) },
    "ring-stopping": { kind: "ring-stopping", seconds: random.integer(600) },
    "file-stage": {
      kind: "file-stage",
      token: "o2.x",
      part,
      copy: random.integer(4),
      bodyBytes: randomSize(random),
      name,
    },
    "file-stage-all": {
      kind: "file-stage-all",
      token: "o2.x",
      fileBytes: random.integer(smallFileBytesMax + 1),
      bodyBytes: random.integer(smallFileBytesMax + 1),
      name,
    },
    "file-commit": { kind: "file-commit", bodyBytes: random.integer(1e6) },
    "file-abort": { kind: "file-abort", pushId },
    "file-push-state": { kind: "file-push-state", pushId },
    "file-open": { kind: "file-open", pushId, part, name },
    "file-fetch": { kind: "file-fetch", pushId, parts: [part, random.integer(9)] },
    "file-read": { kind: "file-read", offset: randomSize(random), count: randomSize(random) },
    "catalog-pull": { kind: "catalog-pull", bodyBytes: bucketCount * 8 },
  } satisfies Partial<ByKind<CommandKind>>;
}

/** A condition of any kind. */
function randomCondition(random: SeededRandom): WriteCondition {
  const kind = random.pick(["any", "absent", "present", "is", "not"] as const);
  if (kind !== "is" && kind !== "not") return { kind };
  return {
    kind,
    versions: Array.from({ length: 1 + random.integer(3) }, () => randomVersion(random)),
  };
}

function randomVersion(random: SeededRandom): string {
  const bytes = Uint8Array.from({ length: 10 }, () => random.integer(256));
  return nextVersion(random.integer(2 ** 40), bytes, undefined);
}

function randomId(random: SeededRandom): string {
  return `${random.integer(10)}${random.text([..."0aZ_-"], 30)}`;
}

function randomSize(random: SeededRandom): number {
  return random.pick([
    0,
    1,
    random.integer(1000),
    random.integer(2 ** 40),
    Number.MAX_SAFE_INTEGER,
  ]);
}
