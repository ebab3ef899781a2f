/** What commands are counted by; `invalid` are lines that are no command. */
export const operations = [
  ...["push", "pull", "get", "range", "list", "stat", "delete"] as const,
  ...["relay", "stage", "commit", "settle", "read", "catalog"] as const,
  ...["heal", "scrub", "ring", "info", "invalid"] as const,
] as const;

/** See {@linkcode operations}. */
export type Operation = typeof operations[number];

/**
 * The upper bounds of the classes that durations are sorted into, in seconds; one more class takes what
 * is longer. More would tell more, and each costs a series for every operation of every node.
 */
export const durationBounds: readonly number[] = [
  ...[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
];

/** Durations, sorted into classes. */
export interface Durations {
  readonly count: number;
  /** Seconds of all of them. */
  readonly sum: number;
  /** How many fell into each class, the last one of what is longer; all of them add up to `count`. */
  readonly classes: readonly number[];
}

/** What a node counts of the commands of one operation. */
export interface OperationCounts {
  /** Commands that are done, failed ones included. */
  readonly durations: Durations;
  /** Commands that failed. */
  readonly errors: number;
  /** Bytes of bodies. */
  readonly receivedBytes: number;
  /** Bytes of answers. */
  readonly sentBytes: number;
}

/** A number of things and the bytes that they take. */
export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

/**
 * What a node tells to `NODE METRICS`. What counts up begins at 0 with the process, so that a new `run`
 * means a new beginning. What is stored is as it was a few seconds ago at most.
 */
export interface NodeMetrics {
  /** Names the process. */
  readonly run: string;
  readonly version: string;
  readonly incarnation: string;
  /** `ready`, `catching-up` or `stopping`. */
  readonly state: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** Members of the ring as this node sees it, itself included, and how many of them are Alive. */
  readonly members: { readonly known: number; readonly alive: number };
  /** By operation; those that nobody has asked for are left out. */
  readonly operations: Readonly<Partial<Record<Operation, OperationCounts>>>;
  readonly connections: {
    /** Being served now. */
    readonly open: number;
    readonly accepted: number;
    /** Answered `ERR busy`. */
    readonly refused: number;
    /** From this node to others, those at rest included. */
    readonly toPeers: number;
  };
  readonly chunks: {
    readonly content: Amount;
    readonly backup: Amount;
    readonly staging: Amount;
    readonly retired: Amount;
    /** Damaged files that are kept for people to look at. */
    readonly quarantined: number;
  };
  /** In this node's catalog. */
  readonly records: { readonly files: Amount; readonly tombstones: number };
  /** 0 where the system does not tell. */
  readonly disk: { readonly freeBytes: number; readonly sizeBytes: number };
  readonly memory: { readonly residentBytes: number; readonly heapBytes: number };
  readonly healing: {
    /** Members that this node found Dead itself; two nodes may do so at once. */
    readonly deaths: number;
    readonly started: number;
    readonly failed: number;
    /** From the death to Alive again, of the members that this node respawned. */
    readonly durations: Durations;
  };
  readonly repair: {
    /** Chunks compared with their checksums by a scrub. */
    readonly checked: number;
    /** Chunks found damaged or gone, by whatever looked. */
    readonly damaged: number;
    /** Chunks fetched from other nodes. */
    readonly repaired: number;
    /** Attempts that found no copy. */
    readonly failed: number;
    /** Files that wait for another attempt. */
    readonly waiting: number;
    /** Chunks that the last scrub found nowhere. */
    readonly lost: number;
  };
  readonly events: { readonly told: number; readonly listeners: number };
}

/** Bytes of the answer to `NODE METRICS`: a node of ours sends some KiB. */
export const metricsBytesMax = 256 * 1024;

/** No durations yet. */
export function noDurations(): { count: number; sum: number; classes: number[] } {
  return { count: 0, sum: 0, classes: Array(durationBounds.length + 1).fill(0) };
}

/** Nothing counted yet. */
export function noCounts(): OperationCounts {
  return { durations: noDurations(), errors: 0, receivedBytes: 0, sentBytes: 0 };
}

/** Writes metrics in JSON. */
export function formatMetrics(metrics: NodeMetrics): string {
  return JSON.stringify(metrics);
}

/**
 * Reads metrics, which another process may have written. What is missing is 0 or empty, as in a program
 * that does not count it yet; what is not known is left out.
 *
 * @throws {SyntaxError} when it is no JSON of an object, or a value is not what it should be.
 *
 * @example
 * ```ts
 * import { formatMetrics, parseMetrics } from "./node_metrics.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const metrics = parseMetrics('{"run":"k3f","disk":{"freeBytes":12}}');
 * assertEquals(metrics.disk, { freeBytes: 12, sizeBytes: 0 });
 * assertEquals(parseMetrics(formatMetrics(metrics)), metrics);
 * assertThrows(() => parseMetrics('{"disk":{"freeBytes":"much"}}'), SyntaxError);
 * ```
 */
export function parseMetrics(text: string): NodeMetrics {
  const given: unknown = JSON.parse(text);
  const metrics = readLike(emptyMetrics(), given, "metrics");
  const counted = isObject(given) && isObject(given["operations"]) ? given["operations"] : {};
  const entries = operations.filter((operation) => Object.hasOwn(counted, operation))
    .map((operation) => [operation, readLike(noCounts(), counted[operation], operation)]);
  return { ...metrics, operations: Object.fromEntries(entries) };
}

function emptyMetrics(): NodeMetrics {
  const none: Amount = { count: 0, bytes: 0 };
  return {
    run: "",
    version: "",
    incarnation: "",
    state: "",
    pid: 0,
    uptimeSeconds: 0,
    members: { known: 0, alive: 0 },
    operations: {},
    connections: { open: 0, accepted: 0, refused: 0, toPeers: 0 },
    chunks: { content: none, backup: none, staging: none, retired: none, quarantined: 0 },
    records: { files: none, tombstones: 0 },
    disk: { freeBytes: 0, sizeBytes: 0 },
    memory: { residentBytes: 0, heapBytes: 0 },
    healing: { deaths: 0, started: 0, failed: 0, durations: noDurations() },
    repair: { checked: 0, damaged: 0, repaired: 0, failed: 0, waiting: 0, lost: 0 },
    events: { told: 0, listeners: 0 },
  };
}

/** Takes from `given` what `like` has, each value of the same type. */
function readLike<T>(like: T, given: unknown, what: string): T {
  if (given === undefined) return like;
  if (typeof like === "number") {
    if (typeof given === "number" && Number.isFinite(given) && given >= 0) return given as T;
  } else if (typeof like === "string") {
    if (typeof given === "string" && given.length <= textMax) return given as T;
  } else if (Array.isArray(like)) {
    // Other classes of durations than ours cannot be read as ours.
    if (Array.isArray(given) && given.length === like.length) {
      return like.map((each, index) => readLike(each, given[index], what)) as T;
    }
  } else if (isObject(like) && isObject(given)) {
    const entries = Object.entries(like).map(([key, value]) => [
      key,
      readLike(value, given[key], `${what}.${key}`),
    ]);
    return Object.fromEntries(entries);
  }
  throw new SyntaxError(`Metrics without a good ${what}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Characters of a text. */
const textMax = 200;
