import { BusyError } from "../../net/busy_error.ts";
import { PeerError, PeerUnreachable } from "../../net/peer_errors.ts";
import {
  digestPrefix,
  errors,
  isUnknownCommand,
  nodeLost,
  preconditionPrefix,
} from "../../protocol/errors.ts";

/** What a {@linkcode Problem} may say besides its status. */
export interface ProblemOptions extends ErrorOptions {
  /** Headers of the answer, such as `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is not answered as its client wished; the message is one sentence for people. */
export class Problem extends Error {
  override readonly name = "Problem";
  /** Of HTTP, 400 to 599. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, options: ProblemOptions = {}) {
    super(detail, options);
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

/**
 * The answer that tells a problem: RFC 9457, `application/problem+json`. The type is `about:blank`,
 * which says that the status is all a program needs; `detail` is for people.
 */
export function problemResponse(problem: Problem): Response {
  const { status, message, headers } = problem;
  const title = titles[status] ?? "Error";
  const body = { type: "about:blank", title, status, detail: message };
  return new Response(`${JSON.stringify(body)}\n`, {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...headers,
    },
  });
}

/** What went wrong, as HTTP has it. What is nobody's known fault is a 500 without its details. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof PeerError) return ringProblem(error.message, error);
  if (error instanceof BusyError) return later(errors.busy, error);
  if (error instanceof PeerUnreachable) {
    const status = error.kind === "timeout" ? 504 : 502;
    return new Problem(status, error.message, { cause: error });
  }
  return new Problem(500, "The gateway failed; its log says why", { cause: error });
}

/** A refusal of the ring, its text without `ERR`, as a problem. */
export function ringProblem(refusal: string, cause?: unknown): Problem {
  const status = refusals.find(({ begins }) => refusal.startsWith(begins))?.status;
  if (status === undefined) return new Problem(502, refusal, { cause });
  return status === 503 ? later(refusal, cause) : new Problem(status, refusal, { cause });
}

/** Something that may work in a moment. */
function later(detail: string, cause: unknown): Problem {
  return new Problem(503, detail, { cause, headers: { "retry-after": String(retrySeconds) } });
}

/** When a client may try again, in seconds: a node that died is usually back by then. */
const retrySeconds = 2;

/** How refusals of the ring begin, and their status. */
const refusals: readonly { readonly begins: string; readonly status: number }[] = [
  { begins: errors.fileNotFound, status: 404 },
  { begins: preconditionPrefix, status: 412 },
  { begins: digestPrefix, status: 400 },
  { begins: "invalid file name", status: 400 },
  { begins: "file name too long", status: 400 },
  { begins: "File size is too large", status: 413 },
  { begins: "Not enough disk space", status: 507 },
  { begins: "Cannot store", status: 507 },
  { begins: "Too much is staged", status: 503 },
  { begins: "not enough nodes alive", status: 503 },
  { begins: errors.busy, status: 503 },
  { begins: errors.catchingUp, status: 503 },
  { begins: errors.stopping, status: 503 },
  { begins: errors.noNodeAlive, status: 503 },
  { begins: errors.versionGone, status: 503 },
  { begins: "outcome unknown", status: 500 },
  { begins: "overtaken", status: 409 },
  { begins: nodeLost(""), status: 503 },
  { begins: "part ", status: 503 },
];

/**
 * Whether a refusal came before anything was done, so that another node may be asked instead: it is
 * busy, or away, or an original, which does not know the command.
 */
export function isRefusedUntouched(error: unknown): boolean {
  if (!(error instanceof PeerError)) return false;
  const { message } = error;
  return message === errors.busy || message === errors.catchingUp || message === errors.stopping ||
    isUnknownCommand(message);
}

/** The titles of the statuses that are answered, as RFC 9110 names them. */
const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage",
};
