/** Thrown when the connection broke, or nothing moved on it for too long. */
export class BrokenError extends Error {
  override readonly name = "BrokenError";
}

/** How a {@linkcode LineClient} connects. */
export interface LineClientOptions {
  /** Without a byte moving for so long, in ms, the connection counts as broken. */
  readonly stallMs: number;
  /** Ends the connection at once. */
  readonly signal: AbortSignal;
}

/** What is read at a time, in bytes. */
const readBytes = 64 * 1024;

/** A line of an answer may have so many bytes. */
const lineBytesMax = 64 * 1024;

/**
 * One connection to a node or a gateway. It knows lines and counted bytes, and nothing of the program
 * that is tested: what it reads is what came.
 */
export class LineClient implements Disposable {
  readonly #conn: Deno.TcpConn;
  readonly #options: LineClientOptions;
  readonly #close = () => this[Symbol.dispose]();
  #buffer = new Uint8Array(0);
  #isClosed = false;

  private constructor(conn: Deno.TcpConn, options: LineClientOptions) {
    this.#conn = conn;
    this.#options = options;
    options.signal.addEventListener("abort", this.#close, { once: true });
    if (options.signal.aborted) this.#close();
  }

  /** Connects to a port of this machine. */
  static async connect(port: number, options: LineClientOptions): Promise<LineClient> {
    const opening = Deno.connect({ hostname: "127.0.0.1", port });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), options.stallMs);
    });
    try {
      const conn = await Promise.race([opening, late]);
      if (conn !== undefined) return new LineClient(conn, options);
    } catch (error) {
      throw new BrokenError(`not connected: ${reasonOf(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
    // The system may still connect; nobody wants that connection any more.
    opening.then((conn) => conn.close(), () => {/* it did not */});
    throw new BrokenError(`not connected within ${options.stallMs} ms`);
  }

  /** Sends a text or bytes. */
  async send(data: string | Uint8Array): Promise<void> {
    let rest = typeof data === "string" ? new TextEncoder().encode(data) : data;
    while (rest.length > 0) {
      const count = await this.#guard("write", this.#conn.write(rest.subarray(0, readBytes)));
      rest = rest.subarray(count);
    }
  }

  /** Reads a line without its end; `undefined` when the connection ended before it began. */
  async readLine(): Promise<string | undefined> {
    let searched = 0;
    for (;;) {
      const end = this.#buffer.indexOf(10, searched);
      if (end >= 0) {
        const line = decoder.decode(this.#buffer.subarray(0, end));
        this.#buffer = this.#buffer.slice(end + 1);
        return line;
      }
      searched = this.#buffer.length;
      if (searched > lineBytesMax) throw new BrokenError("an answer had a line without an end");
      if (!await this.#readMore()) {
        if (searched > 0) throw new BrokenError("the connection ended within a line");
        return undefined;
      }
    }
  }

  /** Reads a line that must come. */
  async needLine(): Promise<string> {
    const line = await this.readLine();
    if (line === undefined) throw new BrokenError("the connection ended before the answer");
    return line;
  }

  /** Reads lines until `OK`, without it; or the one that says `ERR`. */
  async readAnswer(): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.needLine();
      if (line === "OK") return lines;
      lines.push(line);
      if (line.startsWith("ERR")) return lines;
    }
  }

  /** Reads so many bytes, or fewer where the connection ends or breaks. */
  async readBytes(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(count);
    let filled = Math.min(count, this.#buffer.length);
    bytes.set(this.#buffer.subarray(0, filled));
    this.#buffer = this.#buffer.slice(filled);
    while (filled < count) {
      const reading = this.#conn.read(bytes.subarray(filled));
      const more = await this.#guard("read", reading).catch((error: unknown) => {
        if (error instanceof BrokenError) return null;
        throw error;
      });
      if (more === null) break;
      filled += more;
    }
    return bytes.subarray(0, filled);
  }

  /** Reads until the connection ends. */
  async readToEnd(): Promise<Uint8Array<ArrayBuffer>> {
    while (await this.#readMore()) { /* all of it */ }
    const bytes = this.#buffer;
    this.#buffer = new Uint8Array(0);
    return bytes;
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.signal.removeEventListener("abort", this.#close);
    this.#conn.close();
  }

  async #readMore(): Promise<boolean> {
    const piece = new Uint8Array(readBytes);
    const count = await this.#guard("read", this.#conn.read(piece));
    if (count === null) return false;
    const joined = new Uint8Array(this.#buffer.length + count);
    joined.set(this.#buffer);
    joined.set(piece.subarray(0, count), this.#buffer.length);
    this.#buffer = joined;
    return true;
  }

  async #guard<T>(what: string, moving: Promise<T>): Promise<T> {
    const { stallMs, signal } = this.#options;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#close();
    }, stallMs);
    try {
      return await moving;
    } catch (error) {
      signal.throwIfAborted();
      const reason = isLate ? `no ${what} for ${stallMs} ms` : `${what}: ${reasonOf(error)}`;
      throw new BrokenError(reason, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Asks one thing whose answer is lines and then `OK`, on a connection of its own. */
export async function askLines(
  port: number,
  line: string,
  options: LineClientOptions,
): Promise<string[]> {
  using client = await LineClient.connect(port, options);
  await client.send(`${line}\n`);
  return await client.readAnswer();
}

/** The values that an answer of `key: value` lines tells. */
export function readFields(lines: readonly string[]): Map<string, string> {
  return new Map(lines.flatMap((line) => {
    const colon = line.indexOf(": ");
    return colon < 1 ? [] : [[line.slice(0, colon), line.slice(colon + 2)] as const];
  }));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const decoder = new TextDecoder();
