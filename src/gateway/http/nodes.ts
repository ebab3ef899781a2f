import type { Hono } from "hono";
import { askInfo, askNetmap, healRing, scrubRing } from "../../client/questions.ts";
import { type NodeAddress, portOf } from "../../protocol/address.ts";
import { parseCount } from "../../protocol/count.ts";
import type { NetmapEntry } from "../../protocol/lists.ts";
import type { HttpDependencies } from "./app.ts";
import { Problem } from "./problem.ts";

/** How long a node may take to tell of itself, in ms. */
const infoMs = 2_000;

/** The nodes of the ring, and what can be done to all of them. */
export function nodeRoutes(app: Hono, dependencies: HttpDependencies): void {
  app.get("/nodes", async (context) => {
    const netmap = await ringNetmap(dependencies, context.req.raw.signal);
    const nodes = netmap.map(({ address, status }) => ({
      address,
      port: portOf(address),
      status,
    }));
    return context.json({ nodes }, 200, noStore);
  });

  app.get("/nodes/:port{[0-9]+}", async (context) => {
    const { address, status } = nodeAt(dependencies, context.req.param("port"));
    const info = await dependencies.ring.askAt(address, async (peer) => {
      const info = await askInfo(peer, { deadlineMs: infoMs });
      peer.release();
      return info;
    });
    return context.json(
      { port: portOf(address), status, ...Object.fromEntries(info) },
      200,
      noStore,
    );
  });

  app.post("/heal", async (context) => {
    const message = await healNetwork(dependencies, context.req.raw.signal);
    return context.json({ message });
  });

  app.post("/scrub", async (context) => {
    const text = await dependencies.ring.ask(async (peer) => {
      const text = await scrubRing(peer);
      peer.release();
      return text;
    }, { repeatable: false, signal: context.req.raw.signal });
    const counts = text.split("\n").filter((line) => line !== "").map((line) => {
      const [key = "", value = ""] = line.split(": ");
      return [key, Number(value)] as const;
    });
    return context.json(Object.fromEntries(counts));
  });
}

/** Has the ring checked and healed; the ring's own words when that is done. */
export async function healNetwork(
  { ring }: HttpDependencies,
  signal: AbortSignal,
): Promise<string> {
  return await ring.ask(async (peer) => {
    const message = await healRing(peer);
    peer.release();
    return message;
  }, { repeatable: false, signal });
}

/** Who is in the ring, as it says now; when no node answers, as the gateway last heard. */
export async function ringNetmap(
  { ring, picker }: HttpDependencies,
  signal: AbortSignal,
): Promise<NetmapEntry[]> {
  try {
    return await ring.ask(async (peer) => {
      const entries = await askNetmap(peer, { deadlineMs: infoMs });
      peer.release();
      return entries;
    }, { repeatable: true, signal });
  } catch (error) {
    signal.throwIfAborted();
    const known = picker.netmap();
    if (known.length === 0) throw error;
    return known;
  }
}

/** The node of a port in a path. */
export function nodeAt(
  { picker }: HttpDependencies,
  text: string,
): { readonly address: NodeAddress; readonly status: string } {
  const port = parseCount(text, 65_535);
  const entry = picker.netmap().find(({ address }) => portOf(address) === port);
  if (entry === undefined) throw new Problem(404, `The ring has no node at port ${text}`);
  return entry;
}

/** A state of this moment. */
const noStore = { "cache-control": "no-store" };
