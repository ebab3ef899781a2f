import type { Connection } from "../../net/transport.ts";
import type { HostPort } from "../../protocol/address.ts";

/** What a client's connection turned out to speak; `none`: it ended, or was refused, before that. */
export const spoken = ["http", "line", "own", "none"] as const;

/** See {@linkcode spoken}. */
export type Spoken = typeof spoken[number];

/** What is counted of the connections that speak one thing. */
export interface TrafficCounts {
  /** Open now. */
  open: number;
  /** Since the gateway was started. */
  connections: number;
  /** Bytes from clients. */
  receivedBytes: number;
  /** Bytes to clients. */
  sentBytes: number;
}

/** Counts the connections of clients and their bytes, by what they speak. */
export class Traffic {
  /** Connections that were answered `ERR busy`. */
  refused = 0;
  readonly #counts: Readonly<Record<Spoken, TrafficCounts>> = {
    http: noTraffic(),
    line: noTraffic(),
    own: noTraffic(),
    none: noTraffic(),
  };

  /** What was counted so far. */
  of(what: Spoken): Readonly<TrafficCounts> {
    return this.#counts[what];
  }

  /** Counts a connection that was just accepted. */
  meter(conn: Connection): MeteredConnection {
    return new MeteredConnection(conn, this.#counts);
  }
}

/**
 * A connection whose bytes are counted, each time with an addition. What comes before it is known what
 * the connection speaks is counted once it is, as what is counted must never become less.
 */
export class MeteredConnection implements Connection {
  readonly #conn: Connection;
  readonly #all: Readonly<Record<Spoken, TrafficCounts>>;
  #counts = noTraffic();
  #what: Spoken | undefined;
  #closed = false;

  /** Made by {@linkcode Traffic.meter}. */
  constructor(conn: Connection, all: Readonly<Record<Spoken, TrafficCounts>>) {
    this.#conn = conn;
    this.#all = all;
    this.#all.none.open++;
  }

  /** Says what it speaks, once. */
  speaks(what: Spoken): void {
    if (this.#what !== undefined) return;
    const { receivedBytes, sentBytes } = this.#counts;
    this.#what = what;
    this.#counts = this.#all[what];
    this.#counts.connections++;
    this.#counts.receivedBytes += receivedBytes;
    this.#counts.sentBytes += sentBytes;
    if (this.#closed) return;
    this.#all.none.open--;
    this.#counts.open++;
  }

  get remote(): HostPort {
    return this.#conn.remote;
  }

  get local(): HostPort {
    return this.#conn.local;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const count = await this.#conn.read(buffer);
    this.#counts.receivedBytes += count ?? 0;
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const count = await this.#conn.write(bytes);
    this.#counts.sentBytes += count;
    return count;
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    if (!this.#closed) {
      this.speaks("none");
      this.#counts.open--;
    }
    this.#closed = true;
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function noTraffic(): TrafficCounts {
  return { open: 0, connections: 0, receivedBytes: 0, sentBytes: 0 };
}
