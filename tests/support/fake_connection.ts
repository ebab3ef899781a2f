import type { HostPort } from "../../src/protocol/address.ts";
import type { Connection } from "../../src/net/transport.ts";

/** How a pair of fake connections behaves. */
export interface FakeConnectionOptions {
  /** Bytes under way in one direction before writes wait, as a socket's buffers. */
  readonly windowBytes?: number;
  /** The most that one read gives; 1 feeds a reader byte by byte. */
  readonly readBytesMax?: number;
  /** The most that one write takes. */
  readonly writeBytesMax?: number;
}

/** Two ends of one connection in memory. */
export function connectionPair(
  options: FakeConnectionOptions = {},
): [FakeConnection, FakeConnection] {
  return pairBetween(
    { hostname: "127.0.0.1", port: 40_000 },
    { hostname: "127.0.0.1", port: 7_000 },
    options,
  );
}

/** One end of a connection in memory, with the errors that `Deno.TcpConn` has. */
export class FakeConnection implements Connection {
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;
  #onClose: (() => void) | undefined;
  #closed = false;

  constructor(ends: FakeEnds, pipes: FakePipes) {
    this.local = ends.local;
    this.remote = ends.remote;
    this.#incoming = pipes.incoming;
    this.#outgoing = pipes.outgoing;
  }

  /** True when this end was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#closed ? Promise.reject(badResource()) : this.#incoming.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#closed ? Promise.reject(badResource()) : this.#outgoing.write(bytes);
  }

  closeWrite(): Promise<void> {
    if (this.#closed) return Promise.reject(badResource());
    this.#outgoing.end();
    return Promise.resolve();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#incoming.abandon();
    this.#outgoing.end();
    this.#outgoing.failWriters(new Deno.errors.Interrupted("operation canceled"));
    this.#onClose?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** What the other end writes is held back until `resume`: the peer is slow or stopped. */
  stall(): void {
    this.#incoming.stall();
  }

  /** Lets held back bytes through. */
  resume(): void {
    this.#incoming.resume();
  }

  /** Resets the connection: both ends fail with `ConnectionReset`, bytes under way are lost. */
  cut(): void {
    this.#incoming.fail(new Deno.errors.ConnectionReset("connection reset by peer"));
    this.#outgoing.fail(new Deno.errors.ConnectionReset("connection reset by peer"));
  }

  /** Called once when this end closes; for the transport's books. */
  onClose(run: () => void): void {
    this.#onClose = run;
  }
}

/** Where a connection begins and ends, as one end sees it. */
export interface FakeEnds {
  readonly local: HostPort;
  readonly remote: HostPort;
}

/** The two directions, as one end sees them. */
export interface FakePipes {
  readonly incoming: Pipe;
  readonly outgoing: Pipe;
}

/** {@linkcode connectionPair} between two given ends; the first one's `remote` is `far`. */
export function pairBetween(
  near: HostPort,
  far: HostPort,
  options: FakeConnectionOptions,
): [FakeConnection, FakeConnection] {
  const there = new Pipe(options);
  const back = new Pipe(options);
  return [
    new FakeConnection({ local: near, remote: far }, { incoming: back, outgoing: there }),
    new FakeConnection({ local: far, remote: near }, { incoming: there, outgoing: back }),
  ];
}

/** One direction of a connection: what was written and not yet read, and who waits. */
export class Pipe {
  readonly #limits: Required<FakeConnectionOptions>;
  #bytes = new Uint8Array();
  #ended = false;
  #abandoned = false;
  #stalled = false;
  #failure: Error | undefined;
  #readers: Waiting[] = [];
  #writers: Waiting[] = [];

  constructor(options: FakeConnectionOptions) {
    this.#limits = {
      windowBytes: options.windowBytes ?? 64 * 1024,
      readBytesMax: options.readBytesMax ?? Infinity,
      writeBytesMax: options.writeBytesMax ?? Infinity,
    };
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (true) {
      if (this.#failure !== undefined) throw this.#failure;
      if (!this.#stalled && this.#bytes.length > 0) break;
      if (!this.#stalled && this.#ended) return null;
      await this.#wait(this.#readers);
    }
    const count = Math.min(buffer.length, this.#bytes.length, this.#limits.readBytesMax);
    buffer.set(this.#bytes.subarray(0, count));
    this.#bytes = this.#bytes.slice(count);
    wake(this.#writers);
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    while (true) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) throw new Deno.errors.BrokenPipe("broken pipe");
      if (this.#abandoned) {
        this.#failure = new Deno.errors.ConnectionReset("connection reset by peer");
        throw new Deno.errors.BrokenPipe("broken pipe");
      }
      if (this.#bytes.length < this.#limits.windowBytes) break;
      await this.#wait(this.#writers);
    }
    const room = this.#limits.windowBytes - this.#bytes.length;
    const count = Math.min(bytes.length, room, this.#limits.writeBytesMax);
    const joined = new Uint8Array(this.#bytes.length + count);
    joined.set(this.#bytes);
    joined.set(bytes.subarray(0, count), this.#bytes.length);
    this.#bytes = joined;
    wake(this.#readers);
    return count;
  }

  /** No more bytes come; what was written can still be read. */
  end(): void {
    this.#ended = true;
    wake(this.#readers);
  }

  /** Nobody reads any more: pending reads were interrupted, writes fail. */
  abandon(): void {
    this.#abandoned = true;
    reject(this.#readers, new Deno.errors.Interrupted("operation canceled"));
    wake(this.#writers);
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#bytes = new Uint8Array();
    wake(this.#readers);
    wake(this.#writers);
  }

  failWriters(error: Error): void {
    reject(this.#writers, error);
  }

  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    wake(this.#readers);
  }

  #wait(line: Waiting[]): Promise<void> {
    return new Promise((resolve, reject) => line.push({ resolve, reject }));
  }
}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

function wake(line: Waiting[]): void {
  for (const waiting of line.splice(0)) waiting.resolve();
}

function reject(line: Waiting[], error: Error): void {
  for (const waiting of line.splice(0)) waiting.reject(error);
}

function badResource(): Error {
  return new Deno.errors.BadResource("Bad resource ID");
}
