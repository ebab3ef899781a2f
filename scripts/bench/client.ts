import { createHash, type Hash } from "node:crypto";
import { Payload } from "./payload.ts";

/** What one call of a client did. */
export interface Transfer {
  /** Lower-case hex of the bytes sent or received; only when it was asked for. */
  readonly sha256?: string;
}

/** What one call of a client moves. */
export interface TransferOptions {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Take the SHA-256 of the bytes; it costs time, so not while that is measured. */
  readonly hashed: boolean;
}

/** Bytes of the buffer that payload is received into. */
const receiveBytes = 256 * 1024;

/** Bytes of an answer's line or lines, the most that is read of them. */
const replyBytesMax = 4096;

/**
 * A client of the line protocol that does as little as possible itself, so that what is measured is
 * the other side. It waits as long as it takes: whoever uses it closes it at a deadline, which makes
 * the call under way fail.
 */
export class BenchClient {
  readonly #address: Deno.ConnectOptions;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #connection: Deno.TcpConn | undefined;
  #closed = false;

  /** @param address `host:port` of a node, a gateway or a floor server. */
  constructor(address: string) {
    const colon = address.lastIndexOf(":");
    this.#address = { hostname: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
    this.#buffer = new Uint8Array(receiveBytes);
  }

  /** Connects, if it is not connected, so that the next call need not. */
  async connect(): Promise<Deno.TcpConn> {
    if (this.#connection !== undefined) return this.#connection;
    const connection = await this.#dial();
    if (this.#closed) {
      connection.close();
      throw new Error("the client was closed");
    }
    connection.setNoDelay(true);
    this.#connection = connection;
    return connection;
  }

  /** `FILE PUSH` on a connection that stays open, until OK. */
  async push(options: TransferOptions): Promise<Transfer> {
    const connection = await this.connect();
    const hash = options.hashed ? createHash("sha256") : undefined;
    const payload = new Payload(options.name, options.size);
    const line = encode(`FILE PUSH ${options.size} ${options.name}\n`);
    const first = payload.next();
    hash?.update(first ?? new Uint8Array());
    // The line and a small body in one segment: as two, the second would be a wakeup more.
    await send(connection, first === undefined ? line : concat(line, first));
    for (let block = payload.next(); block !== undefined; block = payload.next()) {
      hash?.update(block);
      await send(connection, block);
    }
    await this.#expectOk(connection);
    return digestOf(hash);
  }

  /** `FILE PULL` on a connection of its own, until the other side closes it. */
  async pull(options: TransferOptions): Promise<Transfer> {
    const connection = await this.connect();
    try {
      const hash = options.hashed ? createHash("sha256") : undefined;
      await send(connection, encode(`FILE PULL ${options.name}\n`));
      const received = await this.#receive(connection, { bytes: Infinity, hash });
      this.#assertSize(received, options);
      return digestOf(hash);
    } finally {
      this.#disconnect();
    }
  }

  /** `FILE GET` on a connection that stays open. */
  async get(options: TransferOptions): Promise<Transfer> {
    const connection = await this.connect();
    const hash = options.hashed ? createHash("sha256") : undefined;
    await send(connection, encode(`FILE GET ${options.name}\n`));
    const { line, rest } = await this.#readLine(connection);
    const size = Number(/^FILE ([0-9]+) /.exec(line)?.[1]);
    if (size !== options.size) throw new Error(`FILE GET was answered: ${line}`);
    hash?.update(rest);
    const received = await this.#receive(connection, { bytes: size - rest.length, hash });
    this.#assertSize(received + rest.length, options);
    return digestOf(hash);
  }

  /** Sends one command and returns its answer up to and without `OK`, for answers of few bytes. */
  async ask(command: string): Promise<string> {
    const connection = await this.connect();
    await send(connection, encode(`${command}\n`));
    return await this.#expectOk(connection);
  }

  /** Ends what is under way, with an error there. */
  close(): void {
    this.#closed = true;
    this.#disconnect();
  }

  async #dial(): Promise<Deno.TcpConn> {
    try {
      return await Deno.connect(this.#address);
    } catch (error) {
      const { hostname, port } = this.#address;
      throw new Error(`cannot connect to ${hostname}:${port}`, { cause: error });
    }
  }

  #disconnect(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** Receives that many bytes, or until the other side closes. */
  async #receive(
    connection: Deno.TcpConn,
    options: { bytes: number; hash: Hash | undefined },
  ): Promise<number> {
    let received = 0;
    while (received < options.bytes) {
      const count = await connection.read(this.#buffer);
      if (count === null) break;
      options.hash?.update(this.#buffer.subarray(0, count));
      received += count;
    }
    return received;
  }

  /** Reads a line, and the payload that came with it, which is valid until the next read. */
  async #readLine(connection: Deno.TcpConn): Promise<{ line: string; rest: Uint8Array }> {
    let length = 0;
    while (true) {
      const count = await connection.read(this.#buffer.subarray(length));
      if (count === null) throw new Error("the connection was closed instead of an answer");
      const end = this.#buffer.subarray(0, length + count).indexOf(0x0a, length);
      length += count;
      if (end !== -1) {
        const line = decode(this.#buffer.subarray(0, end));
        return { line, rest: this.#buffer.subarray(end + 1, length) };
      }
      if (length > replyBytesMax) throw new Error("an answer without a line");
    }
  }

  /** Reads an answer that ends with a line `OK`. */
  async #expectOk(connection: Deno.TcpConn): Promise<string> {
    let length = 0;
    while (length < this.#buffer.length) {
      const count = await connection.read(this.#buffer.subarray(length));
      if (count === null) throw new Error("the connection was closed instead of an answer");
      length += count;
      const reply = decode(this.#buffer.subarray(0, length));
      if (reply.startsWith("ERR") && reply.endsWith("\n")) throw new Error(reply.trim());
      if (reply === "OK\n" || reply.endsWith("\nOK\n")) return reply.slice(0, -"OK\n".length);
    }
    throw new Error("an answer without an end");
  }

  #assertSize(received: number, { name, size }: TransferOptions): void {
    if (received === size) return;
    // What is too short may be an error in words: a plain FILE PULL cannot tell.
    const text = decode(this.#buffer.subarray(0, Math.min(received, 100)));
    const words = text.startsWith("ERR ") ? `: ${text.trim()}` : "";
    throw new Error(`${received} bytes of '${name}' came, ${size} expected${words}`);
  }
}

/** Sends all of some bytes. */
async function send(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  let sent = await connection.write(bytes);
  while (sent < bytes.length) sent += await connection.write(bytes.subarray(sent));
}

function digestOf(hash: Hash | undefined): Transfer {
  return hash === undefined ? {} : { sha256: hash.digest("hex") };
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
