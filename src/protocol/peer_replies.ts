import { type NodeAddress, parseAddress } from "./address.ts";
import { parseCount } from "./count.ts";
import { isId } from "./names.ts";
import { okReply } from "./replies.ts";
import { isUlid } from "./ulid.ts";

/** Whether a node takes part: it serves, it compares catalogs first, or it is about to go. */
export type RingState = "ready" | "catching-up" | "stopping";

/** What `RING PING` answers. */
export interface RingPong {
  readonly address: NodeAddress;
  readonly incarnation: string;
  readonly viewDigest: string;
  readonly catalogDigest: string;
  readonly state: RingState;
}

/** The answer to `RING PING`. */
export function ringPongReply(pong: RingPong): string {
  const { address, incarnation, viewDigest, catalogDigest, state } = pong;
  return `PONG ${address} ${incarnation} ${viewDigest} ${catalogDigest} ${state}\n`;
}

/**
 * Reads the answer to `RING PING`, a line without its line end; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { parseRingPong } from "./peer_replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseRingPong("PONG 127.0.0.1:7000 5f1c 00a1 00b2 ready")?.state, "ready");
 * assertEquals(parseRingPong("PONG"), undefined);
 * ```
 */
export function parseRingPong(line: string): RingPong | undefined {
  const [word, host = "", incarnation = "", viewDigest = "", catalogDigest = "", state, ...rest] =
    line.split(" ", 7);
  const address = parseAddress(host);
  if (word !== "PONG" || rest.length > 0 || address === undefined) return undefined;
  if (!isId(incarnation) || !isId(viewDigest) || !isId(catalogDigest)) return undefined;
  if (state !== "ready" && state !== "catching-up" && state !== "stopping") return undefined;
  return { address, incarnation, viewDigest, catalogDigest, state };
}

/**
 * The answers that say how many bytes follow: `VIEW` to `RING VIEW`, `RECORDS` to `CATALOG PULL`,
 * `DATA` to `FILE READ`, `PAGE` to `FILE PAGE`, `METRICS` to `NODE METRICS`. `PART` to `FILE OPEN` has
 * the same form and is followed by none.
 */
export type CountedWord = "VIEW" | "RECORDS" | "DATA" | "PAGE" | "METRICS" | "PART";

/** Writes an answer that counts bytes. */
export function countedReply(word: CountedWord, bytes: number): string {
  return `${word} ${bytes}\n`;
}

/**
 * Reads the count of an answer, a line without its line end; `undefined` when it is another answer
 * or the count is above `max`.
 *
 * @example
 * ```ts
 * import { countedReply, parseCountedReply } from "./peer_replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(countedReply("DATA", 12), "DATA 12\n");
 * assertEquals(parseCountedReply("DATA", "DATA 12"), 12);
 * assertEquals(parseCountedReply("PART", "DATA 12"), undefined);
 * ```
 */
export function parseCountedReply(
  word: CountedWord,
  line: string,
  max?: number,
): number | undefined {
  return line.startsWith(`${word} `) ? parseCount(line.slice(word.length + 1), max) : undefined;
}

/** What `FILE COMMIT` answers: stored, or the higher version of the name that the node knows. */
export type CommitReply = { readonly kind: "stored" } | {
  readonly kind: "higher";
  readonly version: string;
};

/** The answer to `FILE COMMIT`. */
export function commitReply(reply: CommitReply): string {
  return reply.kind === "stored" ? okReply : `HIGHER ${reply.version}\n`;
}

/**
 * Reads the answer to `FILE COMMIT`, a line without its line end; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { parseCommitReply } from "./peer_replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseCommitReply("OK"), { kind: "stored" });
 * const version = "01HF7YAT000000000000000000";
 * assertEquals(parseCommitReply(`HIGHER ${version}`), { kind: "higher", version });
 * ```
 */
export function parseCommitReply(line: string): CommitReply | undefined {
  if (line === "OK") return { kind: "stored" };
  const version = line.startsWith("HIGHER ") ? line.slice(7) : "";
  return isUlid(version) ? { kind: "higher", version } : undefined;
}

/** What a coordinator knows of a push it began. */
export type PushState = "pending" | "committed" | "aborted";

/** What `FILE PUSH-STATE` answers. */
export interface PushStateReply {
  readonly state: PushState;
  /** The incarnation of the node that answers. */
  readonly incarnation: string;
}

/** The answer to `FILE PUSH-STATE`. */
export function pushStateReply({ state, incarnation }: PushStateReply): string {
  return `OK ${state} ${incarnation}\n`;
}

/**
 * Reads the answer to `FILE PUSH-STATE`, a line without its line end; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { parsePushState } from "./peer_replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parsePushState("OK pending 5f1c"), { state: "pending", incarnation: "5f1c" });
 * assertEquals(parsePushState("OK"), undefined);
 * ```
 */
export function parsePushState(line: string): PushStateReply | undefined {
  const [word, state, incarnation = "", ...rest] = line.split(" ", 4);
  if (word !== "OK" || rest.length > 0 || !isId(incarnation)) return undefined;
  if (state !== "pending" && state !== "committed" && state !== "aborted") return undefined;
  return { state, incarnation };
}

/**
 * What a scrub found: copies looked at, copies fetched from another node, and copies that are gone or damaged
 * and were to be had from no other node. That one may have none either, a damaged one, or not be there: then
 * its copy is fetched when it is. What was still being fetched when the scrub ended is in none of them.
 */
export interface ScrubCounts {
  readonly checked: number;
  readonly repaired: number;
  readonly lost: number;
}

/** The answer to `NODE SCRUB-LOCAL`. */
export function scrubReply({ checked, repaired, lost }: ScrubCounts): string {
  return `SCRUBBED ${checked} ${repaired} ${lost}\n`;
}

/**
 * Reads the answer to `NODE SCRUB-LOCAL`, without its line end; `undefined` when it is none.
 *
 * @example
 * ```ts
 * import { parseScrubReply, scrubReply } from "./peer_replies.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const counts = { checked: 12, repaired: 1, lost: 0 };
 * assertEquals(parseScrubReply(scrubReply(counts).trimEnd()), counts);
 * assertEquals(parseScrubReply("OK"), undefined);
 * ```
 */
export function parseScrubReply(line: string): ScrubCounts | undefined {
  const [word, ...counts] = line.split(" ", 5);
  const [checked, repaired, lost, more] = counts.map((count) => parseCount(count));
  if (word !== "SCRUBBED" || counts.length !== 3 || more !== undefined) return undefined;
  if (checked === undefined || repaired === undefined || lost === undefined) return undefined;
  return { checked, repaired, lost };
}
