import { createHash, type Hash } from "node:crypto";
import { Problem } from "./problem.ts";

/** The digests that a client has announced for the bytes it sends. */
export interface AnnouncedDigests {
  /** Lower-case hex. */
  readonly sha256?: string;
  /** Lower-case hex. */
  readonly sha512?: string;
}

/**
 * Reads what a client says of its bytes: `Content-Digest` and `Repr-Digest` (RFC 9530, which are the
 * same here as nothing is encoded), `Digest` (RFC 3230, which they replace), and `X-Content-SHA256`
 * in hex or base64. Other algorithms than SHA-256 and SHA-512 are passed over, as RFC 9530 has it.
 *
 * @throws {Problem} 400 for what is malformed, or contradicts itself.
 */
export function announcedDigests(headers: Headers): AnnouncedDigests {
  const found: { sha256?: string; sha512?: string } = {};
  const note = (algorithm: "sha256" | "sha512", hex: string | undefined, header: string) => {
    if (hex === undefined) throw new Problem(400, `The header ${header} is malformed`);
    if (found[algorithm] !== undefined && found[algorithm] !== hex) {
      throw new Problem(400, "The request announces two different digests");
    }
    found[algorithm] = hex;
  };
  for (const header of ["content-digest", "repr-digest"]) {
    for (const [algorithm, value] of members(headers.get(header), header)) {
      const bytes = /^:([A-Za-z0-9+/]*={0,2}):$/.exec(value)?.[1];
      if (algorithm === "sha-256") note("sha256", fromBase64(bytes, 32), header);
      if (algorithm === "sha-512") note("sha512", fromBase64(bytes, 64), header);
    }
  }
  for (const [algorithm, value] of members(headers.get("digest"), "digest")) {
    if (algorithm === "sha-256") note("sha256", fromBase64(value, 32), "digest");
    if (algorithm === "sha-512") note("sha512", fromBase64(value, 64), "digest");
  }
  const own = headers.get("x-content-sha256")?.trim();
  if (own !== undefined) {
    const isHex = /^[0-9a-f]{64}$/i.test(own);
    note("sha256", isHex ? own.toLowerCase() : fromBase64(own, 32), "x-content-sha256");
  }
  return found;
}

/** The headers that tell a file's SHA-256; none where an original pushed it, which keeps none. */
export function digestHeaders(sha256: string): Record<string, string> {
  if (sha256 === "") return {};
  const base64 = toBase64(sha256);
  return { "digest": `sha-256=${base64}`, "repr-digest": `sha-256=:${base64}:` };
}

/** Compares bytes that pass with the digests that were announced for them. */
export class DigestCheck {
  readonly #announced: AnnouncedDigests;
  readonly #hashes: { readonly algorithm: "sha256" | "sha512"; readonly hash: Hash }[] = [];

  /** @param algorithms which of them are to be compared here. */
  constructor(announced: AnnouncedDigests, algorithms: readonly ("sha256" | "sha512")[]) {
    this.#announced = announced;
    for (const algorithm of algorithms) {
      if (announced[algorithm] === undefined) continue;
      this.#hashes.push({ algorithm, hash: createHash(algorithm) });
    }
  }

  /** Takes the next bytes. */
  update(bytes: Uint8Array): void {
    for (const { hash } of this.#hashes) hash.update(bytes);
  }

  /** Compares, after the last byte. @throws {Problem} 400 when the bytes are others. */
  finish(): void {
    for (const { algorithm, hash } of this.#hashes) {
      const received = hash.digest("hex");
      const announced = this.#announced[algorithm];
      if (received === announced) continue;
      throw new Problem(
        400,
        `Digest mismatch: ${algorithm} ${announced} was announced, the bytes have ${received}`,
      );
    }
  }
}

/** The members of a dictionary header, names in lower case. */
function members(header: string | null, name: string): [string, string][] {
  if (header === null) return [];
  return header.split(",").map((member) => {
    const equals = member.indexOf("=");
    if (equals < 1) throw new Problem(400, `The header ${name} is malformed`);
    return [member.slice(0, equals).trim().toLowerCase(), member.slice(equals + 1).trim()];
  });
}

/** Bytes in base64 as hex; `undefined` unless there are `length` of them. */
function fromBase64(text: string | undefined, length: number): string | undefined {
  try {
    const binary = atob(text ?? "");
    if (binary.length !== length) return undefined;
    return [...binary].map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  } catch {
    return undefined;
  }
}

function toBase64(hex: string): string {
  const bytes = hex.match(/../g)?.map((pair) => parseInt(pair, 16)) ?? [];
  return btoa(String.fromCharCode(...bytes));
}
