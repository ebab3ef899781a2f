import { blockBytes, stallMs } from "../../protocol/limits.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Problem } from "./problem.ts";

/** How a {@linkcode RequestBody} reads. */
export interface RequestBodyOptions {
  readonly clock: Clock;
  /** Bytes that are expected, if that is known: no buffer is longer. */
  readonly size?: number;
  /** Milliseconds that a client may take to send the next byte. */
  readonly stallMs?: number;
}

/**
 * The bytes of a request, piece by piece. The runtime's server has already taken the framing off, be
 * it a length or chunks.
 *
 * The buffers are lent to the stream and come back with its bytes: so it reads 256 KiB at a time, where
 * its own pieces are 64 KiB and a copy more (measured: 512 MiB in 0.5 s instead of 1.3 s).
 */
export class RequestBody {
  readonly #readInto: ReadInto;
  readonly #cancel: () => Promise<void>;
  readonly #clock: Clock;
  readonly #stallMs: number;
  readonly #pieceBytes: number;
  readonly #spares: ArrayBuffer[] = [];
  #ended = false;

  constructor(request: Request, options: RequestBodyOptions) {
    const { body } = request;
    const reader = body === null ? undefined : openReader(body);
    this.#readInto = reader?.readInto ?? (() => Promise.resolve(undefined));
    this.#cancel = reader?.cancel ?? (() => Promise.resolve());
    this.#clock = options.clock;
    this.#stallMs = options.stallMs ?? stallMs;
    this.#pieceBytes = Math.max(1, Math.min(options.size ?? blockBytes, blockBytes));
  }

  /**
   * Some of the next bytes; `null` at the end.
   *
   * @throws {Problem} 408 when the client sends nothing for too long, 400 when the body is cut.
   */
  async next(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#ended) return null;
    const piece = await this.#read(this.#spares.pop() ?? new ArrayBuffer(this.#pieceBytes));
    if (piece !== undefined) return piece;
    this.#ended = true;
    return null;
  }

  /** Gives a piece back, whose buffer the next one may use. */
  recycle(piece: Uint8Array<ArrayBuffer>): void {
    // A stream of another kind gives buffers of its own, of any length.
    if (piece.buffer.byteLength === this.#pieceBytes) this.#spares.push(piece.buffer);
  }

  /** Says that nobody reads on, so that the server may drop what still comes. */
  async cancel(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#cancel().catch(() => {/* it broke off, which is as good */});
  }

  async #read(buffer: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const late = Promise.withResolvers<never>();
    using _deadline = this.#clock.every(this.#stallMs, () => {
      late.reject(new Problem(408, `No byte of the body came for ${this.#stallMs / 1000} s`));
    });
    try {
      return await Promise.race([this.#readInto(new Uint8Array(buffer)), late.promise]);
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw new Problem(400, "The body ended before it was complete", { cause: error });
    }
  }
}

/** Reads some bytes into a view, whose buffer it takes over; `undefined` at the end. */
type ReadInto = (
  view: Uint8Array<ArrayBuffer>,
) => Promise<Uint8Array<ArrayBuffer> | undefined>;

interface Reader {
  readonly readInto: ReadInto;
  cancel(): Promise<void>;
}

/** A body that came together with its headers is no byte stream, and brings a buffer of its own. */
function openReader(body: ReadableStream<Uint8Array<ArrayBuffer>>): Reader {
  try {
    const reader = body.getReader({ mode: "byob" });
    return {
      readInto: async (view) => {
        const { done, value } = await reader.read(view);
        return done ? undefined : value;
      },
      cancel: () => reader.cancel(),
    };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const reader = body.getReader();
    return {
      readInto: async () => (await reader.read()).value,
      cancel: () => reader.cancel(),
    };
  }
}
