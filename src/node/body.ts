import type { ByteReader } from "../net/byte_reader.ts";

/** Thrown when a connection ends before the announced bytes have come. */
export class ShortBodyError extends Error {
  override readonly name = "ShortBodyError";
}

/**
 * The counted bytes that follow a command. It never gives more than were announced, so what comes
 * after them is the next command's; `remaining` says what a failed command has to drain.
 */
export interface Body {
  /** Bytes that have not been read yet. */
  readonly remaining: number;
  /**
   * Reads at least one byte, at most `buffer.length` and at most what remains.
   *
   * @throws {ShortBodyError} when the sender has ended early.
   */
  read(buffer: Uint8Array): Promise<number>;
}

/** A body that comes off a connection. */
export class ConnectionBody implements Body {
  readonly #reader: ByteReader;
  readonly #bytes: number;
  #remaining: number;

  constructor(reader: ByteReader, bytes: number) {
    this.#reader = reader;
    this.#bytes = bytes;
    this.#remaining = bytes;
  }

  get remaining(): number {
    return this.#remaining;
  }

  /** Bytes that have been read. */
  get receivedBytes(): number {
    return this.#bytes - this.#remaining;
  }

  async read(buffer: Uint8Array): Promise<number> {
    const wanted = Math.min(buffer.length, this.#remaining);
    const count = await this.#reader.readInto(
      wanted === buffer.length ? buffer : buffer.subarray(0, wanted),
    );
    if (count === null) {
      const came = this.#bytes - this.#remaining;
      throw new ShortBodyError(`body too short: ${came} of ${this.#bytes} bytes came`);
    }
    this.#remaining -= count;
    return count;
  }
}

/** A body that is already in memory, so that a push of it can start again. */
export class MemoryBody implements Body {
  #rest: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#rest = bytes;
  }

  get remaining(): number {
    return this.#rest.length;
  }

  read(buffer: Uint8Array): Promise<number> {
    const count = Math.min(buffer.length, this.#rest.length);
    buffer.set(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
    return Promise.resolve(count);
  }
}

/**
 * Reads a whole body into the beginning of `buffer`, which must be long enough.
 *
 * @throws {ShortBodyError} when the sender has ended early.
 */
export async function readWhole(body: Body, buffer: Uint8Array): Promise<Uint8Array> {
  const bytes = buffer.subarray(0, body.remaining);
  await readFull(body, bytes);
  return bytes;
}

/**
 * Fills a buffer with the next bytes of a body, which must have so many.
 *
 * @throws {ShortBodyError} when the sender has ended early.
 */
export async function readFull(body: Body, buffer: Uint8Array): Promise<void> {
  for (let filled = 0; filled < buffer.length;) {
    filled += await body.read(filled === 0 ? buffer : buffer.subarray(filled));
  }
}

/** Reads and forgets what is left of a body; the caller has bounded it. */
export async function drain(body: Body, buffer: Uint8Array): Promise<void> {
  while (body.remaining > 0) await body.read(buffer);
}
