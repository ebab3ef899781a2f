import { assertEquals } from "@std/assert";
import { Census } from "../../src/node/census.ts";
import { NodeCounters } from "../../src/node/counters.ts";
import { DurationCounter } from "../../src/protocol/duration_counter.ts";
import { durationBounds } from "../../src/protocol/node_metrics.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test("NodeCounters counts commands by operation, failed ones and bytes too", () => {
  const counters = new NodeCounters();
  const pushed = { receivedBytes: 100, sentBytes: 10 };
  counters.served({ kind: "file-push", ms: 3, isFailed: false, ...pushed });
  counters.served({ kind: "file-push", ms: 7, isFailed: true, ...pushed });
  counters.served({ kind: "file-open", ms: 1, isFailed: false, receivedBytes: 0, sentBytes: 5 });
  counters.served({ kind: "file-read", ms: 1, isFailed: false, receivedBytes: 0, sentBytes: 6 });
  counters.refused();
  const { push, read, invalid, ...others } = counters.operations();
  assertEquals(others, {});
  assertEquals(push?.durations.count, 2);
  assertEquals(push?.durations.sum, 0.01);
  assertEquals(push?.errors, 1);
  assertEquals([push?.receivedBytes, push?.sentBytes], [200, 20]);
  assertEquals([read?.durations.count, read?.sentBytes], [2, 11]);
  assertEquals([invalid?.durations.count, invalid?.errors], [1, 1]);
});

Deno.test("NodeCounters does not time those who listen for events", () => {
  const counters = new NodeCounters();
  counters.served({ kind: "ring-events", ms: 1e9, isFailed: true, receivedBytes: 0, sentBytes: 1 });
  assertEquals(counters.operations(), {});
});

Deno.test("DurationCounter sorts a bound into the class below it", () => {
  const counter = new DurationCounter();
  for (const bound of durationBounds) counter.add(bound);
  counter.add(0);
  counter.add(1e6);
  const { count, classes } = counter.snapshot();
  assertEquals(count, durationBounds.length + 2);
  assertEquals(classes, [2, ...durationBounds.slice(1).map(() => 1), 1]);
});

Deno.test("DurationCounter.snapshot() stays as it was", () => {
  const counter = new DurationCounter();
  const before = counter.snapshot();
  counter.add(1);
  assertEquals(before.count, 0);
  assertEquals(before.classes.every((each) => each === 0), true);
});

Deno.test("Census counts again only after a time that grows with its cost", async () => {
  const clock = new FakeClock();
  const none = { count: 0, bytes: 0 };
  const empty = { content: none, backup: none, staging: none, retired: none, quarantineFiles: 0 };
  let counted = 0;
  const census = new Census(clock, {
    usage: () => ({ ...empty, quarantineFiles: ++counted }),
    catalog: { counts: () => ({ files: 0, tombstones: 0, fileBytes: 0 }) },
  });
  const now = () => census.stock().usage.quarantineFiles;
  assertEquals([now(), now()], [1, 1]);
  await clock.advance(999);
  assertEquals(now(), 1);
  await clock.advance(1);
  assertEquals(now(), 2);
});

Deno.test("Census spends a fiftieth of its time on counting at most", () => {
  let nowMs = 0;
  const none = { count: 0, bytes: 0 };
  const empty = { content: none, backup: none, staging: none, retired: none, quarantineFiles: 0 };
  let counted = 0;
  const clock = Object.assign(new FakeClock(), { nowMs: () => nowMs });
  const census = new Census(clock, {
    usage: () => {
      nowMs += 100;
      counted++;
      return empty;
    },
    catalog: { counts: () => ({ files: 0, tombstones: 0, fileBytes: 0 }) },
  });
  while (nowMs < 60_000) {
    census.stock();
    nowMs += 10;
  }
  assertEquals(counted, 12);
});
