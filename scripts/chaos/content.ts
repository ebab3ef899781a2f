import { createHash } from "node:crypto";

/** One version of a file as a client pushed it. Its bytes can be made again from this at any time. */
export interface Content {
  /** Tells it from every other content of the run; the bytes come from it. */
  readonly id: number;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

/** A content and its bytes. */
export interface MadeContent {
  readonly content: Content;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Makes a content that no other id has; every byte depends on the id, so that any mix shows. */
export function makeContent(id: number, size: number): MadeContent {
  const bytes = contentBytes({ id, size });
  return { content: { id, size, sha256: sha256(bytes) }, bytes };
}

/** The bytes of a content: xorshift from its id. */
export function contentBytes({ id, size }: Pick<Content, "id" | "size">): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = (Math.imul(id, 0x9e3779b1) ^ 0x2545_f491) >>> 0 || 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** The lower-case hex SHA-256 of some bytes. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Stretches that {@linkcode describeBytes} tells at most. */
const stretchesMax = 8;

/**
 * Says for bytes that nobody expected where they come from: which stretch agrees with which content
 * at the same place.
 */
export function describeBytes(bytes: Uint8Array, known: readonly Content[]): string {
  const sources = known.map((content) => ({ content, bytes: contentBytes(content) }));
  const stretches: string[] = [];
  for (let at = 0; at < bytes.length && stretches.length < stretchesMax;) {
    let best = { id: -1, end: at };
    for (const source of sources) {
      const end = agreesUntil(bytes, source.bytes, at);
      if (end > best.end) best = { id: source.content.id, end };
    }
    // A byte or three may agree by chance.
    const isKnown = best.end - at >= 4 || best.end === bytes.length && best.end > at;
    if (!isKnown) best = { id: -1, end: nextKnown(bytes, sources.map((each) => each.bytes), at) };
    const from = isKnown ? `of version ${best.id}` : "of no version of this name";
    stretches.push(`bytes ${at} to ${best.end - 1} ${from}`);
    at = best.end;
  }
  return stretches.length === 0 ? "no bytes" : stretches.join(", ");
}

function agreesUntil(bytes: Uint8Array, other: Uint8Array, from: number): number {
  let at = from;
  const end = Math.min(bytes.length, other.length);
  while (at < end && bytes[at] === other[at]) at++;
  return at;
}

/** Where the next eight bytes begin that agree with some source. */
function nextKnown(bytes: Uint8Array, sources: readonly Uint8Array[], from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    if (sources.some((source) => agreesUntil(bytes, source, at) >= at + 8)) return at;
  }
  return bytes.length;
}
