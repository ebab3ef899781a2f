import { askInfo, askNetmap, healRing, killAt, scrubRing } from "../../client/questions.ts";
import { type NodeAddress, portOf } from "../../protocol/address.ts";
import { parseCount } from "../../protocol/count.ts";
import type { NetmapEntry } from "../../protocol/lists.ts";
import type { HttpDependencies } from "./app.ts";
import type { App } from "./http_env.ts";
import { nodeFigures } from "./node_figures.ts";
import { Problem } from "./problem.ts";

/** How long a node may take to tell of itself, in ms. */
const infoMs = 2_000;

/** The nodes of the ring, and what can be done to all of them. */
export function nodeRoutes(app: App, dependencies: HttpDependencies): void {
  app.get("/nodes", async (context) => {
    const netmap = await ringNetmap(dependencies, context.env.gone);
    const isDetailed = context.req.query("detail") !== undefined;
    const told = isDetailed ? await dependencies.metrics.nodes() : [];
    const metricsOf = new Map(told.map(({ address, metrics }) => [address, metrics]));
    const nodes = netmap.map(({ address, status }) => {
      const metrics = metricsOf.get(address);
      return { address, port: portOf(address), status, ...(metrics && nodeFigures(metrics)) };
    });
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

  app.post("/nodes/:port{[0-9]+}/kill", async (context) => {
    return context.json({ message: await killNode(dependencies, context.req.param("port")) });
  });

  app.post("/heal", async (context) => {
    const message = await healNetwork(dependencies, context.env.gone);
    return context.json({ message });
  });

  app.post("/scrub", async (context) => {
    const text = await dependencies.ring.ask(async (peer) => {
      const text = await scrubRing(peer);
      peer.release();
      return text;
    }, { repeatable: false, signal: context.env.gone });
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

/**
 * Ends a node as a crash would, so that people can watch the ring heal: its process kills itself at
 * once, without finishing or telling anything. The gateway could not do it from outside: the node may
 * be on another machine, where its process id means somebody else.
 *
 * @throws {Problem} 403 unless the gateway was started with `--allow-kill`.
 */
export async function killNode(dependencies: HttpDependencies, port: string): Promise<string> {
  const { log, options, ring } = dependencies;
  if (!options.allowKill) {
    throw new Problem(403, "Nodes are not killed here: start the gateway with --allow-kill");
  }
  const { address } = nodeAt(dependencies, port);
  await ring.askAt(address, async (peer) => {
    const incarnation = (await askInfo(peer, { deadlineMs: infoMs })).get("incarnation");
    if (incarnation === undefined) throw new Problem(501, `The node at ${address} is an original`);
    await killAt(peer, incarnation);
    peer.close();
  });
  log.info("node killed", { node: address });
  return `Node ${port} was killed`;
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
