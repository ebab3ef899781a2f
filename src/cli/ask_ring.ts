import { type ClientError, type Exchange, explain } from "../client/client_error.ts";
import type { PeerConnection } from "../net/peer_connection.ts";
import type { ClientContext } from "./client_context.ts";

/**
 * Asks the ring something on a connection of its own, again when it went away: for what does no harm
 * when it is done twice.
 *
 * @param doing What is tried, after "Cannot": "list the files".
 */
export function askRing<T>(
  client: ClientContext,
  doing: string,
  ask: (peer: PeerConnection) => Promise<T>,
): Promise<T> {
  return client.attempt(async () => {
    using peer = await client.connect();
    try {
      return await ask(peer);
    } catch (error) {
      throw explainHarmless(error, doing);
    }
  });
}

/** {@linkcode explain}, for an exchange that may be tried again. */
export function explainHarmless(error: unknown, doing: string): ClientError {
  const harmless: Exchange = { harmless: true };
  return explain(error, doing, harmless);
}
