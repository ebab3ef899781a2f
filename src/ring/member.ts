import type { NodeAddress } from "../protocol/address.ts";

/**
 * One node of the ring, as somebody told it. Members are values: news is a new member.
 *
 * `epoch` counts the lives of the node: `Dead` ends the epoch it names and none after it, and only
 * the node itself begins the next one. So a rumour that comes late kills nobody.
 */
export interface Member {
  readonly address: NodeAddress;
  readonly status: MemberStatus;
  /** 0 before anybody has said anything of the node. */
  readonly epoch: number;
  readonly program: Program;
  /** The options to start it again with, in JSON; `""` when nobody has told them. */
  readonly options: string;
}

/**
 * `Joining`: it was Dead and is back; commits go to it, but it may lack what was committed before,
 * so clients and new parts do not, and the netmap still says Dead.
 */
export type MemberStatus = "Joining" | "Alive" | "Dead";

/** Which program a node runs: this one, or the original of the same name. */
export type Program = "ouroboros" | "original" | "unknown";

/**
 * Orders what two nodes say of a third: above 0 when `a` is the newer news, 0 when both are the same.
 * Every node orders alike, so it does not matter in which order, or how often, news comes.
 *
 * 1. The higher epoch wins.
 * 2. In one epoch a node goes from Joining to Alive to Dead, and never back.
 * 3. What is left differs only if two nodes guessed; then any fixed order will do, but a guess beats
 *    none.
 *
 * @example
 * ```ts
 * import { compareMembers, type Member } from "./member.ts";
 * import { formatAddress } from "../protocol/address.ts";
 * import { assert } from "@std/assert";
 *
 * const alive: Member = {
 *   address: formatAddress("127.0.0.1", 7000),
 *   status: "Alive",
 *   epoch: 3,
 *   program: "ouroboros",
 *   options: "{}",
 * };
 * assert(compareMembers({ ...alive, status: "Dead" }, alive) > 0);
 * assert(compareMembers({ ...alive, status: "Dead", epoch: 2 }, alive) < 0);
 * ```
 */
export function compareMembers(a: Member, b: Member): number {
  if (a === b) return 0;
  return a.epoch - b.epoch ||
    statusRank[a.status] - statusRank[b.status] ||
    programRank[a.program] - programRank[b.program] ||
    compareTexts(a.options, b.options);
}

/** Mixes what a member says into two 32-bit lanes, for the digest of a view. */
export function hashMember(member: Member): readonly [number, number] {
  const { address, status, epoch, program, options } = member;
  return hashText(`${address} ${status} ${epoch} ${program} ${options}`);
}

/**
 * A hash in two 32-bit lanes, FNV-1a with two primes and a final mix: cheap and well spread, for
 * finding differences, not for defence against forgers.
 */
export function hashText(text: string): readonly [number, number] {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x5bd1e995);
  }
  return [mix(low ^ (high >>> 15)), mix(high ^ (low >>> 13))];
}

function mix(lane: number): number {
  lane = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  lane = Math.imul(lane ^ (lane >>> 13), 0xc2b2ae35);
  return (lane ^ (lane >>> 16)) >>> 0;
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

const statusRank: Readonly<Record<MemberStatus, number>> = { Joining: 0, Alive: 1, Dead: 2 };

const programRank: Readonly<Record<Program, number>> = { unknown: 0, ouroboros: 1, original: 2 };
