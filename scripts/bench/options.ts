import { parseArgs } from "@std/cli/parse-args";
import { parseSize } from "./sizes.ts";

/** The way from a client to a file. */
export type Path = "direct" | "other" | "gateway";

/** Whether the nodes, and the floor, wait for the disk. */
export type Durability = "fsync" | "relaxed";

/** A part of the benchmark. */
export type Section = "table" | "matrix";

/** What the benchmark is to measure. */
export interface BenchOptions {
  /** Of the files, in bytes. */
  readonly sizes: readonly number[];
  /** Of the rings, in nodes. */
  readonly nodeCounts: readonly number[];
  /** How many clients at once. */
  readonly clients: readonly number[];
  readonly paths: readonly Path[];
  readonly durabilities: readonly Durability[];
  /** How often everything is measured, one round after the other. */
  readonly runs: number;
  /** Milliseconds that small files are pushed or pulled for, in each run. */
  readonly lengthMs: number;
  /** Seconds for each ring: no round but the first is begun that would end later. */
  readonly secondsMax: number;
  /** How many nodes are killed to see how long the ring takes to heal. */
  readonly heals: number;
  /** Milliseconds between two looks of a node at its successor. */
  readonly gossipIntervalMs: number;
  /** A running ring to measure instead: a node that takes the files, and another one to pull from. */
  readonly peers: readonly string[];
  /** Where that ring keeps its files, a directory a node; undefined: nobody can look. */
  readonly peerDirectory: string | undefined;
  /** Where the directory for the ring and the floor is made; undefined: where the system likes it. */
  readonly directory: string | undefined;
  /** What is measured: the table of figures with bounds, the matrix of all transfers. */
  readonly only: readonly Section[];
  /** Rows of the table; undefined: all that take no minutes. */
  readonly rows: readonly string[] | undefined;
  /** How many files the catalog has for the rows about many. */
  readonly manyFiles: number;
  /** Where the ring that has them stays from run to run; undefined: it is deleted. */
  readonly manyDirectory: string | undefined;
  readonly json: boolean;
  /** The JSON of an earlier run to compare with. */
  readonly compareFile: string | undefined;
}

/** Thrown on a command line that cannot be run; the message is one line for its user. */
export class BenchUsageError extends Error {
  override readonly name = "BenchUsageError";
}

/** What `--help` says. */
export const benchHelp =
  `deno task bench: pushes and pulls files, and what the machine could do at best

Without options everything, which takes about an hour: the table of figures that have a bound, and the
matrix of transfers. Any option of one of them leaves the other out. OUROBOROS_BIN is the compiled program
to measure instead of main.ts.

The floor of a push: two plain processes share the work of receiving the bytes and writing them to two
files each. The floor of a pull: one reads the page cache and sends. Best of all runs.

  --quick             under a minute: a matrix of a ring of 5 without 512 MiB, 1 client, 3 rounds
  --only LIST         table, matrix [both]; the table without what takes minutes
  --runs N            rounds of all measurements [5; 3 with --quick and with the table alone]
  --length MS         how long small files are pushed or pulled in a run [250]
  --dir DIR           where the files go [the system's directory for temporary files]
  --json              the results as JSON
  --compare FILE      beside the results of an earlier --json

The table:
  --rows LIST         by name: push-256,get-16-warm; all: also those that take minutes
  --files N           in the catalog for the rows files-… [100000]
  --files-dir DIR     where they stay, so that the next run need not push them again

The matrix:
  --sizes LIST        of the files [1KiB,64KiB,1MiB,64MiB,512MiB]
  --nodes LIST        of the rings [1,3,5,20]
  --clients LIST      how many at once [1,4,16]; many only with small files
  --paths LIST        direct: to the node that takes the files, other: pulls from another node,
                      gateway [all]
  --durability LIST   fsync, relaxed [both]
  --seconds N         the time for one ring, at least one round of it [900]
  --heals N           nodes that are killed [3]
  --wait-time MS      the gossip interval of the ring [500]
  --peer HOST:PORT    measure a running ring; HOST:PORT,HOST:PORT pulls from the second ('other') too
  --peer-data DIR     its nodes' directories: also measure pushes until every copy is on disk
`;

/**
 * Reads the command line.
 *
 * @returns `undefined` when the help is asked for.
 * @throws {BenchUsageError} On what is no option of the benchmark.
 */
export function parseBenchOptions(args: readonly string[]): BenchOptions | undefined {
  const flags = parseArgs([...args], {
    boolean: ["help", "quick", "json"],
    string: [
      ...["sizes", "nodes", "clients", "paths", "durability", "runs", "seconds", "length", "heals"],
      ...["only", "rows", "files", "files-dir", "wait-time", "peer", "peer-data", "dir", "compare"],
    ] as const,
    unknown: (arg) => {
      throw new BenchUsageError(`Unknown argument '${arg}'; see --help`);
    },
  });
  if (flags.help) return undefined;
  const empty = lists.find((name) => flags[name]?.replaceAll(",", "").trim() === "");
  if (empty !== undefined) throw new BenchUsageError(`--${empty} is empty`);
  const peers = listOf(flags.peer ?? "", "a HOST:PORT", readAddress);
  if (peers.length > 2) throw new BenchUsageError("--peer takes one node or two");
  const { quick } = flags;
  const isMatrix = quick || matrixFlags.some((name) => flags[name] !== undefined);
  const isTable = tableFlags.some((name) => flags[name] !== undefined);
  const isAll = isMatrix === isTable && flags.only === undefined;
  const only = listOf(
    flags.only ?? (isAll ? "table,matrix" : isTable ? "table" : "matrix"),
    "table or matrix",
    readSection,
  );
  if (peers.length > 0 && only.includes("table")) {
    throw new BenchUsageError("The table is of rings that the benchmark starts, not of a --peer");
  }
  const isShort = quick || !only.includes("matrix");
  const rows = flags.rows ?? (isAll ? "all" : undefined);
  const paths = listOf(
    flags.paths ?? (quick ? "direct,gateway" : defaultPaths),
    "direct, other or gateway",
    readPath,
  );
  return {
    sizes: listOf(flags.sizes ?? (quick ? quickSizes : defaultSizes), "a size", parseSize),
    nodeCounts: listOf(flags.nodes ?? (quick ? "5" : "1,3,5,20"), "1 to 100 nodes", countUpTo(100)),
    clients: listOf(flags.clients ?? (quick ? "1" : "1,4,16"), "1 to 256 clients", countUpTo(256)),
    paths: peers.length === 0 ? paths : peers.length === 1 ? ["direct"] : ["direct", "other"],
    durabilities: listOf(
      flags.durability ?? (quick ? "fsync" : "relaxed,fsync"),
      "fsync or relaxed",
      readDurability,
    ),
    runs: one(flags.runs ?? (isShort ? "3" : "5"), "1 to 1000 runs", countUpTo(1000)),
    lengthMs: one(flags.length ?? "250", "1 to 60000 ms", countUpTo(60_000)),
    secondsMax: one(flags.seconds ?? (quick ? "40" : "900"), "seconds", countUpTo(86_400)),
    heals: one(flags.heals ?? (quick ? "1" : "3"), "0 to 100 heals", countUpTo(100, 0)),
    gossipIntervalMs: one(flags["wait-time"] ?? "500", "a time in ms", countUpTo(3_600_000)),
    peers,
    peerDirectory: flags["peer-data"],
    only,
    rows: rows === undefined ? undefined : listOf(rows, "a row", (text) => text),
    manyFiles: one(flags.files ?? "100000", "1 to 10000000 files", countUpTo(10_000_000)),
    manyDirectory: flags["files-dir"],
    directory: flags.dir,
    json: flags.json,
    compareFile: flags.compare,
  };
}

const lists = ["only", "rows", "sizes", "nodes", "clients", "paths", "durability", "peer"] as const;

/** What concerns the matrix alone. */
const matrixFlags = [
  ...["sizes", "nodes", "clients", "paths", "durability", "seconds", "heals"],
  ...["wait-time", "peer", "peer-data"],
] as const;

/** What concerns the table alone. */
const tableFlags = ["rows", "files", "files-dir"] as const;

const defaultSizes = "1KiB,64KiB,1MiB,64MiB,512MiB";
const defaultPaths = "direct,other,gateway";
const quickSizes = "1KiB,1MiB,64MiB";

function one<T>(text: string, wanted: string, read: (text: string) => T | undefined): T {
  const value = read(text.trim());
  if (value === undefined) throw new BenchUsageError(`'${text}' is not ${wanted}`);
  return value;
}

function listOf<T>(text: string, wanted: string, read: (text: string) => T | undefined): T[] {
  const items = text.split(",").filter((item) => item.trim() !== "");
  return [...new Set(items.map((item) => one(item, wanted, read)))];
}

function countUpTo(max: number, min = 1): (text: string) => number | undefined {
  return (text) => {
    const number = /^[0-9]{1,9}$/.test(text) ? Number(text) : NaN;
    return number >= min && number <= max ? number : undefined;
  };
}

function readPath(text: string): Path | undefined {
  return (["direct", "other", "gateway"] as const).find((path) => path === text);
}

function readSection(text: string): Section | undefined {
  return (["table", "matrix"] as const).find((section) => section === text);
}

function readDurability(text: string): Durability | undefined {
  return (["fsync", "relaxed"] as const).find((durability) => durability === text);
}

function readAddress(text: string): string | undefined {
  return /^[^\s]+:[0-9]{1,5}$/.test(text) ? text : undefined;
}
