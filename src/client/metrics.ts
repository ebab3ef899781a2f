import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError } from "../net/peer_errors.ts";
import { metricsBytesMax, type NodeMetrics, parseMetrics } from "../protocol/node_metrics.ts";
import { parseCountedReply } from "../protocol/peer_replies.ts";

/**
 * Asks one of our nodes what it counts and measures.
 *
 * @param deadlineMs until the whole answer is there
 * @throws {PeerError} from an original node, which does not know the question, and from one whose answer
 * is none.
 */
export async function askMetrics(peer: PeerConnection, deadlineMs: number): Promise<NodeMetrics> {
  peer.setDeadline(deadlineMs);
  await peer.send({ kind: "node-metrics" });
  const line = await peer.readReply();
  const bytes = parseCountedReply("METRICS", line, metricsBytesMax);
  if (bytes === undefined) throw new PeerError(peer.address, `answered NODE METRICS '${line}'`);
  const body = new Uint8Array(bytes);
  await peer.readExactly(body);
  peer.setDeadline(undefined);
  try {
    return parseMetrics(new TextDecoder().decode(body));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new PeerError(peer.address, `answered NODE METRICS with nonsense: ${error.message}`);
  }
}
