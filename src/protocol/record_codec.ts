import { type NodeAddress, parseAddress } from "./address.ts";
import { blockBytes, copiesMax, partsMax } from "./limits.ts";
import { isId, normalizeName, partLength } from "./names.ts";
import type { FileRecord, PartPlacement, StoredFile, Tombstone } from "./record.ts";
import { isUlid } from "./ulid.ts";

/**
 * Writes a record as one line of JSON, without a line end; the inverse of {@linkcode parseRecord}.
 * Equal records give equal texts.
 *
 * @example
 * ```ts
 * import { formatRecord, parseRecord } from "./record_codec.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const id = "01HF7YAT000000000000000000";
 * const record = { kind: "tombstone", name: "a.txt", version: id, pushId: id, timeMs: 1 } as const;
 * assertEquals(parseRecord(formatRecord(record)), record);
 * ```
 */
export function formatRecord(record: FileRecord): string {
  const { kind, name, version, pushId, timeMs } = record;
  if (kind === "tombstone") return JSON.stringify({ kind, name, version, pushId, timeMs });
  const { size, sha256, start, foreign } = record;
  const placement = record.placement.map(({ nodes, length, checksums }) => ({
    nodes,
    length,
    checksums,
  }));
  return JSON.stringify({
    kind,
    name,
    version,
    pushId,
    size,
    sha256,
    start,
    timeMs,
    foreign,
    placement,
  });
}

/**
 * Reads a record that came from a disk or a peer. Every field is checked: names are normalised, each
 * part is as long as the size asks, each block has a checksum, no field is unknown or missing.
 *
 * @throws {SyntaxError} saying which field is wrong.
 */
export function parseRecord(text: string): FileRecord {
  const fields = asObject(JSON.parse(text), "the record");
  switch (fields.kind) {
    case "file":
      return parseFile(fields);
    case "tombstone":
      expectKeys(fields, tombstoneKeys);
      return { kind: "tombstone", ...parseCommon(fields) };
    default:
      return refuse("its kind is unknown");
  }
}

type Fields = Readonly<Record<string, unknown>>;

const tombstoneKeys = keySet<Tombstone>("kind", "name", "version", "pushId", "timeMs");

const fileKeys = keySet<StoredFile>(
  "kind",
  "name",
  "version",
  "pushId",
  "timeMs",
  "size",
  "sha256",
  "start",
  "foreign",
  "placement",
);

const partKeys = keySet<PartPlacement>("nodes", "length", "checksums");

function keySet<T>(...keys: readonly (keyof T & string)[]): ReadonlySet<string> {
  return new Set(keys);
}

function parseFile(fields: Fields): StoredFile {
  expectKeys(fields, fileKeys);
  const size = asCount(fields.size, "size");
  const foreign = fields.foreign;
  if (typeof foreign !== "boolean") refuse("'foreign' is neither true nor false");
  const sha256 = asText(fields.sha256, "sha256");
  if (!/^[0-9a-f]{64}$/.test(sha256) && !(foreign && sha256 === "")) {
    refuse("'sha256' is not 64 hex digits");
  }
  const parts = asArray(fields.placement, "placement", partsMax);
  const placement = parts.map((part, i) => {
    const read = parsePart(asObject(part, `part ${i}`));
    if (read.length !== partLength(size, parts.length, i)) {
      refuse(`part ${i} of ${parts.length} has ${read.length} of ${size} bytes`);
    }
    const digits = Math.ceil(read.length / blockBytes) * 8;
    if (read.checksums.length !== digits && !(foreign && read.checksums === "")) {
      refuse(`part ${i} of ${read.length} bytes has ${read.checksums.length / 8} checksums`);
    }
    return read;
  });
  const start = asAddress(fields.start);
  return { kind: "file", ...parseCommon(fields), size, sha256, start, foreign, placement };
}

function parseCommon(fields: Fields): Omit<Tombstone, "kind"> {
  const name = asText(fields.name, "name");
  const normalized = normalizeName(name);
  if (!normalized.ok || normalized.name !== name) refuse("'name' is not normalised");
  const version = asText(fields.version, "version");
  if (!isUlid(version)) refuse("'version' is no ULID");
  const pushId = asText(fields.pushId, "pushId");
  if (!isId(pushId)) refuse("'pushId' is no id");
  return { name, version, pushId, timeMs: asCount(fields.timeMs, "timeMs") };
}

function parsePart(fields: Fields): PartPlacement {
  expectKeys(fields, partKeys);
  const nodes = asArray(fields.nodes, "nodes", copiesMax).map(asAddress);
  if (nodes.some((node, i) => nodes.indexOf(node) !== i)) refuse("a part lies twice on one node");
  const checksums = asText(fields.checksums, "checksums");
  if (!/^[0-9a-f]*$/.test(checksums)) refuse("'checksums' is not hex digits");
  return { nodes, length: asCount(fields.length, "length"), checksums };
}

/** Addresses that were checked: the records of a ring have the same few. */
const knownAddresses = new Set<string>();

/** Addresses that are remembered: many times those of the largest ring, and a few hundred KiB. */
const knownAddressesMax = 4_096;

function asAddress(value: unknown): NodeAddress {
  const text = asText(value, "address");
  if (!knownAddresses.has(text)) {
    if (parseAddress(text) !== text) refuse(`'${text.slice(0, 80)}' is no address`);
    // Those that are used are back at once.
    if (knownAddresses.size >= knownAddressesMax) knownAddresses.clear();
    knownAddresses.add(text);
  }
  return text as NodeAddress;
}

function asObject(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse(`${what} is no object`);
  }
  return value as Fields;
}

/** Fields that are not in `keys` are refused; that those in `keys` are there is checked by type. */
function expectKeys(fields: Fields, keys: ReadonlySet<string>): void {
  for (const key of Object.keys(fields)) {
    if (!keys.has(key)) refuse(`'${key.slice(0, 80)}' is unknown`);
  }
}

function asText(value: unknown, what: string): string {
  return typeof value === "string" ? value : refuse(`'${what}' is no text`);
}

function asCount(value: unknown, what: string): number {
  const isCount = typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
  return isCount ? value : refuse(`'${what}' is no count`);
}

/** An array of 1 to `max` items. */
function asArray(value: unknown, what: string, max: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > max) {
    return refuse(`'${what}' is no list of 1 to ${max}`);
  }
  return value;
}

function refuse(reason: string): never {
  throw new SyntaxError(`Cannot read a record: ${reason}`);
}
