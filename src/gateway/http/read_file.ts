import mime from "mime";
import { openRange } from "../../client/range.ts";
import type { PeerConnection } from "../../net/peer_connection.ts";
import { PeerError } from "../../net/peer_errors.ts";
import { errors } from "../../protocol/errors.ts";
import type { RangeHeader } from "../../protocol/transfer_replies.ts";
import { randomId } from "../../runtime/random.ts";
import type { HttpDependencies } from "./app.ts";
import { digestHeaders } from "./digests.ts";
import { entityTag } from "./entity_tags.ts";
import { type BodyPiece, bodyStream } from "./file_body.ts";
import type { HttpContext } from "./http_env.ts";
import { httpDate, rangeApplies, readOutcome } from "./preconditions.ts";
import { Problem } from "./problem.ts";
import { contentRange, parseRange, type RangeOfBytes } from "./ranges.ts";

/** A file as `FILE RANGE` tells of it. */
export type FileInfo = Omit<RangeHeader, "offset" | "count">;

/**
 * How often a file may be replaced between the look at it and the reading, which take a millisecond
 * each; one that is written all the time must still be read.
 */
const overtakenMax = 20;

/**
 * `GET` and `HEAD` of a file, with conditions and ranges (RFC 9110, 13 and 14).
 *
 * What has neither is one question to the ring. Else the file is looked at first, and then exactly
 * that version is read; when it was replaced in between, all is done again.
 */
export async function readFile(
  dependencies: HttpDependencies,
  context: HttpContext,
  name: string,
): Promise<Response> {
  const { headers } = context.req.raw;
  const isHead = context.req.method === "HEAD";
  const isPlain = !isHead && !conditional.some((header) => headers.has(header));
  for (let attempt = 1;; attempt++) {
    try {
      if (isPlain) return await wholeFile(dependencies, name);
      const info = await lookAt(dependencies, name);
      return await answerAbout(dependencies, info, { headers, isHead });
    } catch (error) {
      const isOvertaken = error instanceof PeerError && error.message === errors.versionGone;
      if (!isOvertaken || attempt === overtakenMax) throw error;
    }
  }
}

/** What the ring knows of a file. */
export async function lookAt({ ring }: HttpDependencies, name: string): Promise<FileInfo> {
  return await ring.ask(async (peer) => {
    const info = await openRange(peer, { name, count: 0 });
    peer.release();
    return info;
  }, { repeatable: true });
}

/** The headers that every answer about a version has. */
export function fileHeaders({ name, version, sha256, timeMs }: FileInfo): Record<string, string> {
  return {
    "accept-ranges": "bytes",
    "cache-control": "no-cache",
    "content-type": contentType(name),
    "etag": entityTag(version),
    "last-modified": httpDate(timeMs),
    ...digestHeaders(sha256),
    // A stored page is somebody's file, not a part of this site: its scripts may not act for a user.
    "content-security-policy": "sandbox",
    "x-content-type-options": "nosniff",
  };
}

/** What a file is taken for, by its name. */
export function contentType(name: string): string {
  const type = mime.getType(name) ?? "application/octet-stream";
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}

async function wholeFile(dependencies: HttpDependencies, name: string): Promise<Response> {
  const { peer, info } = await openAt(dependencies, { name });
  const headers = { ...fileHeaders(info), "content-length": String(info.size) };
  const pieces = [{ size: info.size, open: () => Promise.resolve(peer) }];
  if (info.size > 0) return new Response(bodyStream(pieces, dependencies.log), { headers });
  peer.release();
  return new Response(null, { headers });
}

async function answerAbout(
  dependencies: HttpDependencies,
  info: FileInfo,
  { headers, isHead }: { readonly headers: Headers; readonly isHead: boolean },
): Promise<Response> {
  const { version, size } = info;
  const outcome = readOutcome(headers, info);
  const own = fileHeaders(info);
  if (outcome === 412) throw new Problem(412, `The file is at version ${version}`);
  if (outcome === 304) {
    const { etag = "", "last-modified": modified = "", "cache-control": caching = "" } = own;
    return new Response(null, {
      status: 304,
      headers: { etag, "last-modified": modified, "cache-control": caching },
    });
  }
  if (isHead) {
    return new Response(null, { headers: { ...own, "content-length": String(size) } });
  }
  const nowMs = dependencies.clock.wallMs();
  const asked = rangeApplies(headers, info, nowMs) ? headers.get("range") : null;
  const range = parseRange(asked, size);
  if (range.kind === "unsatisfiable") {
    throw new Problem(416, `The file has ${size} bytes`, {
      headers: { "content-range": `bytes */${size}`, "etag": entityTag(version) },
    });
  }
  if (range.kind === "whole") return await wholeFile(dependencies, info.name);
  const [first, ...others] = range.ranges;
  return others.length === 0
    ? await oneRange(dependencies, info, first)
    : await manyRanges(dependencies, info, range.ranges);
}

async function oneRange(
  dependencies: HttpDependencies,
  info: FileInfo,
  range: RangeOfBytes,
): Promise<Response> {
  const { peer } = await openAt(dependencies, info, range);
  const count = range.last - range.first + 1;
  const pieces = [{ size: count, open: () => Promise.resolve(peer) }];
  return new Response(bodyStream(pieces, dependencies.log), {
    status: 206,
    headers: {
      ...fileHeaders(info),
      "content-range": contentRange(range, info.size),
      "content-length": String(count),
    },
  });
}

/** `multipart/byteranges` (RFC 9110, 14.6). */
async function manyRanges(
  dependencies: HttpDependencies,
  info: FileInfo,
  ranges: readonly RangeOfBytes[],
): Promise<Response> {
  const boundary = randomId();
  const encoder = new TextEncoder();
  const own = fileHeaders(info);
  const pieces: BodyPiece[] = [];
  let length = 0;
  const add = (piece: BodyPiece) => {
    pieces.push(piece);
    length += piece instanceof Uint8Array ? piece.length : piece.size;
  };
  // The first one is asked for now, so that a failure still has a status of its own.
  const opened = await openAt(dependencies, info, ranges[0]);
  for (const [index, range] of ranges.entries()) {
    add(encoder.encode(
      `\r\n--${boundary}\r\nContent-Type: ${own["content-type"]}\r\n` +
        `Content-Range: ${contentRange(range, info.size)}\r\n\r\n`,
    ));
    add({
      size: range.last - range.first + 1,
      open: async () => index === 0 ? opened.peer : (await openAt(dependencies, info, range)).peer,
    });
  }
  add(encoder.encode(`\r\n--${boundary}--\r\n`));
  return new Response(bodyStream(pieces, dependencies.log), {
    status: 206,
    headers: {
      ...own,
      "content-type": `multipart/byteranges; boundary=${boundary}`,
      "content-length": String(length),
    },
  });
}

/** Opens a file, or a range of one version of it, at the first node that serves. */
async function openAt(
  { ring }: HttpDependencies,
  { name, version }: { readonly name: string; readonly version?: string },
  range?: RangeOfBytes,
): Promise<{ readonly peer: PeerConnection; readonly info: RangeHeader }> {
  const wish = {
    name,
    ...(version !== undefined && { version }),
    ...(range !== undefined && { offset: range.first, count: range.last - range.first + 1 }),
  };
  return await ring.ask(async (peer) => ({ peer, info: await openRange(peer, wish) }), {
    repeatable: true,
  });
}

/** Headers that make a request more than "give me the file". */
const conditional = [
  "range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
];
