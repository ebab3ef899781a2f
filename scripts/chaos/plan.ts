import { SeededRandom } from "../../tests/support/seeded_random.ts";

/** Every kind of fault. */
export const faultKinds = [
  "kill-node",
  "kill-two-adjacent",
  "kill-all",
  "kill-gateway",
  "stop-node",
  "new-start",
  "wipe-dead-node",
  "wipe-running-node",
  "wipe-neighbours",
  "flip-chunks",
  "truncate-chunks",
  "remove-chunks",
  "truncate-catalog",
  "remove-catalog",
  "full-disk",
  "few-descriptors",
  "net-delay",
  "net-cut",
  "net-stall",
  "net-refuse",
] as const;

/** One kind of fault. */
export type FaultKind = typeof faultKinds[number];

/**
 * The kinds of a run that is not told which. A live node whose port refuses connections is only there to
 * be asked for: on one machine that cannot happen, and the ring takes a refusal for a death.
 */
export const usualKinds: readonly FaultKind[] = faultKinds.filter((kind) => kind !== "net-refuse");

/** One fault that is to be injected. */
export interface Fault {
  readonly kind: FaultKind;
  /** The place in the ring of the node that is hit. */
  readonly node: number;
  /** How long what lasts is to last. */
  readonly seconds: number;
  /** How many, how large, which variant: what the kind makes of it. At least 1. */
  readonly amount: number;
  /** For what else is drawn while it is done. */
  readonly seed: number;
}

/** What is injected together. */
export interface Round {
  readonly fault: Fault;
  /** Begins a little later, while the ring is still busy with the first. */
  readonly disturbance: { readonly fault: Fault; readonly afterMs: number } | undefined;
  /** Quiet until the next round, in ms. */
  readonly restMs: number;
}

/** What the machine and the options allow. */
export interface PlanOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly kinds: readonly FaultKind[];
  /** By their place in the ring. */
  readonly proxied: readonly number[];
  /** The place of the node with a disk of its own; undefined where there is none. */
  readonly ownDisk: number | undefined;
}

/** Kinds that take a copy of something away: two nodes must not have them at once. */
export const destructiveKinds: ReadonlySet<FaultKind> = new Set([
  "wipe-dead-node",
  "wipe-running-node",
  "wipe-neighbours",
  "flip-chunks",
  "truncate-chunks",
  "remove-chunks",
  "truncate-catalog",
  "remove-catalog",
]);

/** Kinds whose damage nobody sees before somebody reads. */
export const hiddenKinds: ReadonlySet<FaultKind> = new Set([
  "flip-chunks",
  "truncate-chunks",
  "remove-chunks",
]);

/** Kinds that may come on top of another one; nothing is lost by them. */
const disturbingKinds: readonly FaultKind[] = [
  "kill-node",
  "kill-node",
  "kill-two-adjacent",
  "kill-all",
  "kill-gateway",
  "stop-node",
  "net-delay",
  "net-cut",
  "net-stall",
  "net-refuse",
];

/** Of so many rounds one has a disturbance. */
const disturbedEvery = 3;

/**
 * The rounds of a run, without an end: every kind comes once in random order, then all of them again.
 * The same options give the same rounds.
 */
export function* planRounds(options: PlanOptions): Generator<Round> {
  const random = new SeededRandom(options.seed);
  const kinds = options.kinds.filter((kind) => isPossible(kind, options));
  if (kinds.length === 0) throw new RangeError("None of these faults can be injected here");
  const disturbing = disturbingKinds.filter((kind) => kinds.includes(kind));
  for (;;) {
    for (const kind of shuffled(kinds, random)) {
      const fault = draw(kind, options, random);
      const disturb = draw(
        disturbing.length === 0 ? kind : random.pick(disturbing),
        options,
        random,
      );
      const afterMs = random.integer(3_000);
      const isDisturbed = random.integer(disturbedEvery) === 0 && disturbing.length > 0;
      yield {
        fault,
        disturbance: isDisturbed ? { fault: disturb, afterMs } : undefined,
        restMs: random.integer(1_500),
      };
    }
  }
}

/** Which nodes get a proxy, and which one a disk of its own. */
export function chooseNodes(
  { seed, nodes, proxies }: { seed: number; nodes: number; proxies: number },
): { readonly proxied: number[]; readonly ownDisk: number } {
  const random = new SeededRandom(seed ^ 0x5f356495);
  const places = Array.from({ length: nodes }, (_, index) => index);
  return { proxied: shuffled(places, random).slice(0, proxies), ownDisk: random.integer(nodes) };
}

function isPossible(kind: FaultKind, { proxied, ownDisk }: PlanOptions): boolean {
  if (kind === "full-disk") return ownDisk !== undefined;
  return kind.startsWith("net-") ? proxied.length > 0 : true;
}

function draw(kind: FaultKind, options: PlanOptions, random: SeededRandom): Fault {
  const any = random.integer(options.nodes);
  const behindProxy = random.integer(Math.max(1, options.proxied.length));
  const node = kind === "full-disk"
    ? options.ownDisk ?? any
    : kind.startsWith("net-")
    ? options.proxied[behindProxy] ?? any
    : any;
  // 2 to 15 s; short ones are as good at finding faults, and more of them fit in a run.
  const seconds = 2 + random.integer(5) + (random.integer(4) === 0 ? random.integer(9) : 0);
  return { kind, node, seconds, amount: 1 + random.integer(6), seed: random.integer(2 ** 31) };
}

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const left = [...items];
  const result: T[] = [];
  while (left.length > 0) result.push(...left.splice(random.integer(left.length), 1));
  return result;
}
