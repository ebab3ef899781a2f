import { askInfo, askNetmap } from "../client/questions.ts";
import { PeerConnection, type PeerDependencies } from "../net/peer_connection.ts";
import { isPeerFailure, PeerUnreachable } from "../net/peer_errors.ts";
import { formatAddress, type NodeAddress, parseAddress, portOf } from "../protocol/address.ts";
import { type ControlFile, readControlFile } from "./control_file.ts";
import { NetworkError } from "./network_error.ts";
import { askOwn } from "./own_process.ts";
import { type RingShape, showPorts } from "./plan.ts";
import { ringsIn } from "./ring_directory.ts";

/** A ring that was found, with what is known of who runs it. */
export interface FoundRing {
  readonly nodes: readonly NodeAddress[];
  readonly gateway: NodeAddress | undefined;
  /** A supervisor that answers. */
  readonly supervisor: NodeAddress | undefined;
}

/** How long one question may take, in ms. */
const askMs = 2_000;

/**
 * Finds the ring that keeps its files in a data directory.
 *
 * @returns `undefined` when there is none, or none of its processes answers.
 * @throws {NetworkError} When there are several.
 */
export async function findRingIn(
  deps: PeerDependencies,
  dataDir: string,
): Promise<FoundRing | undefined> {
  const found: FoundRing[] = [];
  for (const [directory, shape] of await ringsIn(dataDir)) {
    const ring = await runningRing(deps, directory, shape);
    if (ring !== undefined) found.push(ring);
  }
  if (found.length <= 1) return found[0];
  const rings = found.map((ring) => showPorts(ring.nodes.map(portOf))).join("; ");
  throw new NetworkError(`Several rings run in '${dataDir}' (ports ${rings}): say which by --port`);
}

/**
 * Finds the ring of which a node or a gateway listens at an address.
 *
 * @param dataDir Where its supervisor is looked for when the ring does not tell.
 * @returns `undefined` when nothing of this program answers there.
 */
export async function findRingAt(
  deps: PeerDependencies,
  address: NodeAddress,
  dataDir: string,
): Promise<FoundRing | undefined> {
  const gateway = await askGateway(deps, address);
  if (gateway !== undefined) return gateway;
  let nodes: NodeAddress[];
  let directories = [dataDir];
  try {
    using peer = await PeerConnection.dial(deps, address, { timeoutMs: askMs });
    const netmap = await askNetmap(peer, { deadlineMs: askMs });
    nodes = netmap.length === 0 ? [address] : netmap.map((entry) => entry.address);
    const info = await askInfo(peer, { deadlineMs: askMs });
    const told = info.get("data_dir");
    if (told !== undefined) directories = [told, dataDir];
  } catch (error) {
    if (isPeerFailure(error)) return undefined;
    throw error;
  }
  for (const directory of directories) {
    const ring = await ringOfPort(deps, directory, portOf(address));
    if (ring !== undefined) return { ...ring, nodes: [...new Set([...ring.nodes, ...nodes])] };
  }
  return { nodes, gateway: undefined, supervisor: undefined };
}

async function ringOfPort(
  deps: PeerDependencies,
  dataDir: string,
  port: number,
): Promise<FoundRing | undefined> {
  for (const [directory, shape] of await ringsIn(dataDir)) {
    if (shape.ports.includes(port)) return await runningRing(deps, directory, shape);
  }
  return undefined;
}

/** A ring by its directory, if its supervisor, a node or its gateway answers. */
async function runningRing(
  deps: PeerDependencies,
  directory: string,
  shape: RingShape,
): Promise<FoundRing | undefined> {
  const nodes = shape.ports.map((port) => formatAddress(shape.host, port));
  const control = await readControlFile(directory);
  const supervisor = await askSupervisor(deps, control);
  const gateway = control?.gateway;
  if (supervisor !== undefined) return { nodes, gateway, supervisor };
  const all = gateway === undefined ? nodes : [...nodes, gateway];
  const answers = await Promise.all(all.map((address) => isListening(deps, address)));
  return answers.includes(true) ? { nodes, gateway, supervisor: undefined } : undefined;
}

async function askGateway(
  deps: PeerDependencies,
  address: NodeAddress,
): Promise<FoundRing | undefined> {
  try {
    using peer = await PeerConnection.dial(deps, address, { timeoutMs: askMs });
    const info = await askOwn(peer, "GATEWAY", askMs);
    const supervisor = parseAddress(info.get("supervisor") ?? "");
    const nodes = (info.get("members") ?? "").split(",").map(parseAddress)
      .filter((node) => node !== undefined);
    const answers = supervisor !== undefined && await isListening(deps, supervisor);
    return { nodes, gateway: address, supervisor: answers ? supervisor : undefined };
  } catch (error) {
    // A node answers that it does not know the word.
    if (isPeerFailure(error)) return undefined;
    throw error;
  }
}

/** The supervisor's address if it is still the one that wrote the file. */
async function askSupervisor(
  deps: PeerDependencies,
  control: ControlFile | undefined,
): Promise<NodeAddress | undefined> {
  if (control === undefined) return undefined;
  try {
    using peer = await PeerConnection.dial(deps, control.address, { timeoutMs: askMs });
    const info = await askOwn(peer, "SUPERVISOR", askMs);
    return info.get("id") === control.id ? control.address : undefined;
  } catch (error) {
    if (isPeerFailure(error)) return undefined;
    throw error;
  }
}

async function isListening(deps: PeerDependencies, address: NodeAddress): Promise<boolean> {
  try {
    (await PeerConnection.dial(deps, address, { timeoutMs: askMs })).close();
    return true;
  } catch (error) {
    if (error instanceof PeerUnreachable) return false;
    throw error;
  }
}
