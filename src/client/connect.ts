import { PeerConnection, type PeerDependencies } from "../net/peer_connection.ts";
import { PeerUnreachable } from "../net/peer_errors.ts";
import { PeerLink } from "../net/peer_link.ts";
import type { NodeAddress } from "../protocol/address.ts";
import { ClientError } from "./client_error.ts";
import { dialMs } from "./deadlines.ts";
import type { RingTarget } from "./target.ts";

/** Opens one more connection to the ring; the caller closes it. */
export type Connect = () => Promise<PeerConnection>;

/**
 * Connects to the first address of the target that takes the connection. The signal ends the dialing,
 * and later whatever is under way on the connection.
 *
 * @throws {ClientError} When none does, with the addresses that were tried.
 */
export async function connectRing(
  dependencies: PeerDependencies,
  target: RingTarget,
  signal?: AbortSignal,
): Promise<PeerConnection> {
  let last: unknown;
  for (const address of target) {
    try {
      return await dial(dependencies, address, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof PeerUnreachable)) throw error;
      last = error;
    }
  }
  throw new ClientError(
    `No ring answers at ${
      target.join(" or ")
    }; start one with 'ouroboros set-network', or say where it is ` +
      "with --host and --port",
    { cause: last, kind: "unreachable", retryable: true },
  );
}

async function dial(
  dependencies: PeerDependencies,
  address: NodeAddress,
  signal: AbortSignal | undefined,
): Promise<PeerConnection> {
  if (signal === undefined) {
    return await PeerConnection.dial(dependencies, address, { timeoutMs: dialMs });
  }
  const link = await PeerLink.dial(dependencies, address, { timeoutMs: dialMs, signal });
  const abort = () => link.close();
  const giveBack = (link: PeerLink) => {
    // A signal outlives thousands of connections.
    signal.removeEventListener("abort", abort);
    link.close();
  };
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  return new PeerConnection(link, { fresh: true, giveBack });
}
