import type { NodeAddress } from "../protocol/address.ts";
import type { FileRecord } from "../protocol/record.ts";
import { formatRecord } from "../protocol/record_codec.ts";
import { isFarAhead, nextVersion, ulidTimeMs } from "../protocol/ulid.ts";
import {
  isVersionAhead,
  notEnoughNodes,
  outcomeUnknown,
  versionAhead,
} from "../protocol/errors.ts";
import { PeerError } from "../net/peer_errors.ts";
import { type CommitReply, commitReply } from "../protocol/peer_replies.ts";
import { randomBytes } from "../runtime/random.ts";
import type { Commit, CommitResult } from "../store/commit.ts";
import type { NodeContext } from "./context.ts";
import { Continuity, OutcomeUnknownError } from "./continuity.ts";

/** What a commit is made of: a record that has no version yet. */
export type RecordDraft<R extends FileRecord = FileRecord> = Omit<R, "version">;

/** How often a commit is repeated above versions that it had not seen. */
const commitAttemptsMax = 16;

/** Longest pause before a commit is repeated, in ms; random, so that two coordinators part. */
const commitBackoffMs = 40;

/**
 * Gives a record its version and brings it to every Alive member.
 *
 * 1. The version is above every version of the name that this node has seen, deletes included.
 * 2. Storing the record in this node's own catalog is the commit point: from there on it spreads,
 *    if need be by the catalog exchange after a restart.
 * 3. A member that knows a higher version says so, and the record is committed again above it:
 *    what is acknowledged last wins, even if this node's clock is slow or it missed a version.
 * 4. A member that does not answer in time is marked Dead before this returns, so that it must
 *    catch up before it serves anybody.
 * 5. A condition of the client is looked at in one step with the commit point.
 * 6. Nothing is stored that another member would refuse, as its clock is far behind, nor while nobody
 *    else is there to take it.
 * 7. A node that was away itself catches up first, and gives up a record that was overtaken.
 *
 * @throws {OutcomeUnknownError} when fewer than two nodes of a larger ring have the record.
 */
export async function commitRecord<R extends FileRecord>(
  context: NodeContext,
  draft: RecordDraft<R>,
  continuity: Continuity = new Continuity(context, draft.name),
): Promise<R> {
  // A higher one that has come since is found when the record is stored.
  let above = continuity.seenVersion;
  for (let attempt = 1; attempt <= commitAttemptsMax; attempt++) {
    if (!continuity.isCommitted) await requireTakers(context, above);
    await continuity.check();
    // No wait from here to the catalog: what was true is still true there.
    continuity.requireCondition();
    const version = nextVersion(context.clock.wallMs(), randomBytes(10), above);
    const record = { ...draft, version } as R;
    const text = formatRecord(record);
    const stored = await storeOwn(context, { record, text }, continuity);
    if (stored.outcome === "higher") {
      above = stored.version;
      continue;
    }
    continuity.committed(version);
    if (stored.missing.length + stored.unverified.length > 0) context.repair.enqueue(draft.name);
    await context.testHooks?.reach("committed");
    const highest = await spreadRecord(context, { record, text });
    if (highest === undefined) return record;
    above = highest > version ? highest : version;
    await context.clock.sleep(commitBackoffMs * (randomBytes(1)[0] ?? 0) / 255);
  }
  throw new OutcomeUnknownError(
    outcomeUnknown(`'${draft.name}' was overtaken ${commitAttemptsMax} times`),
  );
}

/**
 * Makes sure, before anything is stored, that the others will take a version above `above`.
 *
 * @throws {Error} `the clocks differ …`, `not enough nodes alive …`
 */
export async function requireTakers(
  { clock, peerClocks, ring }: NodeContext,
  above: string | undefined,
): Promise<void> {
  const isAlone = ring.members().length > 1 && ring.commitMembers().length < 2;
  if (isAlone) throw new Error(notEnoughNodes(1, 2));
  await peerClocks.require(Math.max(clock.wallMs(), above === undefined ? 0 : ulidTimeMs(above)));
}

/** Stores a record in this node's own catalog, or leaves no trace of it when it fails. */
async function storeOwn(
  context: NodeContext,
  { record, text }: Commit,
  { isCommitted, isConditional }: Continuity,
): Promise<CommitResult> {
  try {
    if (!isConditional) return await context.chunks.commit(record, text);
    // Others wait to be committed together: what was true of the catalog may not be by then.
    return await context.chunks.commitAtOnce(record, text);
  } catch (error) {
    // It may be in the catalog, and what was committed before is where it is.
    const isTraceless = !isCommitted && context.catalog.pushOf(record.pushId) === undefined;
    if (isTraceless || !(error instanceof Error)) throw error;
    throw new OutcomeUnknownError(outcomeUnknown(error.message), { cause: error });
  }
}

/**
 * Sends a record to every member that takes commits, those that join meanwhile included; gives the
 * highest version above it that one of them knows.
 */
async function spreadRecord(
  context: NodeContext,
  { record, text }: Commit,
): Promise<string | undefined> {
  const { ring, self } = context;
  const body = new TextEncoder().encode(text);
  const asked = new Set<NodeAddress>([self]);
  let confirmed = 1;
  let highest: string | undefined;
  for (;;) {
    const members = ring.commitMembers().filter((member) => !asked.has(member));
    if (members.length === 0) break;
    for (const member of members) asked.add(member);
    const answers = await Promise.all(
      members.map((member) => confirmAt(context, { member, record, body })),
    );
    for (const answer of answers) {
      if (answer === undefined) continue;
      confirmed++;
      if (answer.kind === "higher" && (highest === undefined || answer.version > highest)) {
        highest = answer.version;
      }
    }
  }
  if (confirmed < 2 && ring.members().length > 1) {
    throw new OutcomeUnknownError(
      outcomeUnknown(`only this node has confirmed '${record.name}'`),
    );
  }
  return highest;
}

/** What a commit is sent with. */
interface Confirmation {
  readonly member: NodeAddress;
  readonly record: FileRecord;
  /** The record in JSON. */
  readonly body: Uint8Array;
}

/** A member's answer to a record; nothing when it failed and is marked Dead for it. */
async function confirmAt(
  context: NodeContext,
  confirmation: Confirmation,
): Promise<CommitReply | undefined> {
  const { member, record } = confirmation;
  try {
    return await context.commits.send(member, confirmation.body);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof PeerError && isVersionAhead(error.message)) {
      // It is this node's clock that is wrong.
      throw new OutcomeUnknownError(outcomeUnknown(`${member} says that ${reason}`));
    }
    await context.ring.markDead(member, `did not confirm '${record.name}': ${reason}`);
    return undefined;
  }
}

/**
 * Serves `FILE COMMIT`: stores records that another coordinator has committed; an answer each.
 *
 * @throws {Error} when a version is far ahead of this node's clock; then none is stored.
 */
export async function acceptRecords(
  context: NodeContext,
  commits: readonly Commit[],
): Promise<string> {
  await context.testHooks?.reach("record-received");
  const nowMs = context.clock.wallMs();
  for (const { record: { version } } of commits) {
    if (isFarAhead(version, nowMs)) throw new Error(versionAhead(version));
  }
  const stored = await Promise.all(
    commits.map(({ record, text }) => context.chunks.commit(record, text)),
  );
  let answer = "";
  for (const [index, result] of stored.entries()) {
    const record = commits[index]?.record;
    if (record === undefined) throw new RangeError(`No record ${index}`);
    if (result.outcome === "higher") {
      answer += commitReply({ kind: "higher", version: result.version });
      continue;
    }
    if (result.missing.length + result.unverified.length > 0) context.repair.enqueue(record.name);
    context.originals.stored(record);
    answer += commitReply({ kind: "stored" });
  }
  return answer;
}
