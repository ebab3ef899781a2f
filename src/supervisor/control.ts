import { ByteReader } from "../net/byte_reader.ts";
import { type OwnVerbs, serveOwnVerbs } from "../net/own_verbs.ts";
import type { Connection, Listener, Transport } from "../net/transport.ts";
import type { Watchdog } from "../net/watchdog.ts";
import { formatAddress, type NodeAddress } from "../protocol/address.ts";
import { idleMs } from "../protocol/limits.ts";
import type { Logger } from "../runtime/log.ts";

/** What the control port works with. */
export interface ControlDependencies {
  readonly transport: Transport;
  readonly watchdog: Watchdog;
  readonly log: Logger;
}

/** Connections at once; only `ouroboros stop` has business here. */
const connectionsMax = 16;

/**
 * The loopback port on which a supervisor answers `SUPERVISOR INFO` and `SUPERVISOR STOP <id>`.
 * Dispose closes it.
 */
export class ControlPort implements AsyncDisposable {
  /** Where it listens: any free port. */
  readonly address: NodeAddress;
  readonly #deps: ControlDependencies;
  readonly #listener: Listener;
  readonly #verbs: OwnVerbs;
  readonly #open = new Map<Connection, Promise<void>>();
  readonly #accepting: Promise<void>;

  constructor(deps: ControlDependencies, verbs: OwnVerbs) {
    this.#deps = deps;
    this.#verbs = verbs;
    this.#listener = deps.transport.listen("127.0.0.1", 0);
    const { hostname, port } = this.#listener.address;
    this.address = formatAddress(hostname, port);
    this.#accepting = this.#accept();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open.keys()) conn.close();
    await this.#accepting;
    await Promise.all(this.#open.values());
  }

  async #accept(): Promise<void> {
    for (;;) {
      try {
        const conn = await this.#listener.accept();
        if (conn === undefined) return;
        if (this.#open.size < connectionsMax) this.#serve(conn);
        else conn.close();
      } catch (error) {
        this.#deps.log.warn("control port is closed", { error });
        return;
      }
    }
  }

  #serve(accepted: Connection): void {
    const conn = this.#deps.watchdog.guard(accepted, idleMs);
    const served = serveOwnVerbs({ conn, reader: new ByteReader(conn) }, this.#verbs)
      .catch((error: unknown) => this.#deps.log.debug("control connection ended", { error }))
      .finally(() => {
        conn.close();
        this.#open.delete(conn);
      });
    this.#open.set(conn, served);
  }
}
