import { parseArgs } from "@std/cli/parse-args";
import { type FaultKind, faultKinds, usualKinds } from "./plan.ts";

/** What a chaos run does. */
export interface ChaosOptions {
  /** How long it takes, start and last check included; the fault that is under way comes to its end. */
  readonly minutes: number;
  /** Decides the faults and what the clients do, as far as real processes allow. */
  readonly seed: number;
  readonly nodes: number;
  readonly clients: number;
  /** Milliseconds between two looks of a node at its successor. */
  readonly waitTimeMs: number;
  readonly durability: "fsync" | "relaxed";
  /** How many of the nodes are behind a proxy. */
  readonly proxies: number;
  /** The kinds of faults; all of them by default. */
  readonly faults: readonly FaultKind[];
  /** How much the nodes log. */
  readonly logLevel: string;
  /** What a failed run has on disk stays. */
  readonly keep: boolean;
}

/** Thrown on a command line that cannot be run; the message is one line for its user. */
export class ChaosUsageError extends Error {
  override readonly name = "ChaosUsageError";
}

/** What `--help` says. */
export const chaosHelp =
  `deno task chaos: clients work on a ring of real processes while it is being broken

What the ring acknowledges is kept outside of it, and every read is compared with that. The run ends at the
first wrong byte, with exit code 1, the seed and what is known of it. Linux only; the full disk needs root.

  --minutes M         how long it takes, start and last check included, 0.1 to 1440 [3]
  --seed N            decides faults and clients; printed [from the clock]
  --nodes N           3 to 16 [5]
  --clients N         1 to 64 [6]
  --wait-time MS      the gossip interval of the ring [500]
  --durability LEVEL  fsync or relaxed [fsync]
  --proxies N         nodes behind a proxy that delays, cuts and stalls connections [2]
  --faults LIST       only these kinds, of
${faultList()}
                      [all but net-refuse]
  --log-level LEVEL   of the nodes [info]
  --keep              leave what a failed run has on disk
`;

/**
 * Reads the command line.
 *
 * @returns `undefined` when the help is asked for.
 * @throws {ChaosUsageError} On what is no option.
 */
export function parseChaosOptions(args: readonly string[]): ChaosOptions | undefined {
  const flags = parseArgs([...args], {
    boolean: ["help", "keep"],
    string: [
      ...["minutes", "seed", "nodes", "clients", "wait-time", "durability", "proxies", "faults"],
      "log-level",
    ] as const,
    unknown: (arg) => {
      throw new ChaosUsageError(`Unknown argument '${arg}'; see --help`);
    },
  });
  if (flags.help) return undefined;
  const nodes = numberOf(flags.nodes ?? "5", { min: 3, max: 16 });
  return {
    minutes: numberOf(flags.minutes ?? "3", { min: 0.1, max: 1440, isFraction: true }),
    seed: numberOf(flags.seed ?? String(Date.now() % 1_000_000), { min: 0, max: 2 ** 32 - 1 }),
    nodes,
    clients: numberOf(flags.clients ?? "6", { min: 1, max: 64 }),
    waitTimeMs: numberOf(flags["wait-time"] ?? "500", { min: 50, max: 60_000 }),
    durability: oneOf(flags.durability ?? "fsync", ["fsync", "relaxed"] as const),
    proxies: numberOf(flags.proxies ?? "2", { min: 0, max: nodes }),
    faults: flags.faults === undefined
      ? usualKinds
      : flags.faults.split(",").map((kind) => oneOf(kind, faultKinds)),
    logLevel: oneOf(flags["log-level"] ?? "info", ["debug", "info", "warn", "error"] as const),
    keep: flags.keep,
  };
}

function faultList(): string {
  return faultKinds.map((kind) => `                        ${kind}`).join("\n");
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly isFraction?: boolean;
}

function numberOf(text: string, { min, max, isFraction }: Range): number {
  const value = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : NaN;
  const isGood = value >= min && value <= max && (isFraction === true || Number.isInteger(value));
  if (!isGood) throw new ChaosUsageError(`'${text}' is not a number from ${min} to ${max}`);
  return value;
}

function oneOf<T extends string>(text: string, values: readonly T[]): T {
  const value = values.find((known) => known === text);
  if (value !== undefined) return value;
  throw new ChaosUsageError(`'${text}' is none of ${values.join(", ")}`);
}
