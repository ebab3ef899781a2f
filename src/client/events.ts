import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError } from "../net/peer_errors.ts";
import { type EventLine, eventLineBytesMax, parseEventLine } from "../protocol/ring_event.ts";
import { answerMs } from "./deadlines.ts";

/** How long a node may be silent, in ms: it says every 15 s that it is there. */
const silenceMs = 40_000;

/**
 * Has a node of ours tell what happens there, for as long as the connection is open. Lines that nobody
 * here knows, as from a newer program, are passed over.
 *
 * @param after the id of the last event that was heard; `0` for all that the node has kept
 * @throws {PeerError} when the node refuses, as an original does.
 */
export async function openEvents(
  peer: PeerConnection,
  after: string,
): Promise<AsyncGenerator<EventLine>> {
  const answer = await peer.request({ kind: "ring-events", after }, { deadlineMs: answerMs });
  if (answer !== "OK") throw new PeerError(peer.address, `answered RING EVENTS '${answer}'`);
  return readEvents(peer);
}

async function* readEvents(peer: PeerConnection): AsyncGenerator<EventLine> {
  peer.setStall(silenceMs);
  for (;;) {
    const line = parseEventLine(await peer.readLine(eventLineBytesMax));
    if (line !== undefined) yield line;
  }
}
