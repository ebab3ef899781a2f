import { assertEquals } from "@std/assert";
import type { NodeContext } from "../../src/node/context.ts";
import { Scrub } from "../../src/node/scrub.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { FakeClock } from "../support/fake_clock.ts";

const pure = { permissions: "none" } as const;
const mebibyte = 1024 * 1024;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** A node of four chunks of 90 MiB, one of which is staged, that remembers what of them was read and when. */
class Node {
  readonly clock = new FakeClock(1_000 * dayMs);
  /** Which chunk was read, in which second. */
  readonly reads: [part: number, second: number][] = [];
  /** Outlives the process, as the catalog does. */
  readonly meta = new Map<string, string>();
  repairs = 0;
  /** What the repair queue says. */
  readonly queue = { counts: { repaired: 0 }, hasTriedAll: false, progress: 0 };
  /** The files that lack copies here, and whether their repair was not tried yet. */
  readonly lacking = new Map<string, { copies: number; isPending: boolean }>();

  /** A scrub as the node's process has it. */
  scrub(scrubRateMiB: number): Scrub {
    const { clock, lacking, meta, reads } = this;
    const chunks = Array.from({ length: 4 }, (_, part) => ({
      pushId: "push",
      part,
      place: part === 2 ? "staging" : "placed",
      length: 90 * mebibyte,
    }));
    const context = {
      clock,
      log: silentLogger,
      options: { scrubRateMiB },
      counters: { repair: { checked: 0, lost: 0 } },
      catalog: {
        meta: (key: string) => meta.get(key),
        setMeta: (key: string, value: string) => Promise.resolve(void meta.set(key, value)),
      },
      chunks: {
        chunks: () => chunks,
        checkChunk: (_pushId: string, part: number) => {
          return Promise.resolve(void reads.push([part, Math.round(clock.nowMs() / 1000)]));
        },
        missingRecords: () =>
          [...lacking].map(([name, { copies }]) => ({ record: { name }, parts: Array(copies) })),
      },
      events: { tell: () => {} },
      repair: Object.assign(this.queue, {
        enqueueAll: () => void (this.repairs += 1),
        isPending: (name: string) => lacking.get(name)?.isPending,
      }),
    };
    return new Scrub(context as unknown as NodeContext);
  }
}

Deno.test("Scrub reads what is placed at its rate, and then has all repaired", pure, async () => {
  const node = new Node();
  const scrub = node.scrub(3);
  const startSecond = Math.round(node.clock.nowMs() / 1000);
  scrub.start();
  await node.clock.advance(5 * minuteMs);
  const since = node.reads.map(([part, second]) => [part, second - startSecond]);
  assertEquals(since, [[0, 60], [1, 90], [3, 120]]);
  assertEquals(node.repairs, 1);
  await scrub.stop();
});

Deno.test(
  "Scrub begins a pass once a day at most, however often the node starts",
  pure,
  async () => {
    const node = new Node();
    const first = node.scrub(100);
    first.start();
    await node.clock.advance(10 * minuteMs);
    assertEquals(node.reads.length, 3);
    await first.stop();
    const second = node.scrub(100);
    second.start();
    await node.clock.advance(dayMs - 10 * minuteMs);
    assertEquals(node.reads.length, 3);
    await node.clock.advance(10 * minuteMs);
    assertEquals(node.reads.length, 6);
    await second.stop();
  },
);

Deno.test("Scrub does nothing by itself at rate 0", pure, async () => {
  const node = new Node();
  const scrub = node.scrub(0);
  scrub.start();
  await node.clock.advance(2 * dayMs);
  assertEquals(node.reads, []);
  await scrub.stop();
});

Deno.test("Scrub ends in the middle of a pass when the node stops", pure, async () => {
  const node = new Node();
  const scrub = node.scrub(1);
  scrub.start();
  await node.clock.advance(2 * minuteMs);
  assertEquals(node.reads.length, 1);
  await scrub.stop();
  await node.clock.advance(dayMs);
  assertEquals(node.reads.length, 1);
});

Deno.test("Scrub.here() waits for repairs as long as they get on", pure, async () => {
  const node = new Node();
  node.lacking.set("large", { copies: 2, isPending: true });
  let counts: unknown;
  const done = node.scrub(0).here().then((found) => counts = found);
  for (let minute = 0; minute < 20; minute++) {
    await node.clock.advance(50_000);
    node.queue.progress++;
  }
  assertEquals(counts, undefined);
  node.lacking.clear();
  node.queue.counts.repaired = 2;
  node.queue.hasTriedAll = true;
  await node.clock.advance(50);
  await done;
  assertEquals(counts, { checked: 3, repaired: 2, lost: 0 });
});

Deno.test(
  "Scrub.here() calls lost what no node could give, not what is still being fetched",
  pure,
  async () => {
    const node = new Node();
    node.lacking.set("stuck", { copies: 3, isPending: true });
    node.lacking.set("gone", { copies: 2, isPending: false });
    let counts: unknown;
    const done = node.scrub(0).here().then((found) => counts = found);
    await node.clock.advance(59_000);
    assertEquals(counts, undefined);
    await node.clock.advance(2_000);
    await done;
    assertEquals(counts, { checked: 3, repaired: 0, lost: 2 });
  },
);
