import type { HostPort, NodeAddress } from "../protocol/address.ts";

/** How nodes reach each other; the real one is TCP, tests have one in memory. */
export interface Transport {
  /**
   * Connects to a node.
   *
   * @throws {DialError} when there is no connection by the deadline, whatever the reason.
   */
  dial(address: NodeAddress, options: DialOptions): Promise<Connection>;
  /**
   * Takes a port; 0 means any free one.
   *
   * @throws {Deno.errors.AddrInUse} when somebody has it.
   */
  listen(hostname: string, port: number): Listener;
}

/** The limits of one dial. */
export interface DialOptions {
  /** Milliseconds until the dial fails as `timeout`. */
  readonly timeoutMs: number;
  /** Gives up early; the dial then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Two streams of bytes, one each way. */
export interface Connection extends Disposable {
  /** This end. */
  readonly local: HostPort;
  /** The other end. */
  readonly remote: HostPort;
  /** Reads at least one byte and at most `buffer.length`; `null` when the peer has ended. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes` and says how many: it may be less than all. */
  write(bytes: Uint8Array): Promise<number>;
  /** Tells the peer that no more bytes come; reading goes on. */
  closeWrite(): Promise<void>;
  /** Ends both ways, pending reads and writes reject. Never throws, may be called again. */
  close(): void;
}

/** A port that takes connections. */
export interface Listener extends Disposable {
  /** Where it listens; the real port when any free one was asked for. */
  readonly address: HostPort;
  /**
   * The next connection; `undefined` once the listener is closed.
   *
   * @throws on a passing fault, such as no file descriptor left: pause, then accept again.
   */
  accept(): Promise<Connection | undefined>;
  /** Gives the port back. Never throws, may be called again. */
  close(): void;
}

/**
 * Why a dial failed. `refused`: nobody listens there. `timeout`: no answer by the deadline.
 * `local`: this process lacks descriptors or ports, which says nothing about the peer. `other`:
 * the name has no address, there is no route, or the like.
 */
export type DialFailure = "refused" | "timeout" | "local" | "other";

/** Thrown by {@linkcode Transport.dial}. */
export class DialError extends Error {
  override readonly name = "DialError";

  constructor(
    readonly address: NodeAddress,
    readonly kind: DialFailure,
    options: ErrorOptions & { readonly reason: string },
  ) {
    super(`Cannot connect to ${address}: ${options.reason}`, options);
  }

  /** True when nobody listens at the address. */
  get refused(): boolean {
    return this.kind === "refused";
  }
}
