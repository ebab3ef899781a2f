import { assertEquals, assertRejects } from "@std/assert";
import { PeerUnreachable } from "../../src/net/peer_errors.ts";
import { PeerPool } from "../../src/net/peer_pool.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import { commitDeadlineMs, CommitSender } from "../../src/node/commit_sender.ts";
import type { NodeContext } from "../../src/node/context.ts";
import { parseCommand } from "../../src/protocol/parse.ts";
import { commitReply } from "../../src/protocol/peer_replies.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { FakeTransport } from "../support/fake_transport.ts";
import { LineNode } from "../support/line_node.ts";
import { address, bytesOf } from "../support/store_fixture.ts";

const pure = { permissions: "none" } as const;
const member = address(1);
const stored = commitReply({ kind: "stored" });

/** A member that answers each message of records when it may; with an answer each. */
function memberThatAnswers(mayAnswer: () => Promise<void>) {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  const peers = new PeerPool({ transport, watchdog: new Watchdog(clock), clock });
  /** How many records came in each message. */
  const messages: number[] = [];
  const node = new LineNode(transport, member, async (line, { reader }) => {
    const parsed = parseCommand(line);
    if (!parsed.ok || parsed.command.kind !== "file-commit") return "program: ouroboros\nOK\n";
    const body = new Uint8Array(parsed.command.bodyBytes);
    await reader.readFull(body);
    const records = new TextDecoder().decode(body).split("\n").length;
    messages.push(records);
    await mayAnswer();
    return stored.repeat(records);
  });
  const commits = new CommitSender({ peers } as unknown as NodeContext);
  return {
    clock,
    messages,
    send: (record: string) => commits.send(member, bytesOf(record)),
    async [Symbol.asyncDispose]() {
      peers.close();
      await node[Symbol.asyncDispose]();
    },
  };
}

Deno.test("CommitSender resolves when the member has answered, not before", pure, async () => {
  const gate = Promise.withResolvers<void>();
  await using run = memberThatAnswers(() => gate.promise);
  let confirmed = 0;
  const records = ["one", "two", "three"].map(async (record) => {
    assertEquals(await run.send(record), { kind: "stored" });
    confirmed++;
  });
  await settle();
  assertEquals([confirmed, run.messages], [0, [3]]);
  gate.resolve();
  await Promise.all(records);
});

Deno.test(
  "CommitSender gives up a silent member at the deadline, with all that wait",
  pure,
  async () => {
    const never = Promise.withResolvers<void>();
    await using run = memberThatAnswers(() => never.promise);
    const failed: Promise<unknown>[] = [];
    for (const record of ["first", "second", "waits", "waits too"]) {
      failed.push(assertRejects(() => run.send(record), PeerUnreachable, "too slow"));
      await settle();
    }
    assertEquals(run.messages, [1, 1]);
    await run.clock.advance(commitDeadlineMs + 500);
    await Promise.all(failed);
    // Nobody listens any more.
    never.resolve();
  },
);
