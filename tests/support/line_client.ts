import { ByteReader } from "../../src/net/byte_reader.ts";
import { writeAll } from "../../src/net/write_all.ts";

/** How long anything that a {@linkcode LineClient} waits for may take, in ms. */
const patienceMs = 15_000;

/**
 * A client as a person with netcat is one: sends bytes as they are, and reads bytes as they come. Every
 * wait has a deadline and then fails with what had come until then.
 */
export class LineClient implements Disposable {
  readonly #conn: Deno.TcpConn;
  readonly #reader: ByteReader;
  #closed = false;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.#reader = new ByteReader(conn);
  }

  /** Connects to a port of 127.0.0.1, and sends the first bytes if there are any. */
  static async open(port: number, sent: string | Uint8Array = ""): Promise<LineClient> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    const client = new LineClient(conn);
    try {
      await client.send(sent);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Sends all of some bytes. */
  async send(sent: string | Uint8Array): Promise<void> {
    const bytes = typeof sent === "string" ? encoder.encode(sent) : sent;
    await this.#within("it takes what is sent", () => writeAll(this.#conn, bytes));
  }

  /** Ends this side of the connection; the other one goes on. */
  async endSending(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Reads so many bytes; an earlier end gives fewer. */
  async read(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(count);
    let filled = 0;
    await this.#within(
      () => `${count} bytes came: ${show(bytes.subarray(0, filled))}`,
      async () => {
        while (filled < count) {
          const came = await this.#reader.readInto(bytes.subarray(filled));
          if (came === null) return;
          filled += came;
        }
      },
    );
    return bytes.slice(0, filled);
  }

  /** {@linkcode LineClient.read} as text. */
  async text(count: number): Promise<string> {
    return decoder.decode(await this.read(count));
  }

  /** Reads a line, its end included; what comes before an earlier end of the connection is the line. */
  async line(): Promise<string> {
    return await this.#within("a line came", async () => {
      const line = await this.#reader.readLine(1024 * 1024);
      if (typeof line === "string") return "";
      return decoder.decode(line) + (this.#reader.ended ? "" : "\n");
    });
  }

  /** Reads until the other side ends the connection, which it has to do by itself. */
  async rest(): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array[] = [];
    await this.#within(() => `the node ended: ${show(joined(pieces))}`, async () => {
      for (;;) {
        const piece = new Uint8Array(64 * 1024);
        const count = await this.#reader.readInto(piece);
        if (count === null) return;
        pieces.push(piece.subarray(0, count));
      }
    });
    return joined(pieces);
  }

  /** {@linkcode LineClient.rest} as text. */
  async restText(): Promise<string> {
    return decoder.decode(await this.rest());
  }

  /** Goes away, with whatever has not been read. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader[Symbol.dispose]();
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #within<T>(what: string | (() => string), action: () => Promise<T>): Promise<T> {
    let isLate = false;
    const late = setTimeout(() => {
      isLate = true;
      this.close();
    }, patienceMs);
    try {
      return await action();
    } catch (error) {
      const said = typeof what === "string" ? what : what();
      if (isLate) throw new Error(`Waited ${patienceMs} ms in vain until ${said}`);
      throw error;
    } finally {
      clearTimeout(late);
    }
  }
}

/** One thing that is said to a node, and what it has to answer. */
export interface Row {
  /** Without the last line end, unless a body follows. */
  readonly sent: string | Uint8Array;
  /** To the byte. */
  readonly answer: string;
  /** Whether the node then ends the connection. Default: it serves the next command. */
  readonly closes?: boolean;
}

/**
 * Says each row on a connection of its own, followed by a `NODE PING` that has to be answered next, or
 * never where the row closes; fails with all rows that were answered otherwise.
 */
export async function assertAnswers(port: number, rows: readonly Row[]): Promise<void> {
  const wrong: string[] = [];
  for (const row of rows) {
    const heard = await hear(port, row);
    const expected = row.answer + (row.closes ? "" : "PONG\n");
    if (heard === expected) continue;
    const sent = typeof row.sent === "string" ? encoder.encode(row.sent) : row.sent;
    wrong.push(`${show(sent)}\n    has to give ${show(expected)}\n    and gives   ${show(heard)}`);
  }
  if (wrong.length > 0) throw new Error(`Answered otherwise:\n  ${wrong.join("\n  ")}`);
}

/** The answers to a row and to the ping behind it, and anything that comes unasked. */
async function hear(port: number, { sent, answer, closes }: Row): Promise<string> {
  const line = typeof sent === "string" ? encoder.encode(sent) : sent;
  const ping = encoder.encode(line.includes(newline) ? "NODE PING\n" : "\nNODE PING\n");
  using client = await LineClient.open(port, joined([line, ping]));
  try {
    if (closes) return await client.restText();
    const heard = await client.text(encoder.encode(answer).length + 5);
    await client.endSending();
    return heard + await client.restText();
  } catch (error) {
    return `${error}`;
  }
}

/** Puts texts and bytes one after another. */
export function bytesOf(...pieces: readonly (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  return joined(pieces.map((piece) => typeof piece === "string" ? encoder.encode(piece) : piece));
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** The beginning of some bytes as a message shows them. */
function show(bytes: Uint8Array | string): string {
  const text = typeof bytes === "string" ? bytes : decoder.decode(bytes);
  return JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const newline = 0x0a;
