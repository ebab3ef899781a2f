import { askInfo, askNetmap } from "../client/questions.ts";
import { sharedOptions } from "../node/shared_options.ts";
import { PeerConnection, type PeerDependencies } from "../net/peer_connection.ts";
import { isPeerFailure } from "../net/peer_errors.ts";
import type { NodeAddress } from "../protocol/address.ts";
import { viewBytesMax } from "../protocol/limits.ts";
import { parseCount } from "../protocol/count.ts";
import { initialView } from "../ring/view_codec.ts";
import type { Clock } from "../runtime/clock.ts";
import { NetworkError } from "./network_error.ts";
import type { NetworkPlan } from "./plan.ts";

/** What wiring works with. */
export interface WireDependencies extends PeerDependencies {
  readonly clock: Clock;
}

/** The pause between two looks at something that is not there yet, in ms. */
const lookMs = 40;

/** How long one question may take, in ms: a node that starts reads its catalog first. */
const askMs = 5_000;

/** How long a dial may take, in ms. */
const dialMs = 1_000;

/**
 * Waits until a node answers `NODE PING`.
 *
 * @throws the signal's reason.
 */
export async function waitForPing(
  deps: WireDependencies,
  address: NodeAddress,
  signal: AbortSignal,
): Promise<void> {
  const ask = async (peer: PeerConnection) => {
    await peer.request({ kind: "node-ping" }, { deadlineMs: askMs });
    return true;
  };
  await keepTrying(deps, signal, () => withPeer(deps, { address, signal }, ask));
}

/**
 * Gives every node of the plan the ring, side by side. To a node that knows it already this is no
 * news, so it may be done again at any time.
 *
 * @throws {PeerUnreachable} When one of them cannot be reached.
 */
export async function giveView(
  deps: WireDependencies,
  plan: NetworkPlan,
  { addresses, signal }: {
    readonly addresses: readonly NodeAddress[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const [first] = plan.nodes;
  if (first === undefined) return;
  const order = plan.nodes.map((node) => node.address);
  const body = new TextEncoder().encode(initialView({ order, options: sharedOptions(first) }));
  await Promise.all(
    addresses.map((address) =>
      withPeer(deps, { address, signal }, (peer) => giveViewTo(peer, body))
    ),
  );
}

/**
 * Waits until the ring is whole: every node has every node as Alive, is ready to serve, and has
 * the same catalog as the others.
 *
 * @throws the signal's reason.
 */
export async function waitUntilReady(
  deps: WireDependencies,
  addresses: readonly NodeAddress[],
  signal: AbortSignal,
): Promise<void> {
  await keepTrying(deps, signal, async () => {
    const catalogs = await Promise.all(addresses.map(async (address) => {
      let catalog: string | undefined;
      await keepTrying(deps, signal, async () => {
        catalog = await withPeer(
          deps,
          { address, signal },
          (peer) => catalogWhenReady(peer, addresses.length),
        );
        return catalog !== undefined;
      });
      return catalog;
    }));
    return catalogs.every((catalog) => catalog === catalogs[0]);
  });
}

/** The digest of a node's catalog; `undefined` while the node or its view is not ready. */
async function catalogWhenReady(
  peer: PeerConnection,
  nodeCount: number,
): Promise<string | undefined> {
  const netmap = await askNetmap(peer, { deadlineMs: askMs });
  // A node alone has no netmap.
  const whole = nodeCount === 1 && netmap.length === 0 ||
    netmap.length === nodeCount && netmap.every((entry) => entry.status === "Alive");
  if (!whole) return undefined;
  const info = await askInfo(peer, { deadlineMs: askMs });
  return info.get("state") === "ready" ? info.get("catalog") ?? "" : undefined;
}

async function giveViewTo(peer: PeerConnection, body: Uint8Array): Promise<void> {
  const command = { kind: "ring-view", bodyBytes: body.length } as const;
  const answer = await peer.request(command, { body, deadlineMs: askMs });
  const bytes = parseCount(answer.replace(/^VIEW /, ""), viewBytesMax);
  if (bytes === undefined) {
    throw new NetworkError(`${peer.address} did not take the ring: ${answer}`);
  }
  // What the node knows beyond that is read only so that the connection ends in order.
  await peer.readExactly(new Uint8Array(bytes));
}

/** Uses a connection that is closed afterwards, and at once when the signal aborts. */
export async function withPeer<T>(
  deps: WireDependencies,
  { address, signal }: { readonly address: NodeAddress; readonly signal: AbortSignal },
  use: (peer: PeerConnection) => Promise<T>,
): Promise<T> {
  using peer = await PeerConnection.dial(deps, address, { timeoutMs: dialMs, signal });
  const close = () => peer.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    return await use(peer);
  } finally {
    signal.removeEventListener("abort", close);
  }
}

/**
 * Tries until it is true; a node that does not answer yet is no reason to give up.
 *
 * @throws the signal's reason.
 */
export async function keepTrying(
  deps: WireDependencies,
  signal: AbortSignal,
  attempt: () => Promise<boolean>,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      if (await attempt()) return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isPeerFailure(error)) throw error;
    }
    await deps.clock.sleep(lookMs, signal);
  }
}
