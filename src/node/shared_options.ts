import { type NodeAddress, portOf } from "../protocol/address.ts";
import type { Durability, LogLevel, NodeOptions, PlacementRoute } from "./options.ts";

/**
 * What the members of a ring tell each other of a node's options, in JSON: everything but the
 * address, which they know, and the log file, which follows from it. Nodes with the same options
 * give the same text.
 */
export function sharedOptions(options: Omit<NodeOptions, "address" | "logFile">): string {
  return JSON.stringify({
    dataDir: options.dataDir,
    gossipIntervalMs: options.gossipIntervalMs,
    fileBytesMax: options.fileBytesMax,
    durability: options.durability,
    copies: options.copies,
    placement: options.placement,
    partBytesMin: options.partBytesMin,
    scrubRateMiB: options.scrubRateMiB,
    cacheBytes: options.cacheBytes,
    logLevel: options.logLevel,
    logJson: options.logJson,
    ...(options.testHooks === true && { testHooks: true }),
  });
}

/**
 * The options to start a node again with. It logs to `node.log` in its own directory, as nobody
 * reads its stderr, and knows that whoever starts it tells it of the ring.
 *
 * @throws {SyntaxError} on anything that {@linkcode sharedOptions} does not write: it came from a
 * peer.
 */
export function respawnOptions(address: NodeAddress, json: string): NodeOptions {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== "object" || parsed === null) throw new SyntaxError("Options expected");
  const fields: Readonly<Record<string, unknown>> = { ...parsed };
  const dataDir = text(fields, "dataDir");
  return {
    address,
    dataDir,
    gossipIntervalMs: count(fields, "gossipIntervalMs"),
    fileBytesMax: count(fields, "fileBytesMax"),
    durability: oneOf(fields, "durability", durabilities),
    copies: count(fields, "copies"),
    placement: oneOf(fields, "placement", routes),
    partBytesMin: count(fields, "partBytesMin"),
    scrubRateMiB: count(fields, "scrubRateMiB"),
    cacheBytes: count(fields, "cacheBytes"),
    logLevel: oneOf(fields, "logLevel", logLevels),
    logJson: fields["logJson"] === true,
    logFile: `${dataDir}/${portOf(address)}/node.log`,
    awaitsRing: true,
    ...(fields["testHooks"] === true && { testHooks: true }),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function text(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value === "string" && value !== "") return value;
  throw new SyntaxError(`Options without a good ${key}`);
}

function count(fields: Fields, key: string): number {
  const value = fields[key];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new SyntaxError(`Options without a good ${key}`);
}

function oneOf<T extends string>(fields: Fields, key: string, values: readonly T[]): T {
  const value = values.find((known) => known === fields[key]);
  if (value !== undefined) return value;
  throw new SyntaxError(`Options without a good ${key}`);
}

const routes: readonly PlacementRoute[] = ["auto", "direct", "relay"];

const durabilities: readonly Durability[] = ["fsync", "relaxed"];

const logLevels: readonly LogLevel[] = ["debug", "info", "warn", "error"];
