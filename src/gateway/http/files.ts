import { askPage } from "../../client/page.ts";
import { askStat } from "../../client/questions.ts";
import { PeerError } from "../../net/peer_errors.ts";
import { portOf } from "../../protocol/address.ts";
import { parseCount } from "../../protocol/count.ts";
import { pageRowsMax } from "../../protocol/file_page.ts";
import { parseFileStat } from "../../protocol/file_replies.ts";
import type { HttpDependencies } from "./app.ts";
import { entityTag } from "./entity_tags.ts";
import { fileName } from "./file_name.ts";
import type { App, HttpContext } from "./http_env.ts";
import { Problem } from "./problem.ts";
import { rawPath } from "./raw_path.ts";
import { readFile } from "./read_file.ts";
import { deleteFile, writeFile } from "./write_file.ts";

/** Files of one page of the list, when the client does not say. */
const listLimit = 1_000;

/** Files of one page of the list at most; one more is asked for, to see whether there is another. */
const listLimitMax = Math.floor(pageRowsMax / 2);

/** Characters of `prefix` and `after`; no name is longer. */
const nameCharsMax = 200;

const onePath = "/files/:name{.+}";

/** The files: list, read, write, delete. */
export function fileRoutes(app: App, dependencies: HttpDependencies): void {
  app.get("/files", (context) => listFiles(dependencies, context));

  app.get(onePath, async (context) => {
    const name = nameOf(context);
    if (context.req.query("stat") !== undefined) return await statFile(dependencies, context, name);
    return await readFile(dependencies, context, name);
  });

  app.put(onePath, async (context) => {
    const stored = await writeFile(dependencies, context.req.raw, nameOf(context));
    const { name, size, version, sha256, replaced } = stored;
    return context.json({ name, size, version, sha256 }, replaced ? 200 : 201, {
      "etag": entityTag(version),
      "location": `/files/${encodeURIComponent(name)}`,
    });
  });

  app.delete(onePath, async (context) => {
    await deleteFile(dependencies, context.req.raw, nameOf(context));
    return context.body(null, 204);
  });
}

async function listFiles({ ring }: HttpDependencies, context: HttpContext): Promise<Response> {
  const { prefix = "", after = "", limit: text = String(listLimit) } = context.req.query();
  const limit = parseCount(text, listLimitMax);
  if (limit === undefined || limit === 0) {
    throw new Problem(400, `limit is a number from 1 to ${listLimitMax}`);
  }
  if (prefix.length > nameCharsMax || after.length > nameCharsMax) {
    throw new Problem(400, `A name has at most ${nameCharsMax} characters`);
  }
  const rows = await ring.ask(async (peer) => {
    const rows = await askPage(peer, { prefix, after, limit: limit + 1 });
    peer.release();
    return rows;
  }, { repeatable: true, signal: context.env.gone });
  const files = rows.slice(0, limit).map((
    { name, size, version, sha256, timeMs, parts, start },
  ) => ({
    name,
    size,
    version,
    sha256: sha256 === "" ? null : sha256,
    modified: new Date(timeMs).toISOString(),
    parts,
    start: portOf(start),
  }));
  const last = files.at(-1)?.name;
  const next = rows.length > limit && last !== undefined ? last : null;
  const headers: Record<string, string> = { "cache-control": "no-store" };
  if (next !== null) {
    const query = new URLSearchParams({ prefix, after: next, limit: String(limit) });
    headers["link"] = `</files?${query}>; rel="next"`;
  }
  return context.json({ files, next }, 200, headers);
}

/** Where every copy of a file lies, and how it is. */
async function statFile(
  { ring }: HttpDependencies,
  context: HttpContext,
  name: string,
): Promise<Response> {
  const stat = await ring.ask(async (peer) => {
    const text = await askStat(peer, name);
    const stat = parseFileStat(text);
    if (stat === undefined) throw new PeerError(peer.address, "unexpected answer to FILE STAT");
    peer.release();
    return stat;
  }, { repeatable: true, signal: context.env.gone });
  const parts = stat.parts.map((copies) =>
    copies.map(({ address, state }) => ({ node: address, port: portOf(address), state }))
  );
  const sha256 = stat.sha256 === "" ? null : stat.sha256;
  return context.json({ ...stat, sha256, parts }, 200, { "cache-control": "no-store" });
}

function nameOf(context: HttpContext): string {
  return fileName(rawPath(context.req.raw).slice("/files/".length));
}
