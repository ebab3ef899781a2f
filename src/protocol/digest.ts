/** Buckets of a {@linkcode CatalogDigest}. */
export const bucketCount = 1024;

/** Length of an encoded {@linkcode CatalogDigest}: 8 bytes a bucket. */
export const digestBytes = bucketCount * 8;

/**
 * A summary of a catalog, by which two nodes find out cheaply whether, and where, theirs differ.
 *
 * 1. A name belongs to one bucket of {@linkcode bucketCount}, by its hash alone.
 * 2. A bucket is the XOR of the 64-bit hashes of its records (name and version), and the root is
 *    the XOR of all buckets. So the order of changes does not count, and to forget a record is to
 *    toggle it once more.
 * 3. Equal catalogs have equal digests; different ones have equal digests with a chance of 2^-64.
 *    The hash is fast, not cryptographic: who chooses versions can make collisions.
 */
export class CatalogDigest {
  /** High and low halves of the buckets, in turn. */
  readonly #halves = new Uint32Array(bucketCount * 2);
  #rootHigh = 0;
  #rootLow = 0;

  /**
   * Adds a record, or takes it out if it is in; gives the bucket. A new version of a name is two
   * toggles: of the old one and of the new one.
   */
  toggle(name: string, version: string): number {
    const hash = new Hash64();
    hash.add(name);
    const bucket = hash.bucket();
    hash.add(version);
    hash.finish();
    const at = bucket * 2;
    this.#halves[at]! ^= hash.high;
    this.#halves[at + 1]! ^= hash.low;
    this.#rootHigh ^= hash.high;
    this.#rootLow ^= hash.low;
    return bucket;
  }

  /** All records in 16 hex digits; 16 zeros for an empty catalog. */
  root(): string {
    return hex(this.#rootHigh) + hex(this.#rootLow);
  }

  /** The buckets in order, big-endian: {@linkcode digestBytes} bytes. */
  encodeBuckets(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(digestBytes);
    const view = new DataView(bytes.buffer);
    this.#halves.forEach((half, i) => view.setUint32(i * 4, half));
    return bytes;
  }
}

/** The bucket, 0 to {@linkcode bucketCount} - 1, that a name belongs to. */
export function bucketOf(name: string): number {
  const hash = new Hash64();
  hash.add(name);
  return hash.bucket();
}

/**
 * The buckets in which two encoded digests differ, in order.
 *
 * @throws {RangeError} unless both are {@linkcode digestBytes} long.
 *
 * @example
 * ```ts
 * import { bucketOf, CatalogDigest, differingBuckets } from "./digest.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const mine = new CatalogDigest();
 * const theirs = new CatalogDigest();
 * mine.toggle("a.txt", "01J9ZK5Q2W8R6T4Y1V3X7B0N9M");
 * assertEquals(differingBuckets(mine.encodeBuckets(), theirs.encodeBuckets()), [bucketOf("a.txt")]);
 * ```
 */
export function differingBuckets(mine: Uint8Array, theirs: Uint8Array): number[] {
  if (mine.length !== digestBytes || theirs.length !== digestBytes) {
    throw new RangeError(
      `Cannot compare catalog digests of ${mine.length} and ${theirs.length} bytes: each has ${digestBytes}`,
    );
  }
  const a = new DataView(mine.buffer, mine.byteOffset);
  const b = new DataView(theirs.buffer, theirs.byteOffset);
  const differing: number[] = [];
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    const at = bucket * 8;
    const same = a.getUint32(at) === b.getUint32(at) && a.getUint32(at + 4) === b.getUint32(at + 4);
    if (!same) differing.push(bucket);
  }
  return differing;
}

/**
 * A running hash of texts in two 32-bit lanes. Nodes compare what it gives, so it must never
 * change: it is part of the wire. The mixing steps are MurmurHash3's (Appleby, public domain).
 */
class Hash64 {
  high = 0x6f75726f;
  low = 0x626f726f;

  /** Takes in a text, and that it ends here: "ab" and "c" is not "a" and "bc". */
  add(text: string): void {
    let { high, low } = this;
    for (let i = 0; i <= text.length; i++) {
      const unit = i < text.length ? text.charCodeAt(i) : 0x10000;
      high = Math.imul(high ^ unit, 0xcc9e2d51);
      high = (high << 15) | (high >>> 17);
      low = Math.imul(low ^ unit, 0x1b873593);
      low = (low << 13) | (low >>> 19);
    }
    this.high = high;
    this.low = low;
  }

  /** The bucket of what was taken in so far. */
  bucket(): number {
    return avalanche(this.high ^ avalanche(this.low)) >>> 22;
  }

  /** Spreads every bit of what was taken in over both lanes. */
  finish(): void {
    const high = (this.high + this.low) | 0;
    const low = (this.low + high) | 0;
    this.high = avalanche(high);
    this.low = avalanche(low);
  }
}

function avalanche(lane: number): number {
  lane = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  lane = Math.imul(lane ^ (lane >>> 13), 0xc2b2ae35);
  return lane ^ (lane >>> 16);
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, "0");
}
