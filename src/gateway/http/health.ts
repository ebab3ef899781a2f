import { askInfo } from "../../client/questions.ts";
import type { PeerConnection } from "../../net/peer_connection.ts";
import { PeerError } from "../../net/peer_errors.ts";
import type { HttpDependencies } from "./app.ts";
import type { App } from "./http_env.ts";
import { Problem, toProblem } from "./problem.ts";

/** How long a node may take to say how it is, in ms: who probes waits about a second. */
const infoMs = 1_000;

/**
 * `/healthz`: this process serves. `/readyz`: the ring behind it can take a push, by what some node of
 * it says: it is up to date, enough nodes are Alive for the copies, and its disk has room.
 */
export function healthRoutes(app: App, { ring }: HttpDependencies): void {
  app.get("/healthz", (context) => context.json({ status: "ok" }, 200, noStore));

  app.get("/readyz", async (context) => {
    try {
      await ring.ask(requirePush, {
        repeatable: true,
        insists: true,
        signal: context.env.gone,
      });
    } catch (error) {
      throw new Problem(503, toProblem(error).message, { cause: error });
    }
    return context.json({ status: "ready" }, 200, noStore);
  });
}

/** @throws {PeerError} why the node would not take a push. */
async function requirePush(peer: PeerConnection): Promise<void> {
  const info = await askInfo(peer, { deadlineMs: infoMs });
  const answer = info.get("push") ?? "the node does not say whether it takes pushes";
  if (answer !== "ok") throw new PeerError(peer.address, answer);
  peer.release();
}

/** A state of this moment. */
const noStore = { "cache-control": "no-store" };
