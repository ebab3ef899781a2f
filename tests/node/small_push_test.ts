import { assertEquals, assertRejects } from "@std/assert";
import { PeerError } from "../../src/net/peer_errors.ts";
import { PeerPool } from "../../src/net/peer_pool.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import type { NodeContext } from "../../src/node/context.ts";
import { PeerLostError } from "../../src/node/peer_sink.ts";
import { stageSmall } from "../../src/node/small_push.ts";
import type { NodeAddress } from "../../src/protocol/address.ts";
import { nodeLost } from "../../src/protocol/errors.ts";
import { parseCommand } from "../../src/protocol/parse.ts";
import type { PushTicket } from "../../src/protocol/record.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { FakeTransport } from "../support/fake_transport.ts";
import { LineNode } from "../support/line_node.ts";
import { bytesOf, nodes, self } from "../support/store_fixture.ts";

const pure = { permissions: "none" } as const;

const ticket: PushTicket = {
  pushId: "push-1",
  coordinator: self,
  incarnation: "incarnation-1",
  nodes,
  copies: 2,
  parts: 3,
};

const file = { ticket, name: "a.txt", bytes: bytesOf("a file of three parts") };

/** Stages a file on three nodes, each of which has its copies when its promise resolves. */
function stageWhen(durable: ReadonlyMap<NodeAddress, Promise<string>>): StagingRun {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  const peers = new PeerPool({ transport, watchdog: new Watchdog(clock), clock });
  const others = nodes.filter((node) => node !== self).map((node) =>
    new LineNode(transport, node, async (line, { reader }) => {
      const parsed = parseCommand(line);
      if (parsed.ok && parsed.command.kind === "node-info") return "program: ouroboros\nOK\n";
      if (!parsed.ok || !("bodyBytes" in parsed.command)) return "ERR unknown\n";
      await reader.readFull(new Uint8Array(parsed.command.bodyBytes));
      return await durable.get(node);
    })
  );
  const context = {
    self,
    peers,
    admission: { reserve: () => ({ [Symbol.dispose]: () => {} }) },
    chunks: { stageAll: () => durable.get(self) },
    ring: { markDead: () => Promise.resolve() },
  };
  const staged = stageSmall(context as unknown as NodeContext, file);
  // A test that has failed waits for it no more.
  staged.catch(() => {});
  return {
    clock,
    staged,
    async [Symbol.asyncDispose]() {
      peers.close();
      for (const node of others) await node[Symbol.asyncDispose]();
    },
  };
}

interface StagingRun extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly staged: Promise<void>;
}

for (const [place, late] of nodes.entries()) {
  Deno.test(`stageSmall() waits until node ${place} of 3 has its copies`, pure, async () => {
    const last = Promise.withResolvers<string>();
    const durable = new Map(nodes.map((node) => {
      return [node, node === late ? last.promise : Promise.resolve("OK\n")];
    }));
    await using run = stageWhen(durable);
    let isStaged = false;
    const staged = run.staged.then(() => isStaged = true);
    // Its own copies come after a turn of the real event loop.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    await settle();
    assertEquals(isStaged, false, "a copy is not durable yet");
    last.resolve("OK\n");
    await staged;
  });
}

/** Stages a file on two nodes that take it and one that says something else. */
async function stageWhereOneSays(answer: string): Promise<void> {
  const durable = new Map(nodes.map((node, place) => {
    return [node, Promise.resolve(place === 2 ? answer : "OK\n")];
  }));
  await using run = stageWhen(durable);
  await run.staged;
}

Deno.test("stageSmall() fails when a node refuses its copies", pure, async () => {
  const reason = "Cannot store 'a.txt' as the disk is full: 0 MiB free, 1 MiB needed";
  await assertRejects(() => stageWhereOneSays(`ERR ${reason}\n`), PeerError, reason);
});

Deno.test("stageSmall() may begin again when a node is lost", pure, async () => {
  const reason = nodeLost("it is gone");
  await assertRejects(() => stageWhereOneSays(`ERR ${reason}\n`), PeerLostError, reason);
});

Deno.test("stageSmall() gives up a node that says nothing for 30 s", pure, async () => {
  const never = Promise.withResolvers<string>();
  const durable = new Map(nodes.map((node, place) => {
    return [node, place === 1 ? never.promise : Promise.resolve("OK\n")];
  }));
  await using run = stageWhen(durable);
  const failed = assertRejects(() => run.staged, PeerLostError, "too slow");
  await settle();
  await run.clock.advance(30_500);
  await failed;
  // Nobody listens any more.
  never.resolve("OK\n");
});
