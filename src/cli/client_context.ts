import { type Connect, connectRing } from "../client/connect.ts";
import type { RingTarget } from "../client/target.ts";
import type { PeerDependencies } from "../net/peer_connection.ts";
import { TcpTransport } from "../net/tcp_transport.ts";
import { Watchdog } from "../net/watchdog.ts";
import { SystemClock } from "../runtime/clock.ts";
import type { CliContext } from "./cli_context.ts";

/** What a client subcommand works with; dispose ends it. */
export interface ClientContext extends Disposable {
  readonly dependencies: PeerDependencies;
  /** Connects to the ring that the command line names. */
  readonly connect: Connect;
}

/** Real sockets, real time, and the ring at `target`. */
export function clientContext(target: RingTarget, { signal }: CliContext): ClientContext {
  const watchdog = new Watchdog(new SystemClock());
  const dependencies = { transport: new TcpTransport(), watchdog };
  const connect = async () => {
    const peer = await connectRing(dependencies, target, signal);
    // Ctrl-C ends whatever is under way on the connection.
    signal.addEventListener("abort", () => peer.close(), { once: true });
    return peer;
  };
  return { dependencies, connect, [Symbol.dispose]: () => watchdog.close() };
}
