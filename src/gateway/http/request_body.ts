import { stallMs } from "../../protocol/limits.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Problem } from "./problem.ts";

/** How a {@linkcode RequestBody} waits. */
export interface RequestBodyOptions {
  readonly clock: Clock;
  /** Milliseconds that a client may take to send the next byte. */
  readonly stallMs?: number;
}

/**
 * The bytes of a request, read by count into the caller's buffers. The runtime's server has already
 * taken the framing off, be it a length or chunks.
 *
 * @throws {Problem} 408 from a read that waited too long, 400 from one that finds the body cut.
 */
export class RequestBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #clock: Clock;
  readonly #stallMs: number;
  #rest = new Uint8Array(0);
  #ended = false;

  constructor(request: Request, options: RequestBodyOptions) {
    this.#reader = request.body?.getReader();
    this.#clock = options.clock;
    this.#stallMs = options.stallMs ?? stallMs;
  }

  /** Reads some of the next bytes; `null` at the end. */
  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#rest.length === 0) {
      if (this.#ended || this.#reader === undefined) return null;
      const next = await this.#next(this.#reader);
      if (next.done) this.#ended = true;
      else this.#rest = next.value as Uint8Array<ArrayBuffer>;
    }
    const count = Math.min(buffer.length, this.#rest.length);
    buffer.set(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
    return count;
  }

  /** Says that nobody reads on, so that the server may drop what still comes. */
  async cancel(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#reader?.cancel().catch(() => {/* it broke off, which is as good */});
  }

  async #next(
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<ReadableStreamReadResult<Uint8Array>> {
    const done = new AbortController();
    const late = this.#clock.sleep(this.#stallMs, done.signal).then(
      () => {
        throw new Problem(408, `No byte of the body came for ${this.#stallMs / 1000} s`);
      },
      () => new Promise<never>(() => {/* the bytes came first */}),
    );
    try {
      return await Promise.race([reader.read(), late]);
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw new Problem(400, "The body ended before it was complete", { cause: error });
    } finally {
      done.abort();
    }
  }
}
