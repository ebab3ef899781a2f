import type { GatewayHttpOptions } from "../options.ts";
import type { Handler } from "./http_env.ts";
import { Problem, problemResponse } from "./problem.ts";

/**
 * Keeps strangers' web pages out. A browser sends what a page asks it to, also to a port that only
 * this machine reaches, so being reachable from the loopback alone protects nothing:
 *
 * 1. A `Host` that is neither a name of the loopback nor an allowed one is refused: the page's own
 *    name may resolve to this machine (DNS rebinding), and the browser would take us for its server.
 * 2. A request that can change something, with the `Origin` of another site, is refused (403). A
 *    browser tells the origin with every such request; other programs have none.
 * 3. Answers are readable by pages of other origins only where `--cors` names them.
 */
export function guard(handler: Handler, options: GatewayHttpOptions): Handler {
  return async (request, gone) => {
    const refusal = refuse(request, options);
    if (refusal !== undefined) return problemResponse(refusal);
    const origin = request.headers.get("origin");
    const isForeignFriend = origin !== null && options.corsOrigins.includes(origin);
    const answer = isForeignFriend && request.method === "OPTIONS"
      ? preflight(request)
      : await handler(request, gone);
    if (options.corsOrigins.length > 0) answer.headers.append("vary", "Origin");
    if (isForeignFriend) {
      answer.headers.set("access-control-allow-origin", origin);
      answer.headers.set("access-control-expose-headers", exposedHeaders);
    }
    return answer;
  };
}

/** Why a request is not served; `undefined` when it is. */
function refuse(request: Request, options: GatewayHttpOptions): Problem | undefined {
  const host = request.headers.get("host");
  if (host === null || host === "") return new Problem(400, "The request has no Host header");
  const name = hostName(host);
  if (name === undefined) return new Problem(400, "The Host header names no host");
  if (!isLoopback(name) && !options.allowedHosts.includes(name)) {
    return new Problem(
      403,
      `The host name '${name}' is not served here: start the gateway with --allow-host ${name}`,
    );
  }
  const origin = request.headers.get("origin");
  if (origin === null || harmlessMethods.has(request.method)) return undefined;
  if (options.corsOrigins.includes(origin) || isOwnOrigin(origin, host)) return undefined;
  return new Problem(
    403,
    "A page of another origin may not change anything here, unless --cors names it",
  );
}

/** The name in a `Host` header, in lower case and without its port; `undefined` when it is none. */
export function hostName(host: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?$/i.exec(host);
  return match?.[1]?.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

/** Whether a host name means this machine wherever it is resolved (RFC 6761, 6.3; RFC 1122, 3.2.1.3). */
export function isLoopback(name: string): boolean {
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return /^127\.(?:[0-9]{1,3}\.){2}[0-9]{1,3}$/.test(name);
}

/** Whether a page comes from the gateway itself; behind a proxy the scheme may be https. */
function isOwnOrigin(origin: string, host: string): boolean {
  const match = /^https?:\/\/(.+)$/.exec(origin);
  return match?.[1]?.toLowerCase() === host.toLowerCase();
}

/** The answer to a browser that asks before it sends what a page of a friendly origin wants sent. */
function preflight(request: Request): Response {
  const headers = new Headers({
    "access-control-allow-methods": "GET, HEAD, PUT, POST, DELETE",
    "access-control-allow-headers": allowedHeaders,
    "access-control-max-age": String(preflightSeconds),
  });
  if (request.headers.get("access-control-request-private-network") === "true") {
    headers.set("access-control-allow-private-network", "true");
  }
  return new Response(null, { status: 204, headers });
}

/** Methods that change nothing. */
const harmlessMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** What a page of a friendly origin may send. */
const allowedHeaders =
  "Content-Digest, Content-Type, If-Match, If-Modified-Since, If-None-Match, " +
  "If-Range, Range, X-Content-SHA256, X-Filename";

/** What it may read, besides what every page may. */
const exposedHeaders =
  "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, Digest, " +
  "ETag, Link, Location, Repr-Digest, Retry-After";

/** How long a browser may keep the answer to a preflight, in seconds. */
const preflightSeconds = 600;
