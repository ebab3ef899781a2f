import type { NodeAddress } from "../protocol/address.ts";
import { viewBytesMax } from "../protocol/limits.ts";
import { parseCountedReply } from "../protocol/peer_replies.ts";
import { BusyError } from "../net/busy_error.ts";
import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError, PeerUnreachable } from "../net/peer_errors.ts";
import type { PeerPool } from "../net/peer_pool.ts";
import type { Answer, RingMessage } from "../ring/effects.ts";
import { formatView, parseView, type ViewMessage } from "../ring/view_codec.ts";
import type { Clock } from "../runtime/clock.ts";

/** What requests are made with. */
export interface RingRequestDependencies {
  readonly peers: PeerPool;
  readonly clock: Clock;
  /** Gives up early; the answer is then `local`. */
  readonly signal: AbortSignal;
}

/** One request of the ring machine. */
export interface RingRequest {
  readonly to: NodeAddress;
  readonly message: RingMessage;
  /** Milliseconds in which the whole answer must be there. */
  readonly deadlineMs: number;
}

/**
 * Sends a request of the ring machine and says what became of it. All of them may be repeated, so a
 * connection from the pool that turns out to be dead is no answer yet.
 */
export async function askRing(
  dependencies: RingRequestDependencies,
  { to, message, deadlineMs }: RingRequest,
): Promise<Answer> {
  const { peers, signal } = dependencies;
  try {
    if (message.kind === "view") {
      return await askView(dependencies, { to, view: message.view, deadlineMs });
    }
    const options = { deadlineMs, idempotent: true, signal };
    return { kind: "line", line: await peers.request(to, message.command, options) };
  } catch (error) {
    return outcomeOf(error);
  }
}

interface ViewRequest {
  readonly to: NodeAddress;
  readonly view: ViewMessage;
  readonly deadlineMs: number;
}

async function askView(
  { peers, clock, signal }: RingRequestDependencies,
  { to, view, deadlineMs }: ViewRequest,
): Promise<Answer> {
  const endMs = clock.nowMs() + deadlineMs;
  const body = new TextEncoder().encode(formatView(view));
  for (let fresh = false;; fresh = true) {
    const timeoutMs = Math.max(1, endMs - clock.nowMs());
    using peer = await peers.borrow(to, { timeoutMs, signal, fresh });
    try {
      const answer = await exchangeViews(peer, body, Math.max(1, endMs - clock.nowMs()));
      peer.release();
      return { kind: "view", view: answer };
    } catch (error) {
      const stale = error instanceof PeerUnreachable && error.kind === "broken" && !peer.fresh;
      if (!stale) throw error;
    }
  }
}

/** The connection is closed unless the answer was a view: an original reads a body as commands. */
async function exchangeViews(
  peer: PeerConnection,
  body: Uint8Array,
  deadlineMs: number,
): Promise<ViewMessage> {
  peer.setDeadline(deadlineMs);
  await peer.send({ kind: "ring-view", bodyBytes: body.length }, body);
  const line = await peer.readReply();
  const bytes = parseCountedReply("VIEW", line, viewBytesMax);
  if (bytes === undefined) throw new PeerError(peer.address, `answered a view '${line}'`);
  const answer = new Uint8Array(bytes);
  await peer.readExactly(answer);
  peer.setDeadline(undefined);
  try {
    return parseView(new TextDecoder().decode(answer));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new PeerError(peer.address, `answered a view with nonsense: ${error.message}`);
  }
}

function outcomeOf(error: unknown): Answer {
  if (error instanceof PeerError) return { kind: "error", error: error.message };
  if (error instanceof BusyError) return { kind: "local" };
  if (error instanceof PeerUnreachable) {
    if (error.kind === "timeout") return { kind: "silent" };
    return { kind: error.kind === "local" ? "local" : "refused" };
  }
  // Only an abort is left that ends a request without news of the peer.
  if (error instanceof Error) return { kind: "local" };
  throw error;
}
