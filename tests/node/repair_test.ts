import { assert, assertEquals } from "@std/assert";
import type { NodeContext } from "../../src/node/context.ts";
import { RepairQueue } from "../../src/node/repair.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";

const pure = { permissions: "none" } as const;

Deno.test("RepairQueue.isPending() is true until a repair was tried", pure, async () => {
  const clock = new FakeClock();
  const tried = Promise.withResolvers<never>();
  const listed = Promise.withResolvers<void>();
  const context = {
    clock,
    log: silentLogger,
    self: "127.0.0.1:7000",
    events: { tell: () => {} },
    catalog: {
      record: (name: string) => ({ kind: "file", name }),
      highestVersion: () => undefined,
    },
    chunks: {
      missing: () => tried.promise,
      async *missingRecords() {
        yield { record: { name: "a" }, parts: [0] };
        await listed.promise;
      },
    },
  };
  const repair = new RepairQueue(context as unknown as NodeContext);
  assertEquals([repair.isPending("a"), repair.hasTriedAll], [false, true]);
  repair.enqueueAll();
  assertEquals(repair.isPending("a"), true);
  await settle();
  const before = repair.progress;
  tried.reject(new Error("no other copy"));
  await settle();
  // Others may still be found, so of them nobody knows.
  assertEquals([repair.isPending("a"), repair.isPending("b")], [false, true]);
  assert(repair.progress !== before, "a repair that was given up is progress");
  listed.resolve();
  await settle();
  assertEquals([repair.isPending("b"), repair.hasTriedAll], [false, true]);
  await repair.stop();
});
