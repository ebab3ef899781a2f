import type { Context, Hono } from "hono";

/** What a request comes with, as Hono calls it. */
export interface HttpEnv {
  readonly Bindings: {
    /**
     * Aborts when the client's connection has ended. (The request's own signal aborts after every
     * answer, and the runtime warns of whoever uses it.)
     */
    readonly gone: AbortSignal;
  };
}

/** The routes of the gateway. */
export type App = Hono<HttpEnv>;

/** One request, as a route sees it. */
export type HttpContext = Context<HttpEnv>;

/** HTTP as a function of a request; the signal aborts when its client has gone. */
export type Handler = (request: Request, gone: AbortSignal) => Response | Promise<Response>;
