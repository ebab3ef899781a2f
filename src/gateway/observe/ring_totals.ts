import type { NodeAddress } from "../../protocol/address.ts";
import type { NodeMetrics } from "../../protocol/node_metrics.ts";
import type { Labels, Sample } from "./metric_family.ts";
import { nodeFamilies, type NodeFamily } from "./node_families.ts";
import type { ScrapedNode } from "./node_scraper.ts";

/** What a node had counted when it was asked last. */
interface LastCounts {
  /** Of the process: another one begins to count anew. */
  readonly run: string;
  readonly counts: ReadonlyMap<string, number>;
}

/** A count of the whole ring. */
interface Total extends Omit<Sample, "value"> {
  value: number;
}

/**
 * Adds up what the nodes count, so that a sum never becomes less: a node that dies takes its counts with
 * it, and its next process begins at 0. What it counted between the last look and its death is not known
 * to anybody.
 */
export class RingTotals {
  readonly #last = new Map<NodeAddress, LastCounts>();
  /** By family, then by what tells the samples of it apart. */
  readonly #totals = new Map<string, Map<string, Total>>();

  /** Takes what the nodes say now. */
  take(nodes: readonly ScrapedNode[]): void {
    for (const { address, metrics } of nodes) {
      if (metrics !== undefined) this.#takeNode(address, metrics);
    }
  }

  /** The sums of a family of counts so far. */
  samples({ name }: NodeFamily): readonly Sample[] {
    return [...this.#totals.get(name)?.values() ?? []];
  }

  #takeNode(address: NodeAddress, metrics: NodeMetrics): void {
    const before = this.#last.get(address);
    const counts = new Map<string, number>();
    for (const family of nodeFamilies) {
      if (family.type === "gauge") continue;
      for (const each of family.read(metrics)) {
        const key = keyOf(each);
        const at = `${family.name} ${key}`;
        counts.set(at, each.value);
        const old = before?.run === metrics.run ? before.counts.get(at) ?? 0 : 0;
        this.#add(family.name, key, { ...each, value: Math.max(0, each.value - old) });
      }
    }
    this.#last.set(address, { run: metrics.run, counts });
  }

  #add(family: string, key: string, { suffix, labels, value }: Sample): void {
    const totals = this.#totals.get(family) ?? new Map<string, Total>();
    this.#totals.set(family, totals);
    const total = totals.get(key);
    if (total === undefined) totals.set(key, { suffix, labels, value });
    else total.value += value;
  }
}

/** Tells the samples of a family apart. */
export function keyOf(
  { suffix, labels }: { readonly suffix: string; readonly labels: Labels },
): string {
  return `${suffix} ${JSON.stringify(labels)}`;
}
