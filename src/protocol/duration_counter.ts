import { durationBounds, type Durations, noDurations } from "./node_metrics.ts";

/** Sorts durations into the classes of {@linkcode durationBounds}. */
export class DurationCounter {
  readonly #durations = noDurations();

  /** Takes down a duration. */
  add(seconds: number): void {
    const durations = this.#durations;
    durations.count++;
    durations.sum += seconds;
    const { length } = durationBounds;
    let at = 0;
    while (at < length && seconds > (durationBounds[at] ?? Infinity)) at++;
    durations.classes[at] = (durations.classes[at] ?? 0) + 1;
  }

  /** What was taken down, which does not change any more. */
  snapshot(): Durations {
    const { count, sum, classes } = this.#durations;
    return { count, sum, classes: [...classes] };
  }
}
