import { PeerError, PeerUnreachable } from "../net/peer_errors.ts";
import { errors, isNodeLost, isUnknownCommand } from "../protocol/errors.ts";

/**
 * What a failure means to whoever has to decide what to do next.
 *
 * - `failed`: it did not work, and nothing was changed.
 * - `not-found`: the ring has no such file.
 * - `unreachable`: no ring answers.
 * - `outcome-unknown`: the ring went away before it said whether it was done.
 */
export type ClientFailure = "failed" | "not-found" | "unreachable" | "outcome-unknown";

/** How a {@linkcode ClientError} came about. */
export interface ClientErrorOptions extends ErrorOptions {
  /** Default: `failed`. */
  readonly kind?: ClientFailure;
  /** Nothing of it was done yet and the reason may pass, so that another try is safe. */
  readonly retryable?: boolean;
}

/** Something a client wanted did not work; the message is one line for its user. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly kind: ClientFailure;
  readonly retryable: boolean;

  constructor(message: string, options: ClientErrorOptions = {}) {
    super(message, options);
    this.kind = options.kind ?? "failed";
    this.retryable = options.retryable ?? false;
  }
}

/** What {@linkcode explain} knows of the exchange that failed. */
export interface Exchange {
  /** Whether it asks for nothing that could be done twice, or nothing was sent yet. */
  readonly harmless?: boolean;
  /** What a broken connection means for the user, behind what happened. */
  readonly consequence?: string;
  /** Whether the ring may have done it all the same when the connection broke. */
  readonly mayBeDone?: boolean;
}

/**
 * Puts what went wrong on a connection to the ring into words for a user. Anything unknown, such as
 * an error of the file system or of the programmer, is thrown on unchanged.
 *
 * @param doing What was tried, after "Cannot": "pull 'a.txt'".
 */
export function explain(error: unknown, doing: string, exchange: Exchange = {}): ClientError {
  if (error instanceof ClientError) return error;
  if (error instanceof PeerError) {
    return new ClientError(`Cannot ${doing}: ${withAdvice(error.message)}`, {
      cause: error,
      kind: kindOf(error.message),
      retryable: passing.has(error.message),
    });
  }
  if (error instanceof PeerUnreachable) {
    const { harmless = false, mayBeDone = false, consequence } = exchange;
    const what = happened(error);
    return new ClientError(
      `Cannot ${doing}: ${consequence === undefined ? what : `${what} ${consequence}`}`,
      { cause: error, kind: mayBeDone ? "outcome-unknown" : "failed", retryable: harmless },
    );
  }
  throw error;
}

function happened(error: PeerUnreachable): string {
  if (error.kind === "timeout") return `${error.address} did not answer in time`;
  if (error.kind === "refused") return `nothing answers at ${error.address}`;
  return `the connection to ${error.address} broke`;
}

/** Answers of a ring that is about to be well again; it has done nothing of what was asked. */
const passing: ReadonlySet<string> = new Set([errors.busy, errors.catchingUp, errors.noNodeAlive]);

function kindOf(answer: string): ClientFailure {
  if (answer === errors.fileNotFound) return "not-found";
  return answer.startsWith("outcome unknown") ? "outcome-unknown" : "failed";
}

/** A node's answer, and what its user may do about it. */
function withAdvice(answer: string): string {
  const advice = adviceFor(answer);
  return advice === undefined ? answer : `${answer}; ${advice}`;
}

function adviceFor(answer: string): string | undefined {
  if (answer === errors.fileNotFound) return "'ouroboros list' shows what is stored";
  if (answer === errors.busy) return "the node serves as many connections as it can, try later";
  if (answer === errors.catchingUp) return "the node learns what it missed, try again soon";
  if (answer === errors.stopping) return "the ring is being stopped";
  if (answer === errors.noNodeAlive || answer.startsWith("not enough nodes alive")) {
    return "'ouroboros status' shows who is dead, and 'ouroboros heal' starts them again";
  }
  if (answer.startsWith("File size is too large")) return "--file-size of the ring is the limit";
  if (isNodeLost(answer)) return "nothing was stored, try again";
  if (isUnknownCommand(answer)) return "an original node does not know how";
  if (answer.startsWith("outcome unknown")) return "'ouroboros stat' tells whether it was done";
  return undefined;
}
