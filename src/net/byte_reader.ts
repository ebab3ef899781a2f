/** The part of a connection that gives bytes. */
export interface ByteSource {
  /** Reads at least one byte into `buffer`; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** A line, or why there is none. */
export type Line = Uint8Array | "eof" | "too-long";

/** Says how long a line may be that has outgrown its cap, from its first bytes. */
export type LongCap = (prefix: Uint8Array) => number;

/**
 * Reads what the protocol is made of: a line, then exactly n bytes, then a line again.
 *
 * 1. No byte is lost between the two: what a read brought beyond the line is given first to whoever
 *    reads next.
 * 2. Payload is counted, never searched, and goes from the source straight into the caller's
 *    buffer as soon as what came along with the line is used up.
 * 3. Memory: {@linkcode restBytes}, more only for a longer line, until the next call; bounded by
 *    the cap of that line, and for all lines of a process together by the
 *    {@linkcode LongLineBudget}. Dispose gives back what the last line took.
 * 4. One reader a connection, one call at a time.
 */
export class ByteReader implements Disposable {
  readonly #source: ByteSource;
  readonly #longLines: LongLineBudget;
  #buffer: Uint8Array<ArrayBuffer>;
  /** What is buffered and not yet consumed lies from `start` to `end`. */
  #start = 0;
  #end = 0;
  #ended = false;
  #tooLong = false;
  #isReading = false;
  #prefetching: Promise<void> | undefined;
  #prefetchError: { readonly error: unknown } | undefined;

  /** @param longLines shared by all readers of the process; by default one of its own. */
  constructor(source: ByteSource, longLines: LongLineBudget = new LongLineBudget()) {
    this.#source = source;
    this.#longLines = longLines;
    this.#buffer = longLines.takeRest();
  }

  /** Bytes that have come and wait to be read. */
  get bufferedBytes(): number {
    return this.#end - this.#start;
  }

  /** True when the source has ended; there may still be buffered bytes. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * The next line without its `\n` and a `\r` before that. A last line without `\n` counts. The
   * array is a view that holds until the next call on this reader.
   *
   * After `too-long` the rest of that line is still in the connection: nothing sensible can be read
   * any more, and every later line is `too-long` too.
   *
   * @param capBytes the longest line taken, in bytes, without its end.
   * @param longCapFor asked when a line is longer than that.
   */
  async readLine(capBytes: number, longCapFor?: LongCap): Promise<Line> {
    const newlineAt = await this.#findNewline(capBytes, longCapFor);
    if (newlineAt === "eof" || newlineAt === "too-long") return newlineAt;
    const line = this.#lineUpTo(newlineAt);
    this.#start = Math.min(newlineAt + 1, this.#end);
    return line;
  }

  /** The same line as `readLine` would give, but everything stays unread, its end included. */
  async peekLine(capBytes: number, longCapFor?: LongCap): Promise<Line> {
    const newlineAt = await this.#findNewline(capBytes, longCapFor);
    return typeof newlineAt === "number" ? this.#lineUpTo(newlineAt) : newlineAt;
  }

  /**
   * Reads what is there, at least one byte and at most `buffer.length`; `null` at the end. (0 only
   * for an empty buffer.)
   */
  async readInto(buffer: Uint8Array): Promise<number | null> {
    if (this.#prefetching !== undefined) await this.#prefetching;
    if (buffer.length === 0) return 0;
    if (this.#end > this.#start) return this.#takeBuffered(buffer);
    this.#throwPrefetchError();
    while (!this.#ended) {
      const count = await this.#source.read(buffer);
      if (count === null) this.#ended = true;
      else if (count > 0) return count;
    }
    return null;
  }

  /** Fills the buffer and says how many bytes that were: fewer only at the end. */
  async readFull(buffer: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const count = await this.readInto(filled === 0 ? buffer : buffer.subarray(filled));
      if (count === null) break;
      filled += count;
    }
    return filled;
  }

  /** Reads `count` bytes and forgets them; says how many came: fewer only at the end. */
  async discard(count: number): Promise<number> {
    let left = count;
    const buffered = Math.min(left, this.bufferedBytes);
    this.#start += buffered;
    left -= buffered;
    // The reader's own buffer is free now, if it has one, and mostly there is nothing more to come.
    let scratch = this.#buffer;
    this.#isReading = true;
    while (left > 0) {
      if (scratch.length === 0) scratch = new Uint8Array(Math.min(count, discardBytes));
      const came = await this.readInto(left < scratch.length ? scratch.subarray(0, left) : scratch);
      if (came === null) break;
      left -= came;
      if (came === scratch.length && came < discardBytes) scratch = noBytes;
    }
    this.#isReading = false;
    return count - left;
  }

  /**
   * Starts a read now, though nobody waits for bytes: so a connection at rest notices at once that
   * its peer has gone. Whoever reads next gets the bytes, or the error.
   *
   * @param onNews called when bytes, the end or an error has come.
   */
  prefetch(onNews?: () => void): void {
    if (this.#prefetching !== undefined || this.#end > this.#start || this.#ended) return;
    this.#prefetching = this.#fill().catch((error: unknown) => {
      this.#prefetchError = { error };
    }).then(() => {
      this.#prefetching = undefined;
      onNews?.();
    });
  }

  /** Gives back the memory of a long line; nothing can be read afterwards. */
  [Symbol.dispose](): void {
    this.#ended = true;
    const buffer = this.#buffer;
    this.#drop();
    // A read that is under way may still write into its buffer.
    if (!this.#isReading && buffer.length === restBytes) this.#longLines.giveRest(buffer);
  }

  /** The index of the newline in the buffer, or of the end for a last line that has none. */
  async #findNewline(
    capBytes: number,
    longCapFor: LongCap | undefined,
  ): Promise<number | "eof" | "too-long"> {
    if (this.#prefetching !== undefined) await this.#prefetching;
    if (this.#tooLong) return "too-long";
    let cap = capBytes;
    let asked = longCapFor === undefined;
    let searchFrom = this.#start;
    while (true) {
      const found = this.#buffer.subarray(0, this.#end).indexOf(newline, searchFrom);
      const newlineAt = found === -1 ? this.#end : found;
      if (!asked && this.#lineBytes(newlineAt) > cap) {
        asked = true;
        cap = longCapFor?.(this.#buffer.subarray(this.#start, newlineAt)) ?? cap;
      }
      if (this.#lineBytes(newlineAt) > cap) return this.#refuse();
      if (found !== -1) return found;
      if (this.#ended) return this.#end > this.#start ? this.#end : "eof";
      this.#throwPrefetchError();
      searchFrom = this.bufferedBytes;
      if (!this.#makeRoom(cap)) return this.#refuse();
      await this.#fill();
    }
  }

  /** The length of the line that ends before `newlineAt`, without a `\r` there. */
  #lineBytes(newlineAt: number): number {
    const length = newlineAt - this.#start;
    return length > 0 && this.#buffer[newlineAt - 1] === carriageReturn ? length - 1 : length;
  }

  #lineUpTo(newlineAt: number): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#start + this.#lineBytes(newlineAt));
  }

  /**
   * Moves what is buffered to the front, into a longer buffer if this one is full and into a small
   * one if that will do; false when there is no memory for it.
   */
  #makeRoom(cap: number): boolean {
    const used = this.bufferedBytes;
    if (used === this.#buffer.length) {
      // Two more than the cap, for the end of the longest line.
      return this.#moveTo(Math.min(Math.max(used * 2, restBytes), cap + 2));
    }
    if (used < restBytes && this.#buffer.length > restBytes) return this.#moveTo(restBytes);
    if (this.#start > 0) this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#start = 0;
    this.#end = used;
    return true;
  }

  /** Moves what is buffered into a buffer of another length, if the budget has it. */
  #moveTo(length: number): boolean {
    if (length > restBytes && !this.#longLines.tryTake(length)) return false;
    const buffer = length === 0 ? noBytes : new Uint8Array(length);
    buffer.set(this.#buffer.subarray(this.#start, this.#end));
    const former = this.#buffer;
    this.#end -= this.#start;
    this.#start = 0;
    this.#buffer = buffer;
    if (former.length > restBytes) {
      this.#longLines.giveBack(former.length);
      // Freed now: the garbage collector would come for it when as much again has been taken.
      former.buffer.transfer(0);
    }
    return true;
  }

  #takeBuffered(buffer: Uint8Array): number {
    const count = Math.min(buffer.length, this.bufferedBytes);
    buffer.set(this.#buffer.subarray(this.#start, this.#start + count));
    this.#start += count;
    return count;
  }

  /** Reads once behind what is buffered: at least a byte, or the end. */
  async #fill(): Promise<void> {
    if (this.#start === this.#end) this.#start = this.#end = 0;
    try {
      while (!this.#ended) {
        this.#isReading = true;
        const count = await this.#source.read(this.#buffer.subarray(this.#end));
        this.#isReading = false;
        if (this.#ended) return;
        if (count === null) this.#ended = true;
        else this.#end += count;
        if (count !== 0) return;
      }
    } catch (error) {
      this.#isReading = false;
      this.#drop();
      throw error;
    }
  }

  /** Forgets what is buffered, and gives its memory back. */
  #drop(): void {
    this.#start = this.#end = 0;
    this.#moveTo(0);
  }

  #refuse(): "too-long" {
    this.#tooLong = true;
    this.#drop();
    return "too-long";
  }

  #throwPrefetchError(): void {
    if (this.#prefetchError !== undefined) throw this.#prefetchError.error;
  }
}

/**
 * The memory that all long lines of a process may take together. A line that finds it used up is
 * `too-long`; the sender has to come again. It also keeps some short buffers for the next readers, as
 * to make one costs more than to serve a short command.
 */
export class LongLineBudget {
  readonly #rest: Uint8Array<ArrayBuffer>[] = [];
  #leftBytes: number;

  /** @param totalBytes room for a few lists of 16 MiB at once by default. */
  constructor(totalBytes: number = longLinesBytesMax) {
    this.#leftBytes = totalBytes;
  }

  /** What nobody has taken, in bytes. */
  get leftBytes(): number {
    return this.#leftBytes;
  }

  /** Takes so many bytes, or none and says false. */
  tryTake(bytes: number): boolean {
    if (bytes > this.#leftBytes) return false;
    this.#leftBytes -= bytes;
    return true;
  }

  /** Gives back what was taken. */
  giveBack(bytes: number): void {
    this.#leftBytes += bytes;
  }

  /** A buffer of {@linkcode restBytes}, which does not count. */
  takeRest(): Uint8Array<ArrayBuffer> {
    return this.#rest.pop() ?? new Uint8Array(restBytes);
  }

  /** Takes such a buffer back, which nobody writes into any more. */
  giveRest(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#rest.length < restBuffersMax) this.#rest.push(buffer);
  }
}

/** The buffer of a reader at rest: nearly every command line fits. */
export const restBytes = 4 * 1024;

/** Short buffers that are kept for the next readers: 256 KiB. */
const restBuffersMax = 64;

/** The default of {@linkcode LongLineBudget}. */
export const longLinesBytesMax = 64 * 1024 * 1024;

const noBytes = new Uint8Array(0);
const discardBytes = 64 * 1024;
const newline = 0x0a;
const carriageReturn = 0x0d;
