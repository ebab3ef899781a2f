import type { NodeAddress } from "../protocol/address.ts";
import { isUnknownCommand } from "../protocol/errors.ts";
import { DialError } from "./transport.ts";
import { StalledError } from "./watchdog.ts";

/** Thrown when a peer answered `ERR …`; the message is what followed. The connection stays usable. */
export class PeerError extends Error {
  override readonly name = "PeerError";

  constructor(readonly address: NodeAddress, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Why a peer gave no answer.
 *
 * - `refused`: nobody listens at its address.
 * - `broken`: the connection was reset, ended within an answer, or carried what is no answer.
 * - `timeout`: it was silent until the deadline, or there is no way to it. Slowness alone is never
 *   a reason to call a node dead.
 * - `local`: this process closed the connection itself, or lacks descriptors, ports or permission:
 *   no news of the peer.
 */
export type Unreachable = "refused" | "broken" | "timeout" | "local";

/** Thrown when a peer gave no answer; the connection, if there was one, is of no more use. */
export class PeerUnreachable extends Error {
  override readonly name = "PeerUnreachable";

  constructor(
    readonly address: NodeAddress,
    readonly kind: Unreachable,
    options: ErrorOptions & { readonly reason: string },
  ) {
    super(`${address} ${options.reason}`, options);
  }

  /** True when nobody listens at the address. */
  get refused(): boolean {
    return this.kind === "refused";
  }
}

/** Whether an error is a peer's: it answered `ERR …`, or not at all. */
export function isPeerFailure(error: unknown): error is PeerError | PeerUnreachable {
  return error instanceof PeerError || error instanceof PeerUnreachable;
}

/** Whether a peer has answered that it does not know a command: an original, or an older program. */
export function isUnknownToPeer(error: unknown): error is PeerError {
  return error instanceof PeerError && isUnknownCommand(error.message);
}

/** Names the failure of a dial from the asker's side; what is no `DialError` is passed through. */
export function dialFailure(address: NodeAddress, error: unknown): unknown {
  if (!(error instanceof DialError)) return error;
  const kind = error.kind === "other" ? "timeout" : error.kind;
  return new PeerUnreachable(address, kind, {
    reason: `cannot be reached: ${error.message}`,
    cause: error,
  });
}

/** Names the failure of a read or write on a connection that this process had not closed. */
export function transferFailure(address: NodeAddress, error: unknown): PeerUnreachable {
  if (error instanceof PeerUnreachable) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return error instanceof StalledError
    ? new PeerUnreachable(address, "timeout", { reason: `is too slow: ${reason}`, cause: error })
    : new PeerUnreachable(address, "broken", {
      reason: `broke the connection: ${reason}`,
      cause: error,
    });
}
