import { type HostPort, type NodeAddress, splitAddress } from "../protocol/address.ts";
import {
  type Connection,
  DialError,
  type DialFailure,
  type DialOptions,
  type Listener,
  type Transport,
} from "./transport.ts";

/** What a {@linkcode TcpTransport} is made from. */
export interface TcpTransportOptions {
  /** Opens a socket; tests have slow ones and odd ones. */
  readonly connect?: Connect;
}

/** The part of `Deno.connect` that is used. */
export type Connect = (
  options: HostPort & { readonly signal: AbortSignal },
) => Promise<Deno.TcpConn>;

/** TCP. Small messages go out at once on both sides (no Nagle delay). */
export class TcpTransport implements Transport {
  readonly #connect: Connect;

  constructor({ connect = Deno.connect }: TcpTransportOptions = {}) {
    this.#connect = connect;
  }

  async dial(address: NodeAddress, options: DialOptions): Promise<Connection> {
    const { timeoutMs, signal } = options;
    signal?.throwIfAborted();
    const giveUp = new AbortController();
    // An error is made when there is one: that takes as long as the half of a dial.
    const expire = () => giveUp.abort(overdue(address, timeoutMs));
    const timer = setTimeout(expire, timeoutMs);
    const stop = () => giveUp.abort(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await this.#connectUnless(giveUp.signal, address);
    } catch (error) {
      if (giveUp.signal.aborted) throw giveUp.signal.reason;
      throw error instanceof DialError ? error : dialError(address, error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  listen(hostname: string, port: number): Listener {
    return new TcpListener(Deno.listen({ hostname, port }));
  }

  /** Connects, or rejects when the signal aborts; a socket that connects after that is closed. */
  #connectUnless(signal: AbortSignal, address: NodeAddress): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const stop = () => reject(signal.reason);
      signal.addEventListener("abort", stop, { once: true });
      this.#connect({ ...splitAddress(address), signal }).then((conn) => {
        signal.removeEventListener("abort", stop);
        if (!signal.aborted && !isSelfConnected(conn)) return resolve(new TcpConnection(conn));
        conn.close();
        reject(refusedBySelf(address));
      }).catch(reject);
    });
  }
}

/**
 * A dial to a port that nobody listens on can connect to itself when the system picks that very
 * port for the near end (on Linux one dial in some 40,000, to ports of its local range). Such a
 * socket would answer its own words and keep the port from its owner.
 */
function isSelfConnected(conn: Deno.TcpConn): boolean {
  const { localAddr, remoteAddr } = conn;
  return localAddr.port === remoteAddr.port && localAddr.hostname === remoteAddr.hostname;
}

function overdue(address: NodeAddress, timeoutMs: number): DialError {
  return new DialError(address, "timeout", { reason: `no answer within ${timeoutMs} ms` });
}

function refusedBySelf(address: NodeAddress): DialError {
  return new DialError(address, "refused", { reason: "nobody listens there" });
}

function dialError(address: NodeAddress, cause: unknown): DialError {
  const kind = dialFailure(cause);
  const reason = kind === "refused"
    ? "nobody listens there"
    : cause instanceof Error
    ? cause.message
    : String(cause);
  return new DialError(address, kind, { reason, cause });
}

function dialFailure(error: unknown): DialFailure {
  if (
    error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted
  ) return "refused";
  if (error instanceof Deno.errors.TimedOut) return "timeout";
  const isLocal = error instanceof Deno.errors.AddrNotAvailable ||
    error instanceof Deno.errors.NotCapable ||
    error instanceof Deno.errors.PermissionDenied ||
    (error instanceof Error && localFaults.test(error.message));
  return isLocal ? "local" : "other";
}

/** EMFILE, ENFILE, ENOBUFS and ENOMEM have no error class of their own in Deno. */
const localFaults = /too many open files|no buffer space|cannot allocate memory/i;

/** A TCP socket whose `close` may be called again. */
class TcpConnection implements Connection {
  readonly #conn: Deno.TcpConn;
  #closed = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    try {
      conn.setNoDelay(true);
    } catch {
      // The peer has reset the connection already; the first read or write will tell.
    }
  }

  get local(): HostPort {
    const { hostname, port } = this.#conn.localAddr;
    return { hostname, port };
  }

  get remote(): HostPort {
    const { hostname, port } = this.#conn.remoteAddr;
    return { hostname, port };
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#conn.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A listening socket. */
class TcpListener implements Listener {
  readonly address: HostPort;
  readonly #listener: Deno.TcpListener;
  #closed = false;

  constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
    this.address = { hostname: listener.addr.hostname, port: listener.addr.port };
  }

  async accept(): Promise<Connection | undefined> {
    if (this.#closed) return undefined;
    try {
      return new TcpConnection(await this.#listener.accept());
    } catch (error) {
      if (this.#closed) return undefined;
      throw error;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
