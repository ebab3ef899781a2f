import { DurationCounter } from "../../protocol/duration_counter.ts";
import type { HttpOperation } from "./http_operation.ts";
import { histogramSamples, type Labels, type Sample, sample } from "./metric_family.ts";

/** A request that was answered. */
export interface AnsweredRequest {
  readonly operation: HttpOperation;
  readonly method: string;
  /** Of the answer. */
  readonly status: number;
  /** From the request's headers to the last byte of the answer, or to the moment at which it was cut. */
  readonly ms: number;
}

/** Counts requests; there are as many counts as operations, methods and statuses, and no more. */
export class HttpCounters {
  readonly #requests = new Map<string, { readonly labels: Labels; count: number }>();
  readonly #durations = new Map<HttpOperation, DurationCounter>();

  /** Counts a request that was answered. */
  answered({ operation, method, status, ms }: AnsweredRequest): void {
    const known = methods.has(method) ? method : "other";
    const key = `${operation} ${known} ${status}`;
    const labels = { operation, method: known, code: String(status) };
    const requests = this.#requests.get(key) ?? { labels, count: 0 };
    requests.count++;
    this.#requests.set(key, requests);
    // It lasts as long as its client listens.
    if (operation === "events") return;
    const durations = this.#durations.get(operation) ?? new DurationCounter();
    durations.add(ms / 1000);
    this.#durations.set(operation, durations);
  }

  /** How many there were, by operation, method and status. */
  requests(): Sample[] {
    return [...this.#requests.values()].map(({ labels, count }) => sample(count, labels));
  }

  /** How long they took, by operation. */
  durations(): Sample[] {
    return [...this.#durations].flatMap(([operation, durations]) =>
      histogramSamples(durations.snapshot(), { operation })
    );
  }
}

/** The methods that are told apart. */
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]);
