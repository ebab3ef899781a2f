/**
 * The texts of the errors that a node answers, without `ERR ` and line end; `errorReply` adds both.
 * Clients and scripts match on them, so they do not change. What is wrong with a line itself is
 * said by `parseCommand`.
 */
export const errors = {
  fileNotFound: "file not found",
  chunkNotFound: "chunk not found",
  noNextHop: "no next hop set",
  walkTimeout: "walk timeout",
  healWalkTimeout: "heal walk timeout",
  lineTooLong: "line too long",
  notUtf8: "line is not UTF-8",
  busy: "busy",
  catchingUp: "catching up",
  stopping: "stopping",
  noNodeAlive: "no node is alive",
  wrongIncarnation: "another incarnation runs here",
  shortBody: "body ended early",
  versionGone: "version gone",
  noOpenPart: "no part is open on this connection",
} as const;

/** Why a push over the size limit is refused; both in bytes. */
export function fileTooLarge(size: number, limit: number): string {
  return `File size is too large (${size} > ${limit})`;
}

/** Why a push is refused while too few nodes are Alive for its copies. */
export function notEnoughNodes(alive: number, needed: number): string {
  return `not enough nodes alive (${alive} of ${needed})`;
}

/** Why a push is refused on a full disk; both in bytes. */
export function notEnoughDiskSpace(needed: number, free: number): string {
  return `Not enough disk space (${needed} > ${free})`;
}

/** Why a push failed that a node of its placement dropped out of; it may be tried again. */
export function nodeLost(reason: string): string {
  return `${nodeLostPrefix}${reason}`;
}

/** Whether an error says that a push failed for want of a node: a relay passes it on as it came. */
export function isNodeLost(error: string): boolean {
  return error.startsWith(nodeLostPrefix);
}

/** Why a push is refused while crashed coordinators have left too much behind; both in bytes. */
export function tooMuchStaged(staged: number, limit: number): string {
  return `Too much is staged for nodes that are away (${staged} > ${limit})`;
}

/** What a client hears whose push may or may not have been committed. */
export function outcomeUnknown(reason: string): string {
  return `outcome unknown: ${reason}`;
}

/** Why a push that its node's absence has held up is given up: the name has a newer version. */
export function overtaken(name: string): string {
  return `overtaken: '${name}' was changed while this node was away`;
}

/** Why a conditional push or delete is refused: its file is not at the version that it asks for. */
export function preconditionFailed(name: string, current: string | undefined): string {
  const is = current === undefined ? "there is none" : `it is at version ${current}`;
  return `${preconditionPrefix}'${name}': ${is}`;
}

/** How {@linkcode preconditionFailed} begins. */
export const preconditionPrefix = "precondition failed for ";

/** Why a push is refused whose bytes are not what its sender announced; both in hex. */
export function digestMismatch(announced: string, received: string): string {
  return `${digestPrefix}SHA-256 ${announced} was announced, the bytes have ${received}`;
}

/** How {@linkcode digestMismatch} begins. */
export const digestPrefix = "digest mismatch: ";

/** Why a record is refused whose version is far ahead of this node's clock. */
export function versionAhead(version: string): string {
  return `${versionAheadPrefix}${version}`;
}

/** Why a push or a delete is refused that another member would refuse for its date. */
export function clocksDiffer(
  { date, member, memberDate }: { date: string; member: string; memberDate: string },
): string {
  return `the clocks differ by more than a year: this would be dated ${date}, and at ${member} it is ` +
    memberDate;
}

/** Why a node does not serve that cannot take what others have, as its calendar is wrong. */
export function clockBehind(peer: string, records: number): string {
  return `the clock of this node is more than a year behind that of ${peer}, which has ${records} ` +
    `records that it cannot take for that`;
}

/** Whether an error says that a record was refused for its version, and by no fault of its receiver. */
export function isVersionAhead(error: string): boolean {
  return error.startsWith(versionAheadPrefix);
}

/**
 * Whether an error says that a node has a copy whose bytes are not what they were, or that its disk does not
 * give. The store words such errors.
 *
 * @example
 * ```ts
 * import { isCopyDamaged } from "./errors.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isCopyDamaged("Part 1 of push 5f1c is damaged: it ends after 3 of 5 bytes"), true);
 * assertEquals(isCopyDamaged("Cannot read part 1: the disk fails"), true);
 * assertEquals(isCopyDamaged("Cannot read part 1: too many files are open"), false);
 * ```
 */
export function isCopyDamaged(error: string): boolean {
  return /^Part [0-9]+ of push \S+ is damaged: /.test(error) ||
    /^Cannot read part [0-9].*: the (disk fails|directory of the node does not allow it)$/.test(
      error,
    );
}

/** Why a command is refused on a connection that said `NODE RESTRICT`. */
export function refusedHere(command: string): string {
  return `${command} is refused on this connection`;
}

/**
 * Whether an error says that the other side does not know the command: so an original answers the
 * verbs and nouns that only we have.
 *
 * @example
 * ```ts
 * import { isUnknownCommand } from "./errors.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isUnknownCommand("unknown NODE command"), true);
 * assertEquals(isUnknownCommand("unknown command namespace: 'CATALOG'"), true);
 * assertEquals(isUnknownCommand("file not found"), false);
 * ```
 */
export function isUnknownCommand(error: string): boolean {
  return /^unknown (\S{1,20} )?command\b/.test(error);
}

/** How {@linkcode versionAhead} begins. */
const versionAheadPrefix = "the version is more than a year ahead of the clock: ";

/** How {@linkcode nodeLost} begins. */
const nodeLostPrefix = "lost a node of the placement: ";
