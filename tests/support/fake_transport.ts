import {
  formatAddress,
  type HostPort,
  type NodeAddress,
  parseAddress,
  splitAddress,
} from "../../src/protocol/address.ts";
import {
  DialError,
  type DialOptions,
  type Listener,
  type Transport,
} from "../../src/net/transport.ts";
import { type FakeConnection, type FakeConnectionOptions, pairBetween } from "./fake_connection.ts";

export { connectionPair, FakeConnection, type FakeConnectionOptions } from "./fake_connection.ts";

/** Nodes that reach each other in memory. An address without a listener refuses. */
export class FakeTransport implements Transport {
  readonly #options: FakeConnectionOptions;
  readonly #listeners = new Map<NodeAddress, FakeListener>();
  readonly #refusing = new Set<NodeAddress>();
  readonly #hanging = new Map<NodeAddress, Set<() => void>>();
  readonly #connections = new Map<FakeConnection, NodeAddress>();
  #dials = 0;
  #nextPort = 40_000;

  /** @param options of every connection. */
  constructor(options: FakeConnectionOptions = {}) {
    this.#options = options;
  }

  /** Dials so far, failed ones included. */
  get dials(): number {
    return this.#dials;
  }

  /** Ends that are open at the dialling side. */
  get open(): number {
    return this.#connections.size;
  }

  async dial(address: NodeAddress, options: DialOptions): Promise<FakeConnection> {
    this.#dials += 1;
    options.signal?.throwIfAborted();
    if (this.#hanging.has(address)) await this.#hang(address, options);
    const listener = this.#listeners.get(address);
    if (listener === undefined || this.#refusing.has(address)) {
      throw new DialError(address, "refused", { reason: "nobody listens there" });
    }
    const near = { hostname: "127.0.0.1", port: this.#nextPort++ };
    const [mine, theirs] = pairBetween(near, splitAddress(address), this.#options);
    this.#connections.set(mine, address);
    mine.onClose(() => this.#connections.delete(mine));
    listener.take(theirs);
    return mine;
  }

  listen(hostname: string, port: number): FakeListener {
    const address = formatAddress(hostname, port === 0 ? this.#nextPort++ : port);
    if (this.#listeners.has(address)) throw new Deno.errors.AddrInUse(`${address} is in use`);
    const listener = new FakeListener(splitAddress(address), () => this.#listeners.delete(address));
    this.#listeners.set(address, listener);
    return listener;
  }

  /** From now on dials to the address are refused, though somebody may listen. */
  refuse(address: NodeAddress): void {
    this.#refusing.add(address);
  }

  /** From now on dials to the address get no answer until `restore` or `expireDials`. */
  hang(address: NodeAddress): void {
    if (!this.#hanging.has(address)) this.#hanging.set(address, new Set());
  }

  /** The hanging dials of the address have waited long enough: they fail as `timeout`. */
  expireDials(address: NodeAddress): void {
    for (const expire of [...this.#hanging.get(address) ?? []]) expire();
  }

  /** Ends `refuse` and `hang`; dials that hang still wait for their deadline. */
  restore(address: NodeAddress): void {
    this.#refusing.delete(address);
    this.expireDials(address);
    this.#hanging.delete(address);
  }

  /** The open connections to an address, at the dialling side, oldest first. */
  connectionsTo(address: NodeAddress): FakeConnection[] {
    return [...this.#connections].filter(([, to]) => to === address).map(([conn]) => conn);
  }

  /** Resets every connection to the address. */
  cut(address: NodeAddress): void {
    for (const conn of this.connectionsTo(address)) conn.cut();
  }

  #hang(address: NodeAddress, { signal, timeoutMs }: DialOptions): Promise<never> {
    return new Promise((_resolve, reject) => {
      const waiting = this.#hanging.get(address);
      const expire = () => {
        waiting?.delete(expire);
        signal?.removeEventListener("abort", stop);
        const reason = `no answer within ${timeoutMs} ms`;
        reject(new DialError(address, "timeout", { reason }));
      };
      const stop = () => {
        waiting?.delete(expire);
        reject(signal?.reason);
      };
      waiting?.add(expire);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }
}

/** A port in memory. */
export class FakeListener implements Listener {
  readonly address: HostPort;
  readonly #onClose: () => void;
  readonly #backlog: FakeConnection[] = [];
  readonly #accepting: ((conn: FakeConnection | undefined) => void)[] = [];
  #closed = false;

  constructor(address: HostPort, onClose: () => void) {
    this.address = address;
    this.#onClose = onClose;
  }

  accept(): Promise<FakeConnection | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const conn = this.#backlog.shift();
    if (conn !== undefined) return Promise.resolve(conn);
    return new Promise((resolve) => this.#accepting.push(resolve));
  }

  /** Takes a dialled connection; the transport's part. */
  take(conn: FakeConnection): void {
    const accepting = this.#accepting.shift();
    if (accepting === undefined) this.#backlog.push(conn);
    else accepting(conn);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
    for (const conn of this.#backlog.splice(0)) conn.cut();
    for (const accepting of this.#accepting.splice(0)) accepting(undefined);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A node's address from a text that a test knows to be one. */
export function address(text: string): NodeAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new RangeError(`'${text}' is no address`);
  return parsed;
}
