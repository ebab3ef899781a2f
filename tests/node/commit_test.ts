import { assertEquals, assertRejects } from "@std/assert";
import { commitRecord } from "../../src/node/commit.ts";
import type { NodeContext } from "../../src/node/context.ts";
import { Continuity } from "../../src/node/continuity.ts";
import { address, self } from "../support/store_fixture.ts";

Deno.test("commitRecord() stores nothing while nobody else is there to take it", async () => {
  let stored = 0;
  const commit = () => {
    stored++;
    return Promise.resolve({ outcome: "stored", missing: [], unverified: [] });
  };
  const members = [self, address(1)].map((address) => ({ address }));
  const context = {
    self,
    clock: { wallMs: () => 0 },
    catalog: { highestVersion: () => undefined },
    catchUps: () => 0,
    chunks: { commit, commitAtOnce: commit },
    peerClocks: { require: () => Promise.resolve() },
    ring: { members: () => members, commitMembers: () => [self], state: () => "ready" },
  } as unknown as NodeContext;
  const draft = { kind: "tombstone", name: "a", pushId: "p", timeMs: 0 } as const;
  const committed = commitRecord(context, draft, new Continuity(context, "a"));
  await assertRejects(() => committed, Error, "not enough nodes alive (1 of 2)");
  assertEquals(stored, 0);
});
