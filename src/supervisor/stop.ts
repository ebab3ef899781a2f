import { askInfo } from "../client/questions.ts";
import { PeerConnection, type PeerDependencies } from "../net/peer_connection.ts";
import { isPeerFailure, PeerError, PeerUnreachable } from "../net/peer_errors.ts";
import type { NodeAddress } from "../protocol/address.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import { stopOwn } from "./own_process.ts";
import { NetworkError } from "./network_error.ts";
import type { ProcessBook } from "./processes.ts";

/** What {@linkcode stopRing} works with. */
export interface StopDependencies extends PeerDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly book: ProcessBook;
}

/** Everything that is to be stopped. */
export interface StopTargets {
  readonly nodes: readonly NodeAddress[];
  readonly gateway?: NodeAddress | undefined;
}

/** Nobody heals for so long, in seconds: all nodes are gone by then, or the stopping has failed. */
const quietSeconds = 30;

/** How long a node may take to hear that, in ms; then it is stopped all the same. */
const quietMs = 500;

/** How long a process may take to stop by itself, in ms; then it is ended. */
const gentleMs = 3_000;

/** How long an ended process may still hold its port, in ms. */
const forcedMs = 1_200;

/**
 * How long the port of a node that was dead is watched, in ms: a neighbour may have been about to
 * start it again.
 */
const restlessMs = 1_200;

/** The pause between two looks at a port, in ms. */
const lookMs = 40;

/** A process that still runs is asked again after this, in ms. */
const askAgainMs = 750;

/** How long one question may take, in ms. */
const askMs = 700;

/**
 * Stops a ring: first tells every node that nobody is to heal, then stops every process behind its
 * addresses, those that the nodes themselves have started again included, and ends by force what
 * does not go. Takes 4.2 s at most.
 *
 * @throws {NetworkError} When a port is held even then.
 */
export async function stopRing(deps: StopDependencies, targets: StopTargets): Promise<void> {
  const startMs = deps.clock.nowMs();
  const present = await Promise.all(targets.nodes.map((node) => announce(deps, node)));
  const gateways = targets.gateway === undefined ? [] : [targets.gateway];
  const ports = [
    ...targets.nodes.map((address, index) => ({
      address,
      isGateway: false,
      quietUntilMs: present[index] ? startMs : startMs + restlessMs,
    })),
    ...gateways.map((address) => ({ address, isGateway: true, quietUntilMs: startMs })),
  ];
  const left = await filterAsync(ports, (port) => holdsOn(deps, port, startMs + gentleMs));
  if (left.length === 0) return;
  for (const { address } of left) {
    deps.log.warn("ended by force", { address });
    await deps.book.kill(address);
  }
  const untilMs = deps.clock.nowMs() + forcedMs;
  const held = await filterAsync(left, ({ address }) => isHeld(deps, address, untilMs));
  const [first] = held;
  if (first !== undefined) {
    throw new NetworkError(
      `Cannot stop what listens on ${first.address}: end that process yourself`,
    );
  }
}

/** Tells a node that the ring stops; whether the node was there to hear it. */
async function announce(deps: StopDependencies, address: NodeAddress): Promise<boolean> {
  try {
    using peer = await PeerConnection.dial(deps, address, { timeoutMs: quietMs });
    await peer.request({ kind: "ring-stopping", seconds: quietSeconds }, { deadlineMs: quietMs });
    return true;
  } catch (error) {
    if (error instanceof PeerUnreachable) return error.kind === "timeout";
    // An original does not know the word; it is stopped all the same.
    if (error instanceof PeerError) return true;
    throw error;
  }
}

/** One address on its way to silence. */
interface StoppingPort {
  readonly address: NodeAddress;
  readonly isGateway: boolean;
  /** Only silence after this counts. */
  readonly quietUntilMs: number;
}

/** Asks a process to stop until it has; true when it has not by `untilMs`. */
async function holdsOn(
  deps: StopDependencies,
  port: StoppingPort,
  untilMs: number,
): Promise<boolean> {
  const { clock, book } = deps;
  let askAtMs = clock.nowMs();
  while (clock.nowMs() < untilMs) {
    const peer = await tryDial(deps, port.address);
    if (peer === undefined) {
      if (clock.nowMs() >= port.quietUntilMs && !book.isRunning(port.address)) return false;
    } else if (clock.nowMs() >= askAtMs) {
      await askToStop(deps, peer, port);
      askAtMs = clock.nowMs() + askAgainMs;
    } else {
      peer.close();
    }
    await clock.sleep(lookMs);
  }
  return true;
}

async function askToStop(
  deps: StopDependencies,
  peer: PeerConnection,
  port: StoppingPort,
): Promise<void> {
  using _closing = peer;
  try {
    const info = port.isGateway ? await stopOwn(peer, "GATEWAY", askMs) : await stopNode(peer);
    deps.book.told(port.address, Number(info.get("pid")));
  } catch (error) {
    if (!isPeerFailure(error)) throw error;
    deps.log.debug("did not stop when asked", { address: port.address, error });
  }
}

async function stopNode(peer: PeerConnection): Promise<ReadonlyMap<string, string>> {
  const info = await askInfo(peer, { deadlineMs: askMs });
  const incarnation = info.get("incarnation") ?? "";
  await peer.request({ kind: "node-stop", incarnation }, { deadlineMs: askMs });
  return info;
}

/** Whether somebody still listens at `untilMs`. */
async function isHeld(
  deps: StopDependencies,
  address: NodeAddress,
  untilMs: number,
): Promise<boolean> {
  while (deps.clock.nowMs() < untilMs) {
    const peer = await tryDial(deps, address);
    if (peer === undefined) return false;
    peer.close();
    await deps.clock.sleep(lookMs);
  }
  return true;
}

async function tryDial(
  deps: StopDependencies,
  address: NodeAddress,
): Promise<PeerConnection | undefined> {
  try {
    return await PeerConnection.dial(deps, address, { timeoutMs: quietMs });
  } catch (error) {
    if (error instanceof PeerUnreachable) return undefined;
    throw error;
  }
}

async function filterAsync<T>(
  items: readonly T[],
  keep: (item: T) => Promise<boolean>,
): Promise<T[]> {
  const kept = await Promise.all(items.map(keep));
  return items.filter((_, index) => kept[index]);
}
