import { ByteReader } from "../../src/net/byte_reader.ts";
import type { Connection, Listener, Transport } from "../../src/net/transport.ts";
import { writeText } from "../../src/net/write_all.ts";
import { type NodeAddress, splitAddress } from "../../src/protocol/address.ts";

/** One connection of a {@linkcode LineNode}. */
export interface LineCall {
  readonly conn: Connection;
  readonly reader: ByteReader;
}

/**
 * Answers a line: with a text, or by itself through the call and then with `undefined`; `close` ends
 * the connection.
 */
export type Answer = (
  line: string,
  call: LineCall,
) => string | undefined | "close" | Promise<string | undefined | "close">;

/** Somebody who listens on an address of a transport and answers line by line, as a test wants. */
export class LineNode implements AsyncDisposable {
  readonly address: NodeAddress;
  /** All lines that came, oldest first. */
  readonly lines: string[] = [];
  readonly #listener: Listener;
  readonly #answer: Answer;
  readonly #calls = new Map<Connection, Promise<void>>();
  readonly #accepting: Promise<void>;

  constructor(transport: Transport, address: NodeAddress, answer: Answer) {
    this.address = address;
    this.#answer = answer;
    const { hostname, port } = splitAddress(address);
    this.#listener = transport.listen(hostname, port);
    this.#accepting = this.#accept();
  }

  /** Connections that are open. */
  get open(): number {
    return this.#calls.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#calls.keys()) conn.close();
    await Promise.all([this.#accepting, ...this.#calls.values()]);
  }

  async #accept(): Promise<void> {
    for (;;) {
      const conn = await this.#listener.accept();
      if (conn === undefined) return;
      const call = this.#serve(conn).catch(() => {
        // The other end went away, or the test closed this one.
      }).finally(() => {
        conn.close();
        this.#calls.delete(conn);
      });
      this.#calls.set(conn, call);
    }
  }

  async #serve(conn: Connection): Promise<void> {
    const reader = new ByteReader(conn);
    for (;;) {
      const bytes = await reader.readLine(64 * 1024);
      if (typeof bytes === "string") return;
      const line = new TextDecoder().decode(bytes);
      this.lines.push(line);
      const reply = await this.#answer(line, { conn, reader });
      if (reply === "close") return;
      if (reply !== undefined) await writeText(conn, reply);
    }
  }
}
