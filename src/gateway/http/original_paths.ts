import { listFiles } from "../../client/list.ts";
import { portOf } from "../../protocol/address.ts";
import type { HttpDependencies } from "./app.ts";
import { checkedName, fileName } from "./file_name.ts";
import type { App } from "./http_env.ts";
import { healNetwork, killNode, ringNetmap } from "./nodes.ts";
import { Problem } from "./problem.ts";
import { rawPath } from "./raw_path.ts";
import { readFile } from "./read_file.ts";
import { writeFile } from "./write_file.ts";

/**
 * The paths of the original program's later versions, for its web page. They answer as it does where
 * that is known, but for errors, which have a status.
 */
export function originalRoutes(app: App, dependencies: HttpDependencies): void {
  app.get("/netmap/get", async (context) => {
    const entries = await ringNetmap(dependencies, context.env.gone);
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

  app.get("/file/pull/:name{.+}", async (context) => {
    const name = fileName(rawPath(context.req.raw).slice("/file/pull/".length));
    return await readFile(dependencies, context, name);
  });

  app.post("/file/push", async (context) => {
    const header = context.req.header("x-filename");
    if (header === undefined) throw new Problem(400, "The request has no X-Filename header");
    const stored = await writeFile(dependencies, context.req.raw, checkedName(headerText(header)));
    const { name, size } = stored;
    return context.json({ message: `FILE ${size} bytes '${name}' stored`, name, size });
  });

  app.post("/network/heal", async (context) => {
    return context.json({ message: await healNetwork(dependencies, context.env.gone) });
  });

  app.post("/node/:port{[0-9]+}/kill", async (context) => {
    return context.json({ message: await killNode(dependencies, context.req.param("port")) });
  });
}

/** The text of a header whose bytes are UTF-8, as programs send it, or else Latin-1, as pages do. */
function headerText(header: string): string {
  const bytes = Uint8Array.from(header, (char) => char.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return header;
  }
}
