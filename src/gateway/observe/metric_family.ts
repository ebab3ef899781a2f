import type { Durations } from "../../protocol/node_metrics.ts";
import { durationBounds } from "../../protocol/node_metrics.ts";

/** The kinds of metrics of Prometheus that are used here. */
export type MetricType = "counter" | "gauge" | "histogram";

/** Labels by their names. */
export type Labels = Readonly<Record<string, string>>;

/** One number of a family. */
export interface Sample {
  /** What the family's name is followed by: `_bucket`, `_sum` or `_count` of a histogram. */
  readonly suffix: "" | "_bucket" | "_sum" | "_count";
  readonly labels: Labels;
  readonly value: number;
}

/** The metrics of one name, as the text format of Prometheus has them. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly samples: readonly Sample[];
}

/** The one number of a family, or one of those that differ by labels. */
export function sample(value: number, labels: Labels = {}): Sample {
  return { suffix: "", labels, value };
}

/** The samples of a histogram: each class counts all that is shorter as well. */
export function histogramSamples(
  { count, sum, classes }: Durations,
  labels: Labels = {},
): Sample[] {
  let below = 0;
  const buckets = durationBounds.map((bound, index): Sample => {
    below += classes[index] ?? 0;
    return { suffix: "_bucket", labels: { ...labels, le: String(bound) }, value: below };
  });
  return [
    ...buckets,
    { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: count },
    { suffix: "_sum", labels, value: sum },
    { suffix: "_count", labels, value: count },
  ];
}
