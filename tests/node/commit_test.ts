import { assertEquals, assertRejects } from "@std/assert";
import { commitRecord } from "../../src/node/commit.ts";
import type { NodeContext } from "../../src/node/context.ts";
import { Continuity, OutcomeUnknownError } from "../../src/node/continuity.ts";
import type { NodeAddress } from "../../src/protocol/address.ts";
import type { CommitReply } from "../../src/protocol/peer_replies.ts";
import type { FileRecord } from "../../src/protocol/record.ts";
import { nextVersion } from "../../src/protocol/ulid.ts";
import { settle } from "../support/fake_clock.ts";
import { address, self } from "../support/store_fixture.ts";

const removal = { kind: "tombstone", name: "a", pushId: "p", timeMs: 0 } as const;
const stored: CommitReply = { kind: "stored" };

/** Of three; a delete is committed through the first. */
const members = [self, address(1), address(2)];

/** Commits a delete in a ring of three, where these are the answers of those of the other two that are Alive. */
function commitAmong(answers: readonly Answer[], markDead: MarkDead) {
  const versions: string[] = [];
  const commit = ({ version }: FileRecord) => {
    versions.push(version);
    return Promise.resolve({ outcome: "stored", missing: [], unverified: [] });
  };
  const context = {
    self,
    clock: { wallMs: () => 1_000_000, sleep: () => Promise.resolve() },
    catalog: { highestVersion: () => undefined },
    catchUps: () => 0,
    chunks: { commit, commitAtOnce: commit },
    commits: { send: (member: NodeAddress) => answers[members.indexOf(member) - 1]?.() },
    peerClocks: { require: () => Promise.resolve() },
    ring: {
      members: () => members.map((address) => ({ address })),
      commitMembers: () => members.slice(0, 1 + answers.length),
      state: () => "ready",
      markDead,
    },
  } as unknown as NodeContext;
  return { versions, committed: commitRecord(context, removal, new Continuity(context, "a")) };
}

type Answer = () => Promise<CommitReply>;
type MarkDead = (member: NodeAddress) => Promise<void>;

Deno.test("commitRecord() stores nothing while nobody else is there to take it", async () => {
  const { versions, committed } = commitAmong([], never);
  await assertRejects(() => committed, Error, "not enough nodes alive (1 of 2)");
  assertEquals(versions.length, 0);
});

Deno.test("commitRecord() is over when every member has confirmed", async () => {
  const last = Promise.withResolvers<CommitReply>();
  const { committed } = commitAmong([() => Promise.resolve(stored), () => last.promise], never);
  let isOver = false;
  const over = committed.then(() => isOver = true);
  await settle();
  assertEquals(isOver, false);
  last.resolve(stored);
  await over;
});

Deno.test("commitRecord() waits until a member that does not confirm is called Dead", async () => {
  const told = Promise.withResolvers<void>();
  const dead: NodeAddress[] = [];
  const silent = () => Promise.reject(new Error("the deadline has passed"));
  const { committed } = commitAmong([silent, () => Promise.resolve(stored)], (member) => {
    dead.push(member);
    return told.promise;
  });
  let isOver = false;
  const over = committed.then(() => isOver = true);
  await settle();
  // Until it knows, it would serve what it has: an older version.
  assertEquals([dead, isOver], [[address(1)], false]);
  told.resolve();
  await over;
});

Deno.test("commitRecord() leaves open what nobody else has confirmed", async () => {
  const silent = () => Promise.reject(new Error("the deadline has passed"));
  const { committed } = commitAmong([silent, silent], () => Promise.resolve());
  await assertRejects(() => committed, OutcomeUnknownError, "only this node has confirmed 'a'");
});

Deno.test("commitRecord() commits again above a version that a member knows", async () => {
  const higher = nextVersion(2_000_000, new Uint8Array(10), undefined);
  const replies: CommitReply[] = [{ kind: "higher", version: higher }, stored];
  const answers: Answer = () => Promise.resolve(replies.shift() ?? stored);
  const { committed, versions } = commitAmong([answers, () => Promise.resolve(stored)], never);
  const { version } = await committed;
  assertEquals(versions.length, 2);
  assertEquals([version, version > higher], [versions[1], true]);
});

/** Nobody is to be called Dead. */
function never(member: NodeAddress): Promise<void> {
  throw new Error(`${member} was called Dead`);
}
