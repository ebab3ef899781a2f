import { type Metric, Registry } from "prom-client";
import type { MetricFamily } from "./metric_family.ts";

/** A text for Prometheus. */
export interface Exposition {
  readonly text: string;
  /** Its media type. */
  readonly contentType: string;
}

/**
 * Writes families in the text format of Prometheus, each name once.
 *
 * Only who is asked for metrics loads this file: the library takes 20 MiB.
 */
export async function exposeFamilies(families: readonly MetricFamily[]): Promise<Exposition> {
  const registry = new Registry();
  for (const family of families) {
    // A registry takes what has a name and tells its values; these were counted elsewhere.
    registry.registerMetric(new CountedElsewhere(family) as unknown as Metric);
  }
  return { text: await registry.metrics(), contentType: registry.contentType };
}

/** A family as a registry takes it. */
class CountedElsewhere {
  readonly name: string;
  readonly #family: MetricFamily;

  constructor(family: MetricFamily) {
    this.name = family.name;
    this.#family = family;
  }

  /** What a registry asks of a metric. */
  get(): Promise<unknown> {
    const { name, help, type, samples } = this.#family;
    const values = samples.map(({ suffix, labels, value }) => ({
      metricName: `${name}${suffix}`,
      labels,
      value,
    }));
    return Promise.resolve({ name, help, type, values, aggregator: "sum" });
  }
}
