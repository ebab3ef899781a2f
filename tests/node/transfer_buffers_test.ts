import { assertEquals, assertRejects } from "@std/assert";
import { BusyError } from "../../src/net/busy_error.ts";
import type { BufferLease } from "../../src/net/buffer_pool.ts";
import { TransferBuffers } from "../../src/node/transfer_buffers.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";

const pure = { permissions: "none" } as const;

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
    const small = lengths.filter((length) => length < 256 * 1024);
    assertEquals(new Set(small), new Set([16 * 1024]));
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
    using relay = await buffers.relayPair();
    using read = await buffers.reads.acquire(2);
    assertEquals([relay.buffers.length, read.buffers.length], [2, 2]);
  },
);
