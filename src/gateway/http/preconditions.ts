import type { WriteCondition } from "../../protocol/condition.ts";
import { anyVersion } from "../../protocol/condition.ts";
import { isUlid } from "../../protocol/ulid.ts";
import { type EntityTags, matchesStrongly, matchesWeakly, parseEntityTags } from "./entity_tags.ts";
import { Problem } from "./problem.ts";

/** The version that a client's conditions are compared with. */
export interface Validators {
  readonly version: string;
  /** When it was stored, in ms since the epoch. */
  readonly timeMs: number;
}

/**
 * What a conditional `GET` or `HEAD` comes to, in the order of RFC 9110, 13.2.2.
 *
 * @throws {Problem} 400 for a malformed condition.
 */
export function readOutcome(headers: Headers, { version, timeMs }: Validators): 200 | 304 | 412 {
  const ifMatch = tagsOf(headers, "if-match");
  if (ifMatch !== undefined) {
    if (!matchesStrongly(ifMatch, version)) return 412;
  } else {
    const unmodifiedMs = dateOf(headers, "if-unmodified-since");
    if (unmodifiedMs !== undefined && wholeSecond(timeMs) > unmodifiedMs) return 412;
  }
  const ifNoneMatch = tagsOf(headers, "if-none-match");
  if (ifNoneMatch !== undefined) return matchesWeakly(ifNoneMatch, version) ? 304 : 200;
  const modifiedMs = dateOf(headers, "if-modified-since");
  return modifiedMs !== undefined && wholeSecond(timeMs) <= modifiedMs ? 304 : 200;
}

/**
 * Whether a `Range` may be answered (RFC 9110, 13.1.5): without `If-Range`, and with the one that
 * says exactly this version. A date says so only when it is not of the last second, in which the file
 * may have changed twice.
 */
export function rangeApplies(
  headers: Headers,
  { version, timeMs }: Validators,
  nowMs: number,
): boolean {
  const ifRange = headers.get("if-range");
  if (ifRange === null) return true;
  const tags = parseEntityTags(ifRange);
  if (tags !== undefined) return tags !== "*" && matchesStrongly(tags, version);
  return Date.parse(ifRange) === wholeSecond(timeMs) && nowMs - wholeSecond(timeMs) >= 1_000;
}

/**
 * What a conditional `PUT` or `DELETE` asks of the version that it replaces. `If-Unmodified-Since`
 * needs the version there is: see {@linkcode unmodifiedSinceMs}.
 *
 * @throws {Problem} 400 for what is malformed, or asks two things at once.
 */
export function writeCondition(headers: Headers): WriteCondition {
  const ifMatch = tagsOf(headers, "if-match");
  const ifNoneMatch = tagsOf(headers, "if-none-match");
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw new Problem(400, "If-Match and If-None-Match are not taken together");
  }
  if (ifMatch !== undefined) {
    if (ifMatch === "*") return { kind: "present" };
    const versions = versionsOf(ifMatch.filter(({ weak }) => !weak));
    if (versions.length > 0) return { kind: "is", versions };
    throw new Problem(412, "No version of a file has such an ETag");
  }
  if (ifNoneMatch === undefined) return anyVersion;
  if (ifNoneMatch === "*") return { kind: "absent" };
  const versions = versionsOf(ifNoneMatch);
  return versions.length === 0 ? anyVersion : { kind: "not", versions };
}

/**
 * The time in `If-Unmodified-Since`, in ms since the epoch, where that header counts: beside
 * `If-Match` it does not.
 */
export function unmodifiedSinceMs(headers: Headers): number | undefined {
  return headers.has("if-match") ? undefined : dateOf(headers, "if-unmodified-since");
}

/** The time of a version as HTTP dates have it: whole seconds. */
export function wholeSecond(timeMs: number): number {
  return Math.floor(timeMs / 1_000) * 1_000;
}

/** The time of a version as a header says it. */
export function httpDate(timeMs: number): string {
  return new Date(wholeSecond(timeMs)).toUTCString();
}

/** The versions among some tags; others are of no file of ours. */
function versionsOf(tags: Exclude<EntityTags, "*">): string[] {
  return tags.map(({ value }) => value).filter(isUlid);
}

function tagsOf(headers: Headers, name: string): EntityTags | undefined {
  const header = headers.get(name);
  if (header === null) return undefined;
  const tags = parseEntityTags(header);
  if (tags === undefined) throw new Problem(400, `The header ${name} is malformed`);
  return tags;
}

/** A date that cannot be read is as if it were not there (RFC 9110, 13.1.3). */
function dateOf(headers: Headers, name: string): number | undefined {
  const ms = Date.parse(headers.get(name) ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}
