/**
 * Makes a ULID (github.com/ulid/spec: 48 bits of time, 80 of chance, in Crockford's base 32) that is
 * above `above`, whatever the clock says. Text order is the order of versions.
 *
 * Where the clock is not ahead of `above`, a random step of up to 2^75 is added to `above` instead of
 * 1, so that two nodes which do this at once do not make the same version.
 *
 * @param nowMs wall clock, milliseconds since the epoch; what a ULID cannot hold is clamped
 * @param random 10 random bytes
 * @param above a ULID that the new one must exceed, or `undefined`
 * @throws {RangeError} if nothing is above `above`, or an argument is malformed
 *
 * @example
 * ```ts
 * import { nextVersion } from "./ulid.ts";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const first = nextVersion(1_700_000_000_000, new Uint8Array(10), undefined);
 * assertEquals(first, "01HF7YAT000000000000000000");
 * assert(nextVersion(0, new Uint8Array(10), first) > first);
 * ```
 */
export function nextVersion(
  nowMs: number,
  random: Uint8Array,
  above: string | undefined,
): string {
  if (random.length !== randomBytes) {
    throw new RangeError(
      `Cannot make a version of ${random.length} random bytes, not ${randomBytes}`,
    );
  }
  if (above !== undefined && !isUlid(above)) {
    throw new RangeError(`Cannot make a version above '${above}' as that is no ULID`);
  }
  const timeMs = Math.max(0, Math.min(timeMsMax, Math.floor(nowMs)));
  const chance = encode(fiveBytes(random, 0), 8) + encode(fiveBytes(random, 5), 8);
  const ulid = encode(timeMs, timeChars) + chance;
  if (above === undefined || timeMs > ulidTimeMs(above)) return ulid;
  return addTo(above, chance.slice(1));
}

/**
 * Whether a text is a ULID in its canonical, upper-case form.
 *
 * @example
 * ```ts
 * import { isUlid } from "./ulid.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isUlid("01HF7YAT000000000000000000"), true);
 * assertEquals(isUlid("81HF7YAT000000000000000000"), false); // more than 128 bits
 * ```
 */
export function isUlid(text: string): boolean {
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text);
}

/**
 * The time in a ULID, milliseconds since the epoch. It is near the clock of the node that made the
 * ULID, and later than that where the version had to exceed one from a faster clock.
 *
 * @example
 * ```ts
 * import { ulidTimeMs } from "./ulid.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(ulidTimeMs("01HF7YAT000000000000000000"), 1_700_000_000_000);
 * ```
 */
export function ulidTimeMs(ulid: string): number {
  let timeMs = 0;
  for (let i = 0; i < timeChars; i++) timeMs = timeMs * 32 + alphabet.indexOf(ulid.charAt(i));
  return timeMs;
}

/**
 * Whether a version is so far ahead of a clock that no honest node has made it. Above the last ULIDs
 * there is nothing, and a name that had one of them could never be pushed again.
 *
 * The bound is a year: clocks that people set are off by less, and from a version that is just within
 * it there is room for all that follow.
 *
 * @param version a ULID
 * @param nowMs wall clock, milliseconds since the epoch
 *
 * @example
 * ```ts
 * import { isFarAhead } from "./ulid.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const nowMs = 1_700_000_000_000;
 * assertEquals(isFarAhead("01HF7YAT000000000000000000", nowMs - 3_600_000), false);
 * assertEquals(isFarAhead("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", nowMs), true);
 * ```
 */
export function isFarAhead(version: string, nowMs: number): boolean {
  return isDatedFarAhead(ulidTimeMs(version), nowMs);
}

/** The same of the time that a version begins with, or is to, in milliseconds since the epoch. */
export function isDatedFarAhead(timeMs: number, nowMs: number): boolean {
  return timeMs - nowMs > aheadMsMax;
}

/** How far a version may be ahead of a clock, in ms. */
const aheadMsMax = 365 * 24 * 3_600_000;

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const timeChars = 10;

const timeMsMax = 2 ** 48 - 1;

const randomBytes = 10;

/** Writes a number below 32^`chars` in base 32. */
function encode(value: number, chars: number): string {
  let text = "";
  for (let i = 0; i < chars; i++) {
    text = alphabet.charAt(value % 32) + text;
    value = Math.floor(value / 32);
  }
  return text;
}

function fiveBytes(bytes: Uint8Array, from: number): number {
  let value = 0;
  for (let i = from; i < from + 5; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

/** Adds `step` and 1 to a ULID, all in base 32. */
function addTo(ulid: string, step: string): string {
  let sum = "";
  let carry = 1;
  for (let i = 1; i <= ulid.length; i++) {
    const added = i <= step.length ? alphabet.indexOf(step.charAt(step.length - i)) : 0;
    const digit = alphabet.indexOf(ulid.charAt(ulid.length - i)) + added + carry;
    sum = alphabet.charAt(digit % 32) + sum;
    carry = digit >= 32 ? 1 : 0;
  }
  if (!isUlid(sum)) throw new RangeError(`Cannot make a version above '${ulid}': there is none`);
  return sum;
}
