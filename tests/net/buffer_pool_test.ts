import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { BufferPool } from "../../src/net/buffer_pool.ts";
import { BusyError } from "../../src/net/busy_error.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";

const pure = { permissions: "none" } as const;

function poolOf(buffers: number, options: { waitMs?: number; waitersMax?: number } = {}) {
  const clock = new FakeClock();
  return {
    clock,
    pool: new BufferPool(clock, { bufferBytes: 8, totalBytes: 8 * buffers, ...options }),
  };
}

Deno.test("BufferPool leases buffers and uses them again", pure, async () => {
  const { pool } = poolOf(2);
  const lease = await pool.acquire(2);
  const [first, second] = lease.buffers;
  assertEquals([first.length, second.length, pool.usedBuffers], [8, 8, 2]);
  lease.release();
  lease.release();
  assertEquals(pool.usedBuffers, 0);
  using again = await pool.acquire(1);
  assertStrictEquals(again.buffers[0], second);
});

Deno.test("BufferPool refuses what it could never give", pure, async () => {
  const { pool } = poolOf(2);
  await assertRejects(() => pool.acquire(3), RangeError);
  await assertRejects(() => pool.acquire(0), RangeError);
  assertThrows(
    () => new BufferPool(new FakeClock(), { bufferBytes: 8, totalBytes: 7 }),
    RangeError,
  );
});

Deno.test("BufferPool serves strictly in the order of arrival", pure, async () => {
  const { pool } = poolOf(4);
  const held = await pool.acquire(3);
  const order: string[] = [];
  const take = async (name: string, count: number) => {
    const lease = await pool.acquire(count);
    order.push(name);
    return lease;
  };
  const large = take("large", 4);
  const small = take("small", 1);
  await settle();
  // One buffer is free, but the first in line needs more.
  assertEquals([order, pool.waiting], [[], 2]);
  held.release();
  (await large).release();
  (await small).release();
  assertEquals([order, pool.usedBuffers, pool.waiting], [["large", "small"], 0, 0]);
});

Deno.test("BufferPool never gives more than it has, and nobody starves", pure, async () => {
  const { pool } = poolOf(5);
  let mostUsed = 0;
  let finished = 0;
  const work = async (count: number) => {
    using lease = await pool.acquire(count);
    assertEquals(new Set(lease.buffers).size, count);
    mostUsed = Math.max(mostUsed, pool.usedBuffers);
    await settle();
    finished += 1;
  };
  await Promise.all(Array.from({ length: 100 }, (_, index) => work(1 + index % 5)));
  assertEquals([mostUsed <= 5, finished, pool.usedBuffers], [true, 100, 0]);
});

Deno.test("BufferPool is busy after the wait, and serves who stood behind", pure, async () => {
  const { pool, clock } = poolOf(2, { waitMs: 1_000 });
  const held = await pool.acquire(1);
  const tooMany = assertRejects(() => pool.acquire(2), BusyError, "1 of 2 are in use");
  await clock.advance(500);
  const behind = pool.acquire(1);
  await clock.advance(500);
  await tooMany;
  (await behind).release();
  held.release();
  assertEquals([pool.usedBuffers, pool.waiting, clock.pending], [0, 0, 0]);
});

Deno.test("BufferPool lets a waiter give up by its signal", pure, async () => {
  const { pool, clock } = poolOf(1);
  const held = await pool.acquire(1);
  const controller = new AbortController();
  const waiting = assertRejects(() => pool.acquire(1, controller.signal), Error, "client left");
  const behind = pool.acquire(1);
  controller.abort(new Error("client left"));
  await waiting;
  await assertRejects(() => pool.acquire(1, controller.signal), Error, "client left");
  held.release();
  (await behind).release();
  assertEquals([pool.usedBuffers, clock.pending], [0, 0]);
});

Deno.test("BufferPool bounds its line", pure, async () => {
  const { pool } = poolOf(1, { waitersMax: 1 });
  const held = await pool.acquire(1);
  const first = pool.acquire(1);
  await assertRejects(() => pool.acquire(1), BusyError);
  held.release();
  (await first).release();
});
