/**
 * A stand-in node for tests of clients: it sends exactly what a test tells it to. Like a real node it
 * leaves the connection open after its answer, so a client that waited for the end of the connection
 * would run into its deadline.
 *
 * @module
 */

/** One connection to the stand-in. */
export class Wire {
  readonly #conn: Deno.TcpConn;
  #pending: Uint8Array = new Uint8Array(0);

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    conn.setNoDelay(true);
  }

  /** The next bytes, at most `count`; none at the end. */
  async #some(count: number): Promise<Uint8Array> {
    if (this.#pending.length === 0) {
      const buffer = new Uint8Array(65_536);
      const read = await this.#conn.read(buffer);
      if (read === null) return new Uint8Array(0);
      this.#pending = buffer.subarray(0, read);
    }
    const bytes = this.#pending.subarray(0, count);
    this.#pending = this.#pending.subarray(bytes.length);
    return bytes;
  }

  /** The next line without its end; `undefined` when the client is done. */
  async readLine(): Promise<string | undefined> {
    const line: number[] = [];
    for (;;) {
      const [byte] = await this.#some(1);
      if (byte === undefined) return undefined;
      if (byte === 10) return new TextDecoder().decode(new Uint8Array(line));
      line.push(byte);
    }
  }

  /** The next `count` bytes, fewer only when the client ends early. */
  async readBody(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const body = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const bytes = await this.#some(count - filled);
      if (bytes.length === 0) break;
      body.set(bytes, filled);
      filled += bytes.length;
    }
    return body.subarray(0, filled);
  }

  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#conn.write(bytes.subarray(sent));
    }
  }

  /** Sends one byte a write, so that the client sees the answer in pieces. */
  async dribble(text: string): Promise<void> {
    for (const byte of new TextEncoder().encode(text)) await this.send(new Uint8Array([byte]));
  }

  close(): void {
    try {
      this.#conn.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error; // closed before
    }
  }
}

/** What a stand-in does with a line; it returns when its answer is sent. */
export type Answer = (line: string, wire: Wire) => Promise<void>;

/** Listens on a free port and leaves what it says to the test. */
export class StandInNode {
  /** Every line that came, of all connections. */
  readonly lines: string[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #wires: Wire[] = [];
  readonly #tasks: Promise<void>[] = [];

  constructor(answer: Answer) {
    this.#tasks.push(this.#accept(answer));
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(answer: Answer): Promise<void> {
    for await (const conn of this.#listener) {
      const wire = new Wire(conn);
      this.#wires.push(wire);
      this.#tasks.push(this.#serve(wire, answer));
    }
  }

  async #serve(wire: Wire, answer: Answer): Promise<void> {
    try {
      for (;;) {
        const line = await wire.readLine();
        if (line === undefined) break;
        this.lines.push(line);
        await answer(line, wire);
      }
    } catch (error) {
      // The script has gone, or the answer was to close.
      const expected = [
        Deno.errors.BadResource,
        Deno.errors.BrokenPipe,
        Deno.errors.ConnectionReset,
        Deno.errors.Interrupted,
      ];
      if (!expected.some((kind) => error instanceof kind)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const wire of this.#wires) wire.close();
    await Promise.all(this.#tasks);
  }
}

/** A node that answers each of these lines, and any other as the original answers what is new. */
export function nodeThatSays(answers: Record<string, string>): StandInNode {
  return new StandInNode(async (line, wire) => {
    await wire.dribble(answers[line] ?? `ERR unknown ${line.split(" ")[0]} command\n`);
  });
}

/** A node that answers `FILE GET` of any name with this file. */
export function nodeThatHas(file: Uint8Array, header: string): StandInNode {
  return new StandInNode(async (_line, wire) => {
    await wire.dribble(header);
    await wire.send(file);
  });
}

/** A node of the original program that has this one file, by its row of `FILE LIST`. */
export function originalNodeThatHas(file: Uint8Array, row: string): StandInNode {
  return new StandInNode(async (line, wire) => {
    if (line === "FILE LIST") {
      await wire.dribble(`name,start,size\n"a, ""b"".txt",7000,3\n${row}\n`);
      wire.close();
    } else if (line.startsWith("FILE PULL ")) {
      await wire.send(file);
      wire.close();
    } else {
      await wire.send("ERR unknown FILE command\n");
    }
  });
}

/** A port that refuses connections. */
export function refusingPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Bytes of every value, the same ones for the same length. */
export function fileOf(length: number): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(length);
  let state = 1;
  for (let index = 0; index < length; index++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    file[index] = state >> 16;
  }
  return file;
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function headerOf(file: Uint8Array<ArrayBuffer>, name: string): Promise<string> {
  return `FILE ${file.length} 01J00000000000000000000000 ${await sha256(file)} ${name}\n`;
}

/** A directory that goes with its `await using`. */
export async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

export const twentyMiB = 20 * 1024 * 1024;
