import { assert, assertEquals, assertRejects } from "@std/assert";
import { BusyError } from "../../src/net/busy_error.ts";
import { type Turn, TurnQueue } from "../../src/node/turn_queue.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";

const pure = { permissions: "none" } as const;

const limits = { turnsMax: 2, lentMax: 2, waitersMax: 3, waitMs: 10_000 };

/** A queue with both turns taken. */
async function fullQueue(): Promise<{ clock: FakeClock; queue: TurnQueue; held: Turn[] }> {
  const clock = new FakeClock();
  const queue = new TurnQueue(clock, limits);
  return { clock, queue, held: [await queue.take(), await queue.take()] };
}

/** What has become of a wish for a turn. */
interface Taken {
  turn?: Turn;
  error?: unknown;
}

/** Takes a turn as soon as there is one. */
function takeSoon(queue: TurnQueue): Taken {
  const taken: Taken = {};
  queue.take().then((turn) => taken.turn = turn, (error) => taken.error = error);
  return taken;
}

function disposeOf({ turn }: Taken): void {
  turn?.[Symbol.dispose]();
}

/** A wait that ends when it is told to. */
function silence(turn: Turn | undefined): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const waited = turn?.outside(() => promise);
  return async () => {
    resolve();
    await waited;
  };
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  await clock.advance(ms);
  await settle();
}

Deno.test("TurnQueue gives turns on in the order of arrival", pure, async () => {
  const { queue, held } = await fullQueue();
  const [first, second] = [takeSoon(queue), takeSoon(queue)];
  await settle();
  assertEquals([first.turn, second.turn, queue.waiting], [undefined, undefined, 2]);
  held[0]?.[Symbol.dispose]();
  held[0]?.[Symbol.dispose]();
  await settle();
  assert(first.turn !== undefined);
  assertEquals([second.turn, queue.running, queue.waiting], [undefined, 2, 1]);
  first.turn[Symbol.dispose]();
  held[1]?.[Symbol.dispose]();
  await settle();
  disposeOf(second);
  assertEquals([queue.running, queue.waiting], [0, 0]);
});

Deno.test("TurnQueue refuses who waits too long, and one too many at once", pure, async () => {
  const { clock, queue } = await fullQueue();
  const waiting = [takeSoon(queue), takeSoon(queue), takeSoon(queue)];
  await assertRejects(() => queue.take(), BusyError, "busy");
  await pass(clock, limits.waitMs);
  for (const each of waiting) assert(each.error instanceof BusyError);
  assertEquals([queue.running, queue.waiting], [2, 0]);
  assertEquals(clock.pending, 0, "nobody looks any more");
});

Deno.test("TurnQueue lends the turn of somebody who waits outside for a second", pure, async () => {
  const { clock, queue, held } = await fullQueue();
  const next = takeSoon(queue);
  const go = silence(held[0]);
  await pass(clock, 500);
  assertEquals(next.turn, undefined);
  await pass(clock, 1_000);
  assert(next.turn !== undefined, "it runs beside the silent one");
  // One turn was lent, not two.
  const another = takeSoon(queue);
  await pass(clock, 3_000);
  assertEquals(another.turn, undefined);
  next.turn[Symbol.dispose]();
  await settle();
  assert(another.turn !== undefined);
  await go();
});

Deno.test("TurnQueue lends at once what has long been idle", pure, async () => {
  const { clock, queue, held } = await fullQueue();
  const go = silence(held[0]);
  await pass(clock, 5_000);
  const next = takeSoon(queue);
  await settle();
  assert(next.turn !== undefined);
  await go();
});

Deno.test("TurnQueue lends no turn of somebody who works", pure, async () => {
  const { clock, queue, held } = await fullQueue();
  const next = takeSoon(queue);
  for (let round = 0; round < 20; round++) {
    const go = held.map((turn) => silence(turn));
    await pass(clock, 200);
    for (const each of go) await each();
    await pass(clock, 100);
  }
  assertEquals(next.turn, undefined);
});

Deno.test("TurnQueue counts a byte now and then as idle", pure, async () => {
  const { clock, queue, held } = await fullQueue();
  const next = takeSoon(queue);
  for (let round = 0; round < 5; round++) {
    const go = silence(held[0]);
    await pass(clock, 400);
    await go();
  }
  assert(next.turn !== undefined);
});

Deno.test("TurnQueue lends only so many, however many are idle", pure, async () => {
  const { clock, queue, held } = await fullQueue();
  const idle = held.map((turn) => silence(turn));
  const lent: Taken[] = [];
  for (let count = 0; count < 3; count++) {
    const next = takeSoon(queue);
    await pass(clock, 2_000);
    if (next.turn !== undefined) idle.push(silence(next.turn));
    lent.push(next);
  }
  assertEquals(lent.map(({ turn }) => turn !== undefined), [true, true, false]);
  assertEquals(queue.running, limits.turnsMax + limits.lentMax);
  for (const go of idle) await go();
});
