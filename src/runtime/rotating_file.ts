/** How a {@linkcode RotatingFile} is kept small. */
export interface RotatingFileOptions {
  /**
   * The size at which the file becomes `<path>.1` and a new one begins. More keeps a longer story,
   * and costs twice that much disk for every process that logs.
   */
  readonly bytesMax?: number;
}

/**
 * A text file that never grows past its limit: at the limit it becomes `<path>.1`, in place of the
 * one before, and a new file begins. A line longer than the limit is cut.
 *
 * A log must not be what stops a node: when a line cannot be written (the disk is full, the
 * directory is gone) it is dropped and counted, and the next one that can be written says how many
 * are missing.
 */
export class RotatingFile implements Disposable {
  readonly #path: string;
  readonly #bytesMax: number;
  #file: Deno.FsFile | undefined;
  #bytes = 0;
  #dropped = 0;
  #closed = false;

  /** Opens nothing yet: that happens at the first line. */
  constructor(path: string, { bytesMax = logFileBytesMax }: RotatingFileOptions = {}) {
    if (bytesMax < 1_024) throw new RangeError(`Cannot keep a log in ${bytesMax} bytes`);
    this.#path = path;
    this.#bytesMax = bytesMax;
  }

  /** Appends a line at once; never throws. Without effect after `close`. */
  writeLine(text: string): void {
    if (this.#closed) return;
    const missing = this.#dropped > 0 ? `(${this.#dropped} lines could not be written)\n` : "";
    let bytes = encoder.encode(`${missing}${text}\n`);
    if (bytes.length > this.#bytesMax) {
      bytes = bytes.slice(0, this.#bytesMax);
      bytes[bytes.length - 1] = newline;
    }
    try {
      // Somebody deleted it, with its directory perhaps: what is written there nobody reads.
      if (this.#file?.statSync().nlink === 0) this.#closeFile();
      if (this.#bytes > 0 && this.#bytes + bytes.length > this.#bytesMax) this.#rotate();
      this.#file ??= this.#open();
      for (let written = 0; written < bytes.length;) {
        written += this.#file.writeSync(bytes.subarray(written));
      }
      this.#bytes += bytes.length;
      this.#dropped = 0;
    } catch {
      // There is nowhere left to tell it; the next line that fits in will, see above.
      this.#dropped += 1;
      this.#closeFile();
    }
  }

  /** Closes the file; may be called again. */
  close(): void {
    this.#closed = true;
    this.#closeFile();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): Deno.FsFile {
    const file = Deno.openSync(this.#path, { append: true, create: true });
    this.#bytes = file.statSync().size;
    if (this.#bytes < this.#bytesMax) return file;
    // A full file of an earlier process.
    file.close();
    Deno.renameSync(this.#path, `${this.#path}.1`);
    this.#bytes = 0;
    return Deno.openSync(this.#path, { append: true, create: true });
  }

  #rotate(): void {
    this.#closeFile();
    Deno.renameSync(this.#path, `${this.#path}.1`);
  }

  #closeFile(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#bytes = 0;
  }
}

/** The default of {@linkcode RotatingFileOptions.bytesMax}: some days of a calm ring. */
export const logFileBytesMax = 1024 * 1024;

const newline = 0x0a;
const encoder = new TextEncoder();
