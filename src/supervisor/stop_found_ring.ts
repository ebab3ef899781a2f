import { PeerConnection } from "../net/peer_connection.ts";
import { isPeerFailure, PeerUnreachable } from "../net/peer_errors.ts";
import type { NodeAddress } from "../protocol/address.ts";
import type { FoundRing } from "./find_ring.ts";
import { stopOwn } from "./own_process.ts";
import { type StopDependencies, stopRing } from "./stop.ts";

/** How long a supervisor may take to stop its ring, in ms: it promises 5 s. */
const supervisorMs = 7_000;

/** The pause between two looks at whether it is gone, in ms. */
const lookMs = 50;

/** How long one question may take, in ms. */
const askMs = 2_000;

/**
 * Stops a ring that somebody else runs: its supervisor does it if there is one, else every process
 * is stopped one by one. Resolves when nothing of it listens any more.
 *
 * @throws {NetworkError} When a port is held even after force.
 */
export async function stopFoundRing(deps: StopDependencies, ring: FoundRing): Promise<void> {
  const { supervisor } = ring;
  if (supervisor !== undefined && await askSupervisor(deps, supervisor)) {
    const untilMs = deps.clock.nowMs() + supervisorMs;
    while (deps.clock.nowMs() < untilMs && await isThere(deps, supervisor)) {
      await deps.clock.sleep(lookMs);
    }
  }
  const addresses = [...ring.nodes, ...(ring.gateway === undefined ? [] : [ring.gateway])];
  const left = await Promise.all(addresses.map((address) => isThere(deps, address)));
  if (left.includes(true)) await stopRing(deps, ring);
}

/** Tells the supervisor to stop; false when it did not take it. */
async function askSupervisor(deps: StopDependencies, address: NodeAddress): Promise<boolean> {
  try {
    using peer = await PeerConnection.dial(deps, address, { timeoutMs: askMs });
    await stopOwn(peer, "SUPERVISOR", askMs);
    return true;
  } catch (error) {
    if (isPeerFailure(error)) return false;
    throw error;
  }
}

async function isThere(deps: StopDependencies, address: NodeAddress): Promise<boolean> {
  try {
    (await PeerConnection.dial(deps, address, { timeoutMs: askMs })).close();
    return true;
  } catch (error) {
    if (error instanceof PeerUnreachable) return false;
    throw error;
  }
}
