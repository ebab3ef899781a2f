import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { StalledError, Watchdog } from "../../src/net/watchdog.ts";
import { writeAll, writeText } from "../../src/net/write_all.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { connectionPair, type FakeConnectionOptions } from "../support/fake_connection.ts";

const pure = { permissions: "none" } as const;

function guardedPair(stallMs: number, options?: FakeConnectionOptions) {
  const clock = new FakeClock();
  const watchdog = new Watchdog(clock);
  const [near, far] = connectionPair(options);
  return { clock, watchdog, near, far, conn: watchdog.guard(near, stallMs) };
}

Deno.test("GuardedConnection closes a connection on which nothing moves", pure, async () => {
  const { clock, conn, near, watchdog } = guardedPair(1_000);
  const reading = assertRejects(() => conn.read(new Uint8Array(1)), StalledError, "1000 ms");
  await clock.advance(999);
  assertEquals(near.closed, false);
  await clock.advance(251);
  await reading;
  assertEquals([near.closed, conn.expired, watchdog.size], [true, true, 0]);
  await assertRejects(() => conn.read(new Uint8Array(1)), StalledError);
  await assertRejects(() => conn.write(new Uint8Array(1)), StalledError);
});

Deno.test("GuardedConnection ends a write to a peer that reads nothing", pure, async () => {
  const { clock, conn } = guardedPair(1_000, { windowBytes: 10 });
  const writing = assertRejects(() => writeAll(conn, new Uint8Array(11)), StalledError);
  await clock.advance(1_250);
  await writing;
});

Deno.test(
  "GuardedConnection counts only the time in which something is pending",
  pure,
  async () => {
    const { clock, conn, far } = guardedPair(1_000);
    await clock.advance(60_000);
    assertEquals(conn.expired, false);
    const reading = conn.read(new Uint8Array(10));
    await clock.advance(900);
    await writeText(far, "x");
    assertEquals(await reading, 1);
    await clock.advance(60_000);
    assertEquals(conn.expired, false);
  },
);

Deno.test("GuardedConnection renews the limit with every byte, either way", pure, async () => {
  const { clock, conn, far } = guardedPair(1_000);
  const reading = conn.read(new Uint8Array(10));
  for (let second = 0; second < 10; second++) {
    await clock.advance(900);
    await conn.write(new Uint8Array(1));
  }
  assertEquals(conn.expired, false);
  await writeText(far, "x");
  assertEquals(await reading, 1);
});

Deno.test("setDeadline() ends a connection whatever moves, and can be lifted", pure, async () => {
  const { clock, conn, far } = guardedPair(1_000);
  conn.setDeadline(3_000);
  conn.setDeadline(undefined);
  await clock.advance(10_000);
  conn.setDeadline(3_000);
  for (let step = 0; step < 5; step++) {
    await clock.advance(500);
    await writeText(far, "x");
    await conn.read(new Uint8Array(1));
  }
  const reading = assertRejects(() => conn.read(new Uint8Array(1)), StalledError, "deadline");
  await clock.advance(750);
  await reading;
});

Deno.test("set() to 0 waits forever", pure, async () => {
  const { clock, conn, far } = guardedPair(1_000);
  conn.set(0);
  const reading = conn.read(new Uint8Array(1));
  await clock.advance(100_000);
  await writeText(far, "x");
  assertEquals(await reading, 1);
});

Deno.test("Watchdog does not count the time in which the process stood still", pure, async () => {
  const { clock, conn, far } = guardedPair(5_000);
  conn.setDeadline(10_000);
  const reading = conn.read(new Uint8Array(1));
  await clock.advance(1_000);
  await clock.jump(3_600_000);
  assertEquals(conn.expired, false);
  await clock.advance(3_500);
  assertEquals(conn.expired, false);
  await writeText(far, "x");
  assertEquals(await reading, 1);
  await clock.advance(6_000);
  assertEquals(conn.expired, true);
});

Deno.test("Watchdog leaves a connection alone that is done or closed", pure, async () => {
  const { clock, watchdog, conn, near } = guardedPair(1_000);
  const pending = assertRejects(() => conn.read(new Uint8Array(1)), Deno.errors.Interrupted);
  conn.done();
  assertEquals(watchdog.size, 0);
  await clock.advance(10_000);
  assertEquals(near.closed, false);
  conn.close();
  conn.close();
  await pending;
  assertEquals([near.closed, conn.expired], [true, false]);
});

Deno.test("Watchdog closes itself and its timer, not the connections", pure, async () => {
  const { clock, watchdog, near } = guardedPair(1_000);
  watchdog.close();
  watchdog[Symbol.dispose]();
  assertEquals(clock.pending, 0);
  await clock.advance(10_000);
  assertEquals(near.closed, false);
  assertThrows(() => new Watchdog(clock, { sweepMs: 0 }), RangeError);
});
