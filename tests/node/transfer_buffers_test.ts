import { assertEquals, assertRejects } from "@std/assert";
import { BusyError } from "../../src/net/busy_error.ts";
import type { BufferLease } from "../../src/net/buffer_pool.ts";
import {
  type BufferPair,
  type PushBuffers,
  TransferBuffers,
} from "../../src/node/transfer_buffers.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";

const pure = { permissions: "none" } as const;

/** Lengths of small, usual and long buffers. */
const smallBytes = 16 * 1024;
const blockBytes = 256 * 1024;
const bulkBytes = 1024 * 1024;

/** Leases pairs as long as there are any, and says how long their buffers are. */
async function leaseAll(buffers: TransferBuffers, clock: FakeClock): Promise<number[]> {
  const lengths: number[] = [];
  for (;;) {
    const leasing: Promise<BufferLease<2> | undefined> = buffers.forClient(2)
      .catch(() => undefined);
    await settle();
    await clock.advance(30_000);
    const lease = await leasing;
    if (lease === undefined) return lengths;
    lengths.push(lease.buffers[0].length);
  }
}

Deno.test(
  "TransferBuffers has small buffers for clients when the long ones are out",
  pure,
  async () => {
    const clock = new FakeClock();
    const buffers = new TransferBuffers(clock);
    const lengths = await leaseAll(buffers, clock);
    const small = lengths.filter((length) => length < blockBytes);
    assertEquals(new Set(small), new Set([smallBytes]));
    assertEquals([lengths.length - small.length, small.length], [24, 128]);
    const refused = assertRejects(() => buffers.forClient(2), BusyError);
    await settle();
    await clock.advance(30_000);
    await refused;
  },
);

Deno.test(
  "TransferBuffers has buffers for relays and reads whatever clients hold",
  pure,
  async () => {
    const clock = new FakeClock();
    const buffers = new TransferBuffers(clock);
    await leaseAll(buffers, clock);
    using relay = await buffers.relayPair(1);
    using read = await buffers.reads.acquire(2);
    assertEquals([relay.buffers.length, read.buffers.length], [2, 2]);
  },
);

Deno.test(
  "TransferBuffers gives what is large longer buffers, as long as there are some to spare",
  pure,
  async () => {
    const clock = new FakeClock();
    const buffers = new TransferBuffers(clock);
    using medium = await buffers.clientPair(2 * blockBytes);
    using client = await buffers.clientPair(2 * blockBytes + 1);
    using relay = await buffers.relayPair(bulkBytes);
    const read = await buffers.readPair(bulkBytes);
    const later = [
      await buffers.clientPair(bulkBytes),
      await buffers.relayPair(bulkBytes),
      await buffers.readPair(bulkBytes),
    ];
    const lengthsOf = (pairs: readonly BufferPair[]) =>
      pairs.map((pair) => pair.buffers.map(({ length }) => length));
    const twice = (length: number) => [length, length];
    assertEquals(
      lengthsOf([medium, client, relay, read, ...later]),
      [blockBytes, bulkBytes, bulkBytes, bulkBytes, blockBytes, blockBytes, blockBytes].map(twice),
    );
    read[Symbol.dispose]();
    using again = await buffers.clientPair(bulkBytes);
    assertEquals(lengthsOf([again]), [twice(bulkBytes)]);
    for (const pair of later) pair[Symbol.dispose]();
  },
);

Deno.test(
  "TransferBuffers has small buffers for many pushes of small files, and long ones when these are out",
  pure,
  async () => {
    const buffers = new TransferBuffers(new FakeClock());
    using larger = await buffers.forSmallPush(smallBytes + 1);
    assertEquals(lengthsOf(larger), [blockBytes, blockBytes, blockBytes]);
    const pushes: PushBuffers[] = [];
    for (let push = 0; push < 85; push++) pushes.push(await buffers.forSmallPush(smallBytes));
    assertEquals(new Set(pushes.flatMap(lengthsOf)), new Set([smallBytes]));
    using late = await buffers.forSmallPush(smallBytes);
    assertEquals(lengthsOf(late), [blockBytes, blockBytes, blockBytes]);
    for (const push of pushes) push[Symbol.dispose]();
  },
);

Deno.test(
  "TransferBuffers has a buffer for all of a file of a MiB, as long as there are some to spare",
  pure,
  async () => {
    const buffers = new TransferBuffers(new FakeClock());
    const pushes: PushBuffers[] = [];
    for (let push = 0; push < 6; push++) pushes.push(await buffers.forSmallPush(bulkBytes));
    assertEquals(pushes.map(lengthsOf), Array(6).fill([blockBytes, blockBytes, bulkBytes]));
    using late = await buffers.forSmallPush(blockBytes + 1);
    assertEquals(lengthsOf(late), [blockBytes, blockBytes, undefined]);
    pushes.pop()?.[Symbol.dispose]();
    using next = await buffers.forSmallPush(blockBytes + 1);
    assertEquals(lengthsOf(next), [blockBytes, blockBytes, bulkBytes]);
    for (const push of pushes) push[Symbol.dispose]();
  },
);

function lengthsOf({ buffers: [first, second], whole }: PushBuffers): (number | undefined)[] {
  return [first.length, second.length, whole?.length];
}

Deno.test("TransferBuffers lends no more than 32 MiB, whatever is asked for", pure, async () => {
  const clock = new FakeClock();
  const buffers = new TransferBuffers(clock);
  const lengths = await leaseAll(buffers, clock);
  // Clients have theirs; what is large finds what is left.
  for (let read = 0; read < 100 && buffers.reads.usedBuffers < buffers.reads.buffersMax; read++) {
    lengths.push((await buffers.readPair(bulkBytes)).buffers[0].length);
  }
  for (let relay = 0; relay < 100; relay++) {
    const { length } = (await buffers.relayPair(bulkBytes)).buffers[0];
    if (length < blockBytes) break;
    lengths.push(length);
  }
  assertEquals(lengths.reduce((sum, length) => sum + 2 * length, 0), 32 * 1024 ** 2);
});
