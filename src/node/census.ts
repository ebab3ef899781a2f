import type { Clock } from "../runtime/clock.ts";
import type { Catalog } from "../store/catalog.ts";
import type { ChunkStore, Usage } from "../store/chunk_store.ts";
import type { RecordCounts } from "../store/record_table.ts";

/** What a node has stored. */
export interface Stock {
  readonly usage: Usage;
  readonly records: RecordCounts;
}

/** How old a count may be in any case, in ms: who asks more often gets the last one again. */
const ageMinMs = 1_000;

/**
 * How old it may be for each ms that it took: a node with a large catalog spends at most a fiftieth of
 * its time on counting, however often it is asked.
 */
const ageFactor = 50;

/** Counts what a node has stored: it reads whole tables, so it keeps the result for a while. */
export class Census {
  readonly #clock: Clock;
  readonly #chunks: Pick<ChunkStore, "usage"> & { readonly catalog: Pick<Catalog, "counts"> };
  #last: Stock | undefined;
  #untilMs = -Infinity;

  constructor(
    clock: Clock,
    chunks: Pick<ChunkStore, "usage"> & { readonly catalog: Pick<Catalog, "counts"> },
  ) {
    this.#clock = clock;
    this.#chunks = chunks;
  }

  /** What is stored, or was a short while ago. */
  stock(): Stock {
    const startMs = this.#clock.nowMs();
    if (this.#last !== undefined && startMs < this.#untilMs) return this.#last;
    const stock = { usage: this.#chunks.usage(), records: this.#chunks.catalog.counts() };
    const endMs = this.#clock.nowMs();
    this.#last = stock;
    this.#untilMs = endMs + Math.max(ageMinMs, ageFactor * (endMs - startMs));
    return stock;
  }
}
