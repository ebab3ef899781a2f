import { createHash } from "node:crypto";
import { ask, askText } from "./live_ring.ts";

/**
 * Stores bytes under a name through a node or a gateway; resolves when the ring has acknowledged.
 * Knows of the program under test nothing but the lines of the protocol, as everything here.
 *
 * @throws {Error} With the ring's answer, when it does not end with OK.
 */
export async function push(port: number, name: string, bytes: Uint8Array): Promise<string> {
  const head = new TextEncoder().encode(`FILE PUSH ${bytes.length} ${name}\n`);
  const request = new Uint8Array(head.length + bytes.length);
  request.set(head);
  request.set(bytes, head.length);
  const answer = await askText(port, request);
  if (!/(^|\n)OK\n$/.test(answer)) throw new Error(`'${name}' was not stored: ${answer}`);
  return answer;
}

/** The bytes that `FILE PULL` gives, be they a file or an error. */
export async function pull(port: number, name: string): Promise<Uint8Array<ArrayBuffer>> {
  return await ask(port, `FILE PULL ${name}\n`, 60_000);
}

/** The answer to `FILE LIST`. */
export async function list(port: number): Promise<string> {
  return await askText(port, "FILE LIST\n");
}

/** A list as it has to be: its heading, then the rows sorted by the bytes of their names. */
export function listOf(files: readonly ListedFile[]): string {
  const rows = files.toSorted((a, b) => compareBytes(a.name, b.name)).map(({ name, start, size }) =>
    `${/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name},${start},${size}\n`
  );
  return `name,start,size\n${rows.join("")}`;
}

/** A row of a list. */
export interface ListedFile {
  readonly name: string;
  /** The port of the node that holds part 1. */
  readonly start: number;
  readonly size: number;
}

/** A status for every port, as `NETMAP GET` answers. */
export function netmapOf(ports: readonly number[], dead: readonly number[] = []): string {
  const lines = ports.map((port) => `${port}=${dead.includes(port) ? "Dead" : "Alive"}\n`);
  return `${lines.join("")}OK\n`;
}

/** What came of a file. */
export interface Received {
  /** All bytes that came. */
  readonly bytes: number;
  readonly sha256: string;
}

/** A `FILE GET` that is under way: it goes as fast as it is read. Dispose hangs up. */
export class Download implements Disposable {
  readonly size: number;
  /** The SHA-256 that the ring promises. */
  readonly sha256: string;
  readonly #conn: Deno.TcpConn;
  readonly #hash = createHash("sha256");
  readonly #buffer: Uint8Array;
  #bytes = 0;

  private constructor(conn: Deno.TcpConn, header: string, rest: Uint8Array, buffer: Uint8Array) {
    const [, size, sha256 = ""] = /^FILE ([0-9]+) \S+ ([0-9a-f]{64}) /.exec(header) ?? [];
    if (size === undefined) throw new Error(`FILE GET was answered '${header}'`);
    this.#conn = conn;
    this.#buffer = buffer;
    this.size = Number(size);
    this.sha256 = sha256;
    this.#take(rest);
  }

  /** Asks for a file, and reads the line before its bytes. */
  static async open(port: number, name: string): Promise<Download> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    try {
      await conn.write(new TextEncoder().encode(`FILE GET ${name}\n`));
      const buffer = new Uint8Array(256 * 1024);
      let filled = 0;
      for (;;) {
        const end = buffer.subarray(0, filled).indexOf(10);
        if (end >= 0) {
          const header = new TextDecoder().decode(buffer.subarray(0, end));
          return new Download(conn, header, buffer.subarray(end + 1, filled), buffer);
        }
        const count = await conn.read(buffer.subarray(filled));
        if (count === null) throw new Error("FILE GET was not answered");
        filled += count;
      }
    } catch (error) {
      conn.close();
      throw error;
    }
  }

  /** Reads until at least so many bytes have come. */
  async readUpTo(bytes: number): Promise<void> {
    while (this.#bytes < bytes && await this.#read()) { /* more is to come */ }
  }

  /** Reads what is left, and what there is of it when the ring hangs up; does not judge it. */
  async rest(): Promise<Received> {
    try {
      await this.readUpTo(this.size);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }

  async #read(): Promise<boolean> {
    const count = await this.#conn.read(this.#buffer);
    if (count !== null) this.#take(this.#buffer.subarray(0, count));
    return count !== null;
  }

  #take(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }
}

/** Pulls a file to its end, keeping nothing of it. */
export async function download(port: number, name: string): Promise<Received> {
  using file = await Download.open(port, name);
  return await file.rest();
}

function compareBytes(a: string, b: string): number {
  const encoder = new TextEncoder();
  const [left, right] = [encoder.encode(a), encoder.encode(b)];
  const index = left.findIndex((byte, at) => byte !== right[at]);
  if (index < 0) return left.length - right.length;
  return (left[index] ?? 0) - (right[index] ?? -1);
}
