import { assert, assertEquals, assertRejects } from "@std/assert";
import { SystemClock } from "../../src/runtime/clock.ts";
import { FakeClock } from "../support/fake_clock.ts";

const pure = { permissions: "none" } as const;

Deno.test("SystemClock sleeps, and wakes early by a signal", pure, async () => {
  const clock = new SystemClock();
  const startMs = clock.nowMs();
  await clock.sleep(5);
  assert(clock.nowMs() - startMs >= 4);
  assert(Math.abs(clock.wallMs() - Date.now()) < 1_000);
  const controller = new AbortController();
  const sleeping = assertRejects(() => clock.sleep(60_000, controller.signal), Error, "wake up");
  controller.abort(new Error("wake up"));
  await sleeping;
  await assertRejects(() => clock.sleep(60_000, controller.signal), Error, "wake up");
  await clock.sleep(1, new AbortController().signal);
});

Deno.test("SystemClock repeats until it is stopped", pure, async () => {
  const clock = new SystemClock();
  const thrice = Promise.withResolvers<void>();
  let calls = 0;
  using timer = clock.every(1, () => {
    calls += 1;
    if (calls === 3) {
      timer.stop();
      thrice.resolve();
    }
  });
  // A repeated call does not keep the process alive, so something else must.
  const keptAlive = setInterval(() => {}, 1_000);
  await thrice.promise;
  clearInterval(keptAlive);
  assertEquals(calls, 3);
});

Deno.test("FakeClock runs what falls due in order, each at its own time", pure, async () => {
  const clock = new FakeClock(1_000);
  const story: string[] = [];
  const tell = (what: string) => story.push(`${clock.nowMs()} ${what}`);
  void clock.sleep(30).then(() => tell("slept"));
  const timer = clock.every(20, () => tell("tick"));
  await clock.advance(60);
  timer.stop();
  await clock.advance(60);
  assertEquals(story, ["1020 tick", "1030 slept", "1040 tick", "1060 tick"]);
  assertEquals([clock.nowMs(), clock.wallMs(), clock.pending], [1_120, 1_120, 0]);
});

Deno.test("FakeClock jumps as over a standstill", pure, async () => {
  const clock = new FakeClock();
  let ticks = 0;
  using _timer = clock.every(10, () => ticks += 1);
  const sleeping = clock.sleep(15);
  await clock.jump(1_000);
  await sleeping;
  assertEquals(ticks, 1);
  await clock.advance(10);
  assertEquals(ticks, 2);
});

Deno.test("FakeClock wakes a sleeper by its signal", pure, async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const sleeping = assertRejects(() => clock.sleep(10, controller.signal), Error, "stop");
  controller.abort(new Error("stop"));
  await sleeping;
  await assertRejects(() => clock.sleep(10, controller.signal), Error, "stop");
  assertEquals(clock.pending, 0);
});
