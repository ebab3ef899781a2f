import { PeerError, PeerUnreachable } from "../net/peer_errors.ts";

/** Something a client wanted did not work; the message is one line for its user. */
export class ClientError extends Error {
  override readonly name = "ClientError";
}

/**
 * Puts what went wrong on a connection to the ring into words for a user. Anything unknown, such as
 * an error of the file system or of the programmer, is thrown on unchanged.
 *
 * @param doing What was tried, after "Cannot": "pull 'a.txt'".
 */
export function explain(error: unknown, doing: string): ClientError {
  if (error instanceof ClientError) return error;
  if (error instanceof PeerError) {
    return new ClientError(`Cannot ${doing}: ${error.message}`, { cause: error });
  }
  if (error instanceof PeerUnreachable) {
    const why = error.kind === "timeout"
      ? `${error.address} did not answer in time`
      : error.kind === "refused"
      ? `nothing answers at ${error.address}`
      : `the connection to ${error.address} broke`;
    return new ClientError(`Cannot ${doing}: ${why}`, { cause: error });
  }
  throw error;
}
