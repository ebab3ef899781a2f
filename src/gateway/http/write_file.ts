import { askInfo, deleteStoredFile } from "../../client/questions.ts";
import { openPut, type PieceSource, sendPut } from "../../client/put.ts";
import { PeerError } from "../../net/peer_errors.ts";
import { anyVersion, type WriteCondition } from "../../protocol/condition.ts";
import { parseCount } from "../../protocol/count.ts";
import { errors } from "../../protocol/errors.ts";
import type { StoredReply } from "../../protocol/transfer_replies.ts";
import type { HttpDependencies } from "./app.ts";
import { announcedDigests, DigestCheck } from "./digests.ts";
import { unmodifiedSinceMs, wholeSecond, writeCondition } from "./preconditions.ts";
import { Problem } from "./problem.ts";
import { lookAt } from "./read_file.ts";
import { RequestBody } from "./request_body.ts";

/** The largest upload without a length from a ring that does not say what it takes, in bytes. */
const spooledBytesMax = 1_000_000_000;

/** How long a node may take to say what it takes, in ms. */
const infoMs = 2_000;

/**
 * Stores the body of a request under a name.
 *
 * 1. A node is asked before the first byte is read, so that a refusal need not wait for the upload, and
 *    another node can be asked. (The server has said `100 Continue` by then to a client that waits for
 *    it: the runtime leaves nobody the choice.)
 * 2. With a length the bytes go straight through; without one they are spooled first, as the ring
 *    places a file by its size.
 * 3. Nothing is stored unless the body is as long as announced and has the digests that its headers
 *    announce. SHA-256 is compared by the node that stores, the others here before the last bytes go
 *    out.
 *
 * @throws {Problem} or what the ring refuses with; nothing is stored then, unless that says
 * `outcome unknown`.
 */
export async function writeFile(
  dependencies: HttpDependencies,
  request: Request,
  name: string,
): Promise<StoredReply> {
  const { clock, spool } = dependencies;
  const { headers } = request;
  refuseEncodings(headers);
  const condition = await conditionOf(dependencies, headers, name);
  const announced = announcedDigests(headers);
  const size = contentLength(headers);
  const body = new RequestBody(request, { clock, ...(size !== undefined && { size }) });
  try {
    if (size !== undefined || request.body === null) {
      const check = new DigestCheck(announced, ["sha512"]);
      const source = checked({ ...piecesOf(body), size: size ?? 0 }, check);
      return await store(dependencies, source, { name, sha256: announced.sha256, condition });
    }
    const check = new DigestCheck(announced, ["sha256", "sha512"]);
    const limit = await largestFile(dependencies);
    await using spooled = await spool.take(checked({ ...piecesOf(body), size: 0 }, check), limit);
    return await store(dependencies, spooled, { name, sha256: announced.sha256, condition });
  } finally {
    await body.cancel();
  }
}

/** Deletes a file, if it is the one that the headers ask for. */
export async function deleteFile(
  dependencies: HttpDependencies,
  request: Request,
  name: string,
): Promise<void> {
  const condition = await conditionOf(dependencies, request.headers, name);
  await dependencies.ring.ask(async (peer) => {
    await deleteStoredFile(peer, name, condition);
    peer.release();
  }, { repeatable: false });
}

/** On which terms a body is stored. */
interface StoreTerms {
  readonly name: string;
  readonly sha256: string | undefined;
  readonly condition: WriteCondition;
}

async function store(
  { ring }: HttpDependencies,
  source: PieceSource,
  { name, sha256, condition }: StoreTerms,
): Promise<StoredReply> {
  const { size } = source;
  const terms = { name, size, condition, ...(sha256 !== undefined && { sha256 }) };
  // An empty body has no last bytes to hold back: its end is looked at before a node is asked.
  const isEmpty = size === 0;
  if (isEmpty) await source.next();
  const peer = await ring.ask(async (peer) => {
    await openPut(peer, terms);
    return peer;
  }, { repeatable: true });
  try {
    const nothing = { size: 0, next: () => Promise.resolve(null), recycle: () => {} };
    const stored = await sendPut(peer, isEmpty ? nothing : source);
    peer.release();
    return stored;
  } finally {
    peer.close();
  }
}

function piecesOf(body: RequestBody): Omit<PieceSource, "size"> {
  return { next: () => body.next(), recycle: (piece) => body.recycle(piece) };
}

/** A source that fails at its end when its bytes are not those announced. */
function checked(source: PieceSource, check: DigestCheck): PieceSource {
  return {
    size: source.size,
    recycle: (piece) => source.recycle(piece),
    next: async () => {
      const piece = await source.next();
      if (piece === null) check.finish();
      else check.update(piece);
      return piece;
    },
  };
}

/** The length of a body; `undefined` when it is not announced. @throws {Problem} 400 */
function contentLength(headers: Headers): number | undefined {
  const text = headers.get("content-length");
  if (text === null) return undefined;
  // RFC 9112, 6.1: a sign of smuggling. Not every server refuses it before it comes here.
  if (headers.has("transfer-encoding")) throw new Problem(400, "The body has two lengths");
  // The server joins two of them, even where they agree.
  const lengths = new Set(text.split(",").map((length) => length.trim()));
  const [length = "", ...others] = lengths;
  const size = parseCount(length);
  if (size === undefined || others.length > 0) {
    throw new Problem(400, "Content-Length is no number");
  }
  return size;
}

/**
 * What would make the bytes something else than the file: a file is given back as it came, without a
 * word of how it was encoded, and always as a whole.
 *
 * @throws {Problem} 415 or 400
 */
function refuseEncodings(headers: Headers): void {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "") {
    throw new Problem(415, "Content-Encoding is not taken: send the bytes as they are", {
      headers: { "accept-encoding": "identity" },
    });
  }
  // RFC 9110, 14.5: a server that does not do this must not take a part for the whole.
  if (headers.has("content-range")) throw new Problem(400, "A file is stored as a whole");
}

/** What the headers ask of the version that is replaced or deleted. */
async function conditionOf(
  dependencies: HttpDependencies,
  headers: Headers,
  name: string,
): Promise<WriteCondition> {
  const condition = writeCondition(headers);
  const unmodifiedMs = unmodifiedSinceMs(headers);
  if (unmodifiedMs === undefined || condition.kind !== "any") return condition;
  try {
    const info = await lookAt(dependencies, name);
    if (wholeSecond(info.timeMs) > unmodifiedMs) {
      throw new Problem(412, `The file is at version ${info.version}`);
    }
    return { kind: "is", versions: [info.version] };
  } catch (error) {
    if (error instanceof PeerError && error.message === errors.fileNotFound) return anyVersion;
    throw error;
  }
}

/** The largest file that the ring takes, in bytes. */
async function largestFile({ ring }: HttpDependencies): Promise<number> {
  const info = await ring.ask(async (peer) => {
    const info = await askInfo(peer, { deadlineMs: infoMs });
    peer.release();
    return info;
  }, { repeatable: true });
  const limit = parseCount(info.get("file_bytes_max") ?? "");
  if (limit === 0) return Number.MAX_SAFE_INTEGER;
  return limit ?? spooledBytesMax;
}
