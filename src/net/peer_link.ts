import { type NodeAddress, splitAddress } from "../protocol/address.ts";
import { stallMs } from "../protocol/limits.ts";
import { ByteReader, type LongLineBudget } from "./byte_reader.ts";
import { dialFailure } from "./peer_errors.ts";
import type { DialOptions, Transport } from "./transport.ts";
import type { GuardedConnection, Watchdog } from "./watchdog.ts";

/** What connections to other nodes are made from. */
export interface PeerDependencies {
  readonly transport: Transport;
  readonly watchdog: Watchdog;
  /** The host whose nodes the wire's lists name by bare port; by default the peer's own. */
  readonly hostname?: string;
  /** The memory for long lines that the whole process shares. */
  readonly longLines?: LongLineBudget;
  /** Hears what a peer has answered to `NODE INFO`: nothing, from an original. Must not throw. */
  readonly onInfo?: (address: NodeAddress, info: ReadonlyMap<string, string>) => void;
}

/** Which program speaks at the other end; `unknown` until it was asked. */
export type Program = "ouroboros" | "original" | "unknown";

/**
 * The part of a connection to another node that outlives one borrower: what the pool keeps. Who
 * uses it does so through a `PeerConnection`.
 */
export class PeerLink {
  readonly address: NodeAddress;
  readonly hostname: string;
  readonly conn: GuardedConnection;
  readonly reader: ByteReader;
  readonly #onInfo: PeerDependencies["onInfo"];
  #program: Program = "unknown";
  #info: ReadonlyMap<string, string> = new Map();

  private constructor(
    dependencies: PeerDependencies,
    address: NodeAddress,
    conn: GuardedConnection,
  ) {
    this.address = address;
    this.hostname = dependencies.hostname ?? splitAddress(address).hostname;
    this.conn = conn;
    this.#onInfo = dependencies.onInfo;
    this.reader = new ByteReader(conn, dependencies.longLines);
  }

  /** Connects. @throws {PeerUnreachable} when the peer cannot be reached by the deadline. */
  static async dial(
    dependencies: PeerDependencies,
    address: NodeAddress,
    options: DialOptions,
  ): Promise<PeerLink> {
    try {
      const conn = await dependencies.transport.dial(address, options);
      return new PeerLink(dependencies, address, dependencies.watchdog.guard(conn, stallMs));
    } catch (error) {
      throw dialFailure(address, error);
    }
  }

  get program(): Program {
    return this.#program;
  }

  /** The keys and values of `NODE INFO`, once it was asked. */
  get info(): ReadonlyMap<string, string> {
    return this.#info;
  }

  /** `NODE INFO` was answered. @param info nothing if the peer does not know the question. */
  told(info: ReadonlyMap<string, string> | undefined): void {
    this.#program = info === undefined ? "original" : "ouroboros";
    this.#info = info ?? this.#info;
    this.#onInfo?.(this.address, this.#info);
  }

  /** True when nothing came that nobody asked for, and neither side has ended. */
  get atRest(): boolean {
    return this.reader.bufferedBytes === 0 && !this.reader.ended && !this.conn.expired;
  }

  /** Closes the connection; may be called again. */
  close(): void {
    this.conn.close();
    this.reader[Symbol.dispose]();
  }
}
