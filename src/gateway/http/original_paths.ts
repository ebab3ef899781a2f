import type { Hono } from "hono";
import { listFiles } from "../../client/list.ts";
import { portOf } from "../../protocol/address.ts";
import type { HttpDependencies } from "./app.ts";
import { healNetwork, ringNetmap } from "./nodes.ts";

/** The paths of the original program's later versions, for its web page. */
export function originalRoutes(app: Hono, dependencies: HttpDependencies): void {
  app.get("/netmap/get", async (context) => {
    const entries = await ringNetmap(dependencies, context.req.raw.signal);
    const netmap = entries.map(({ address, status }) => [String(portOf(address)), status]);
    return context.json(Object.fromEntries(netmap));
  });
  app.get("/file/list", async (context) => {
    const { signal } = context.req.raw;
    const files = await dependencies.ring.ask(listFiles, { repeatable: true, signal });
    return context.json(
      files.map(({ name, start, size }) => ({ name, start: portOf(start), size })),
    );
  });
  app.post("/network/heal", async (context) => {
    return context.json({ message: await healNetwork(dependencies, context.req.raw.signal) });
  });
}
