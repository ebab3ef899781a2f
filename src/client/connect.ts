import { PeerConnection, type PeerDependencies } from "../net/peer_connection.ts";
import { PeerUnreachable } from "../net/peer_errors.ts";
import { ClientError } from "./client_error.ts";
import { dialMs } from "./deadlines.ts";
import type { RingTarget } from "./target.ts";

/** Opens one more connection to the ring; the caller closes it. */
export type Connect = () => Promise<PeerConnection>;

/**
 * Connects to the first address of the target that takes the connection.
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
      return await PeerConnection.dial(dependencies, address, {
        timeoutMs: dialMs,
        ...(signal !== undefined && { signal }),
      });
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
    { cause: last },
  );
}
