import { SimCatalog, type SimOutcome } from "./sim_catalog.ts";
import type { SimNode } from "./sim_node.ts";
import type { SimRing } from "./sim_ring.ts";

/** One push or delete of a client, and what became of it. */
interface Operation {
  readonly id: number;
  readonly name: string;
  readonly isTombstone: boolean;
  readonly beganMs: number;
  outcome: SimOutcome | "no answer";
  /** The version it was acknowledged with. */
  version: string;
}

/** What clients do. */
export interface SimClientsOptions {
  /** Operations a simulated minute, all clients together. */
  readonly perMinute: number;
}

/** Of ten operations these make a new name, and these delete one; the others overwrite. */
const newOfTen = 5;
const deletesOfTen = 2;

/** How often every node that serves is asked whether it knows what was acknowledged, in ms. */
const lookEveryMs = 10;

/** Gossip intervals after which catalogs must be the same: a few of them cross any ring. */
const settleIntervals = 20;

/**
 * Clients that push, overwrite and delete through nodes that serve, and a model of what they were told:
 *
 * 1. Whatever happens, a name ends with the highest version that was acknowledged, or a higher one:
 *    nothing acknowledged is lost, and nothing deleted comes back.
 * 2. While no message gets lost, what is acknowledged is also above all that was acknowledged before
 *    it began, whatever the clocks say, and every node that serves knows of it at that moment.
 */
export class SimClients {
  readonly #ring: SimRing;
  readonly #meanMs: number;
  readonly #operations: Operation[] = [];
  readonly #acknowledged: Operation[] = [];
  readonly #byName = new Map<string, Operation[]>();
  /** How many of the acknowledged ones a catalog is known to have; it loses none. */
  readonly #seen = new WeakMap<SimCatalog, number>();
  #isStopped = false;

  constructor(ring: SimRing, { perMinute }: SimClientsOptions) {
    this.#ring = ring;
    this.#meanMs = 60_000 / perMinute;
  }

  /** How many operations ended in which way. */
  counts(): ReadonlyMap<Operation["outcome"], number> {
    const counts = new Map<Operation["outcome"], number>();
    for (const { outcome } of this.#operations) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    return counts;
  }

  /** Begins to operate, and with `looks` to compare what nodes serve all the time. */
  start({ looks }: { readonly looks: boolean }): void {
    this.#operateSoon(looks);
    if (looks) this.#lookSoon();
  }

  /** Begins nothing more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Every node that serves has every record that was acknowledged, or a later one. */
  look(): void {
    for (const node of this.#ring.nodes) {
      const catalog = catalogOf(node);
      if (catalog === undefined || !node.isReady) continue;
      const news = this.#acknowledged.slice(this.#seen.get(catalog) ?? 0);
      this.#seen.set(catalog, this.#acknowledged.length);
      const lost = news.find((operation) => !this.#isKnown(catalog, operation));
      if (lost === undefined) continue;
      throw new Error(`${node.address} serves without ${describe(lost)}, which was acknowledged`);
    }
  }

  /** What is wrong with the catalogs of a ring that has had quiet time; empty when nothing is. */
  faults(): string[] {
    const [first, ...others] = this.#ring.nodes.map(catalogOf);
    if (first === undefined) return ["a node does not run"];
    const differing = others.filter((each) => each?.catalogDigest() !== first.catalogDigest());
    const faults = differing.length > 0 ? [`${differing.length} catalogs differ`] : [];
    for (const name of first.records.keys()) {
      if (!this.#byName.has(name)) faults.push(`'${name}' is listed, and nobody has pushed it`);
    }
    for (const [name, operations] of this.#byName) {
      const fault = faultOf(first, operations);
      if (fault !== undefined) faults.push(`'${name}': ${fault}`);
    }
    return faults;
  }

  /** Lets some gossip intervals pass until nothing is wrong with the catalogs; what still is then. */
  settle(): string[] {
    let faults = this.faults();
    for (let interval = 0; interval < settleIntervals && faults.length > 0; interval++) {
      this.#ring.scheduler.runFor(this.#ring.gossipIntervalMs);
      faults = this.faults();
    }
    return faults;
  }

  #operateSoon(looks: boolean): void {
    const { scheduler, nodes } = this.#ring;
    scheduler.after(scheduler.between(0, 2 * this.#meanMs), () => {
      if (this.#isStopped) return;
      this.#operateSoon(looks);
      const node = scheduler.random.pick(nodes);
      const catalog = catalogOf(node);
      if (catalog !== undefined && node.isReady) this.#operate(catalog, looks);
    });
  }

  #operate(catalog: SimCatalog, looks: boolean): void {
    const { random, nowMs } = this.#ring.scheduler;
    const kind = random.integer(10);
    const known = random.pick(this.#operations);
    const isNew = known === undefined || kind < newOfTen;
    const operation: Operation = {
      id: this.#operations.length,
      name: isNew ? `file ${this.#operations.length}` : known.name,
      isTombstone: !isNew && kind < newOfTen + deletesOfTen,
      beganMs: nowMs,
      outcome: "no answer",
      version: "",
    };
    const earlier = this.#byName.get(operation.name) ?? [];
    const floor = maxVersion(earlier);
    this.#operations.push(operation);
    this.#byName.set(operation.name, [...earlier, operation]);
    const { id, name, isTombstone } = operation;
    catalog.commit({ operation: id, name, isTombstone }, (outcome, version) => {
      operation.outcome = outcome;
      if (outcome !== "acknowledged") return;
      operation.version = version;
      this.#acknowledged.push(operation);
      if (!looks) return;
      const isAbove = floor === undefined || version > floor.version || mayBeGone(earlier);
      if (!isAbove) throw new Error(`${describe(operation)} is below ${describe(floor)}`);
      this.look();
    });
  }

  #lookSoon(): void {
    this.#ring.scheduler.after(lookEveryMs, () => {
      this.#lookSoon();
      this.look();
    });
  }

  #isKnown(catalog: SimCatalog, { name, version }: Operation): boolean {
    const record = catalog.records.get(name);
    if (record !== undefined && record.version >= version) return true;
    return mayBeGone(this.#byName.get(name) ?? []);
  }
}

/** What is wrong with the record of one name in the end. */
function faultOf(catalog: SimCatalog, operations: readonly Operation[]): string | undefined {
  const last = maxVersion(operations);
  if (last === undefined) return undefined;
  const record = catalog.records.get(last.name);
  if (record === undefined) {
    return mayBeGone(operations) ? undefined : `${describe(last)} was acknowledged and is lost`;
  }
  if (record.version >= last.version) return undefined;
  const maker = operations.find(({ id }) => id === record.operation);
  const isLater = maker !== undefined && maker.beganMs > last.beganMs;
  return isLater && mayBeGone(operations)
    ? undefined
    : `it is ${record.version}, below ${describe(last)}`;
}

/**
 * Whether a delete of the name may have been dropped, as everybody had it: nothing is left of the name
 * then, and its versions begin anew. One without an answer may have been carried out.
 */
function mayBeGone(operations: readonly Operation[]): boolean {
  return operations.some(({ isTombstone, outcome }) => isTombstone && outcome !== "refused");
}

/** The acknowledged operation with the highest version. */
function maxVersion(operations: readonly Operation[]): Operation | undefined {
  let last: Operation | undefined;
  for (const each of operations) {
    if (each.outcome === "acknowledged" && each.version > (last?.version ?? "")) last = each;
  }
  return last;
}

function describe({ id, isTombstone, version }: Operation): string {
  return `${isTombstone ? "delete" : "push"} ${id} (${version})`;
}

function catalogOf(node: SimNode): SimCatalog | undefined {
  return node.application instanceof SimCatalog ? node.application : undefined;
}
