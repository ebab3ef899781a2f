import type { Context, Hono } from "hono";
import mime from "mime";
import { listFiles } from "../../client/list.ts";
import { pushFile } from "../../client/push.ts";
import { deleteStoredFile } from "../../client/questions.ts";
import { transferStallMs } from "../../client/deadlines.ts";
import type { PeerConnection } from "../../net/peer_connection.ts";
import { portOf } from "../../protocol/address.ts";
import { parseCount } from "../../protocol/count.ts";
import { type FileHeader, parseFileHeader } from "../../protocol/file_replies.ts";
import { compareNames } from "../../protocol/names.ts";
import type { HttpDependencies } from "./app.ts";
import { fileBody } from "./file_body.ts";
import { fileName } from "./file_name.ts";
import { Problem } from "./problem.ts";
import { RequestBody } from "./request_body.ts";
import { rawPath } from "./raw_path.ts";

const onePath = "/files/:name{.+}";

/** The files: list, read, write, delete. */
export function fileRoutes(app: Hono, dependencies: HttpDependencies): void {
  app.get("/files", async (context) => {
    const { ring } = dependencies;
    const files = await ring.ask(listFiles, { repeatable: true, signal: context.req.raw.signal });
    const prefix = context.req.query("prefix") ?? "";
    const after = context.req.query("after") ?? "";
    const limit = parseCount(context.req.query("limit") ?? String(listLimit), listLimitMax);
    if (limit === undefined || limit < 1) {
      throw new Problem(400, `limit is a number from 1 to ${listLimitMax}`);
    }
    const rest = files
      .filter(({ name }) => name.startsWith(prefix) && compareNames(name, after) > 0);
    const page = rest.slice(0, limit).map(({ name, size, start }) => ({
      name,
      size,
      start: portOf(start),
    }));
    const next = rest.length > page.length ? page.at(-1)?.name : undefined;
    return context.json({ files: page, next: next ?? null });
  });
  app.get(onePath, (context) => getFile(dependencies, context));
  app.put(onePath, (context) => putFile(dependencies, context));
  app.delete(onePath, async (context) => {
    const name = nameOf(context);
    await dependencies.ring.ask(async (peer) => {
      await deleteStoredFile(peer, name);
      peer.release();
    }, { repeatable: false });
    return context.body(null, 204);
  });
}

async function getFile({ ring, log }: HttpDependencies, context: Context): Promise<Response> {
  const name = nameOf(context);
  const { peer, header } = await ring.ask((peer) => openFile(peer, name), { repeatable: true });
  const headers = {
    "content-type": contentType(name),
    "content-length": String(header.size),
    "etag": `"${header.version}"`,
    "x-content-type-options": "nosniff",
  };
  if (context.req.method === "HEAD" || header.size === 0) {
    peer.close();
    return new Response(null, { headers });
  }
  return new Response(fileBody({ peer, size: header.size, log }), { headers });
}

async function openFile(
  peer: PeerConnection,
  name: string,
): Promise<{ readonly peer: PeerConnection; readonly header: FileHeader }> {
  peer.setStall(transferStallMs);
  const line = await peer.request({ kind: "file-get", name }, { deadlineMs: transferStallMs });
  const header = parseFileHeader(line);
  if (header === undefined) throw new Problem(502, `${peer.address} answered '${line}'`);
  return { peer, header };
}

async function putFile({ ring, clock }: HttpDependencies, context: Context): Promise<Response> {
  const name = nameOf(context);
  const announced = context.req.header("content-length");
  if (announced === undefined && context.req.raw.body !== null) {
    throw new Problem(411, "The request has no Content-Length");
  }
  const size = parseCount(announced ?? "0");
  if (size === undefined) throw new Problem(400, "Content-Length is no number");
  const body = new RequestBody(context.req.raw, { clock });
  try {
    await ring.ask(async (peer) => {
      await pushFile(peer, { name, size, read: (buffer) => body.read(buffer) });
      peer.release();
    }, { repeatable: false });
  } finally {
    await body.cancel();
  }
  return context.json({ name, size }, 201);
}

function nameOf(context: Context): string {
  return fileName(rawPath(context.req.raw).slice("/files/".length));
}

/** What a file is taken for, by its name. */
function contentType(name: string): string {
  return mime.getType(name) ?? "application/octet-stream";
}

/** Files of one answer, when the client does not say. */
const listLimit = 1_000;

/** Files of one answer at most. */
const listLimitMax = 10_000;
