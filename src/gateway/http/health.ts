import type { Hono } from "hono";
import type { HttpDependencies } from "./app.ts";
import { Problem } from "./problem.ts";
import { askInfo } from "../../client/questions.ts";

/** How long a node may take to say how it is, in ms: who probes waits about a second. */
const infoMs = 1_000;

/** `/healthz`: this process serves. `/readyz`: the ring behind it can take a push. */
export function healthRoutes(app: Hono, { ring }: HttpDependencies): void {
  app.get(
    "/healthz",
    (context) => context.json({ status: "ok" }, 200, { "cache-control": "no-store" }),
  );

  app.get("/readyz", async (context) => {
    const info = await ring.ask(async (peer) => {
      const info = await askInfo(peer, { deadlineMs: infoMs });
      peer.release();
      return info;
    }, { repeatable: true, signal: context.req.raw.signal });
    const state = info.get("state");
    if (state !== "ready") throw new Problem(503, `The node that answers is ${state}`);
    return context.json({ status: "ready" }, 200, { "cache-control": "no-store" });
  });
}
