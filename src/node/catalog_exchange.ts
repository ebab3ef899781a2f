import type { NodeAddress } from "../protocol/address.ts";
import { differingBuckets, digestBytes } from "../protocol/digest.ts";
import { versionAhead } from "../protocol/errors.ts";
import { recordBytesMax } from "../protocol/limits.ts";
import { compareNames } from "../protocol/names.ts";
import { countedReply, parseCountedReply } from "../protocol/peer_replies.ts";
import type { FileRecord } from "../protocol/record.ts";
import { formatRecord, parseRecord } from "../protocol/record_codec.ts";
import { isFarAhead } from "../protocol/ulid.ts";
import { type Body, readWhole } from "./body.ts";
import type { NodeContext } from "./context.ts";
import type { Session } from "./session.ts";

/** Records that are read from the catalog and sent at a time. */
const pageRecords = 250;

/** Bytes of records in one message at most, unless a single record is larger. */
const pageBytesMax = 1024 * 1024;

/**
 * Bytes of a message above which it holds a single record: senders count UTF-16 units, of which each is up
 * to 3 bytes.
 */
const pageBytesLimit = 3 * pageBytesMax + 1;

/** How long a peer may take to be reached, in ms. */
const dialMs = 2_000;

/** How long a peer may take between two messages of an exchange, in ms. */
const exchangeStallMs = 10_000;

/**
 * Serves `CATALOG PULL`: sends every record of the buckets whose digests differ from the asker's.
 * What the asker knows already costs 8 KiB, and one differing record the few that share its bucket.
 */
export async function serveCatalogPull(
  context: NodeContext,
  session: Session,
  body: Body,
): Promise<void> {
  if (body.remaining !== digestBytes) throw new Error(`a digest has ${digestBytes} bytes`);
  const theirs = await readWhole(body, new Uint8Array(digestBytes));
  const buckets = differingBuckets(context.catalog.digest.encodeBuckets(), theirs);
  const encoder = new TextEncoder();
  session.beginAnswer();
  const send = async (lines: string) => {
    const page = encoder.encode(lines);
    await session.write(encoder.encode(countedReply("RECORDS", page.length)));
    await session.write(page);
  };
  let lines = "";
  for (const record of recordsOf(context, buckets)) {
    const line = `${formatRecord(record)}\n`;
    if (lines !== "" && lines.length + line.length > pageBytesMax) {
      await send(lines);
      lines = "";
    }
    lines += line;
  }
  if (lines !== "") await send(lines);
  await session.reply(`OK ${context.ring.state()}\n`);
}

function* recordsOf(context: NodeContext, buckets: readonly number[]): Generator<FileRecord> {
  if (buckets.length === 0) return;
  let after = "";
  for (;;) {
    const page = context.catalog.recordsInBuckets(buckets, after, pageRecords);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageRecords) return;
    after = last.name;
  }
}

/** What an exchange with a peer came to. */
export interface ExchangeResult {
  /** Records that were new here. */
  readonly stored: number;
  /** Records that this node did not take, as its calendar is far behind the peer's. */
  readonly ahead: number;
  /** The peer's state at the end: `ready`, `catching-up`, `stopping`; `original` for one of those. */
  readonly state: string;
}

/**
 * Fetches from a peer every record that this node lacks or has in a lower version, and queues the
 * repair of what it should hold of them. Each message is stored as it comes, so that what came before a
 * peer died or lied stays.
 *
 * @throws {SyntaxError} when a record is none; nothing of its message is stored.
 * @throws {Error} when the peer sends anything else, more at a time than belongs in a message, or a name
 * again: an exchange has an end.
 */
export async function pullCatalog(
  context: NodeContext,
  from: NodeAddress,
): Promise<ExchangeResult> {
  using peer = await context.peers.borrow(from, { timeoutMs: dialMs });
  if (await peer.ensureProgram() === "original") return { stored: 0, ahead: 0, state: "original" };
  peer.setStall(exchangeStallMs);
  const body = context.catalog.digest.encodeBuckets();
  await peer.send({ kind: "catalog-pull", bodyBytes: body.length }, body);
  const records = new ReceivedRecords(context, from);
  let state: string | undefined;
  while (state === undefined) {
    const answer = await peer.readReply();
    state = /^OK (ready|catching-up|stopping)$/.exec(answer)?.[1];
    if (state !== undefined) break;
    const bytes = parseCountedReply("RECORDS", answer, recordBytesMax);
    if (bytes === undefined) throw new Error(`${from} sent '${answer}' for records`);
    const page = new Uint8Array(bytes);
    await peer.readExactly(page);
    await records.store(page);
  }
  peer.release();
  const { ahead, stored } = records;
  if (stored > 0) context.log.info("catalog brought up to date", { from, records: stored });
  return { stored, ahead, state };
}

/** The records of one exchange, message after message. */
class ReceivedRecords {
  /** How many were new here. */
  stored = 0;
  /** How many are right by the peer's calendar, and not by this node's. */
  ahead = 0;
  readonly #context: NodeContext;
  readonly #from: NodeAddress;
  /** The name that came last: they come in order. */
  #last = "";

  constructor(context: NodeContext, from: NodeAddress) {
    this.#context = context;
    this.#from = from;
  }

  async store(page: Uint8Array): Promise<void> {
    const { chunks, repair } = this.#context;
    if (page.length > pageBytesLimit && page.indexOf(lineEnd) < page.length - 1) {
      throw new Error(`${this.#from} sent ${page.length} bytes of records at a time`);
    }
    const lines = new TextDecoder().decode(page).split("\n").filter((line) => line !== "");
    const records = this.#accepted(lines.map(parseRecord));
    const results = await chunks.commitAll(records);
    for (const [index, result] of results.entries()) {
      const record = records[index];
      if (record === undefined || result.outcome === "higher") continue;
      if (result.outcome === "stored") this.stored++;
      if (result.missing.length + result.unverified.length > 0) repair.enqueue(record.name);
    }
  }

  #accepted(records: readonly FileRecord[]): FileRecord[] {
    const { clock, log, peerClocks } = this.#context;
    const from = this.#from;
    const nowMs = clock.wallMs();
    const theirMs = peerClocks.wallMs(from) ?? Infinity;
    return records.filter(({ name, version }) => {
      if (compareNames(name, this.#last) <= 0) throw new Error(`${from} sent '${name}' again`);
      this.#last = name;
      const isRefused = isFarAhead(version, nowMs);
      if (isRefused) log.warn("record refused", { from, name, why: versionAhead(version) });
      if (isRefused && theirMs < Infinity && !isFarAhead(version, theirMs)) this.ahead++;
      return !isRefused;
    });
  }
}

const lineEnd = 0x0a;
