import { assertEquals } from "@std/assert";
import { TimerQueue } from "../../src/ring/timer_queue.ts";
import { SeededRandom } from "../support/seeded_random.ts";

const pure = { permissions: "none" } as const;

Deno.test(
  "TimerQueue gives timers in the order of their times, equal ones as they came",
  pure,
  () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new SeededRandom(seed);
      const queue = new TimerQueue();
      const ran: [number, number][] = [];
      const expected: [number, number][] = [];
      for (let index = 0; index < 200; index++) {
        const atMs = random.integer(40);
        const timer = queue.add(atMs, () => ran.push([atMs, index]));
        timer.cancelled = random.integer(4) === 0;
        if (!timer.cancelled) expected.push([atMs, index]);
      }
      expected.sort(([a], [b]) => a - b);
      assertEquals(queue.firstAtMs, expected[0]?.[0], `seed ${seed}`);
      for (let nowMs = 0; nowMs < 40; nowMs++) {
        for (let due = queue.takeDue(nowMs); due !== undefined; due = queue.takeDue(nowMs)) {
          due
            .run();
        }
      }
      assertEquals(ran, expected, `seed ${seed}`);
      assertEquals(queue.size, 0);
      assertEquals(queue.firstAtMs, undefined);
    }
  },
);

Deno.test("TimerQueue takes nothing that is not due", pure, () => {
  const queue = new TimerQueue();
  queue.add(10, () => {});
  assertEquals(queue.takeDue(9), undefined);
  assertEquals(queue.takeDue(10)?.atMs, 10);
});
