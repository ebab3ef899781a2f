import { askInfo } from "../client/questions.ts";
import { PeerConnection, type PeerDependencies } from "../net/peer_connection.ts";
import { isPeerFailure } from "../net/peer_errors.ts";
import { type NodeAddress, splitAddress } from "../protocol/address.ts";
import { NetworkError } from "./network_error.ts";

/** How long whoever holds a port may take to say who it is, in ms; it only makes a better message. */
const askMs = 1_000;

/**
 * Makes sure that every address can be listened on, before anything is started.
 *
 * @throws {NetworkError} Naming the first one that cannot.
 */
export async function assertPortsFree(
  dependencies: PeerDependencies,
  addresses: readonly NodeAddress[],
): Promise<void> {
  for (const address of addresses) {
    const { hostname, port } = splitAddress(address);
    try {
      dependencies.transport.listen(hostname, port).close();
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) throw await portInUse(dependencies, address);
      const why = error instanceof Error ? error.message : String(error);
      throw new NetworkError(`Cannot listen on ${address}: ${why}`, { cause: error });
    }
  }
}

async function portInUse(
  dependencies: PeerDependencies,
  address: NodeAddress,
): Promise<NetworkError> {
  const { port } = splitAddress(address);
  const holder = await whoHolds(dependencies, address);
  return new NetworkError(
    holder === undefined
      ? `Port ${port} is in use by another program; choose other ports`
      : `Port ${port} is in use by ${holder}; stop that one with 'ouroboros stop --port ${port}', or choose ` +
        "other ports",
  );
}

async function whoHolds(
  dependencies: PeerDependencies,
  address: NodeAddress,
): Promise<string | undefined> {
  try {
    using peer = await PeerConnection.dial(dependencies, address, { timeoutMs: askMs });
    // A gateway passes the question on to a node, whose address is then another one.
    const info = await askInfo(peer, { deadlineMs: askMs });
    return info.get("address") === address ? "a node of a running ring" : "a running gateway";
  } catch (error) {
    if (isPeerFailure(error)) return undefined;
    throw error;
  }
}
