import { assert, assertEquals, assertRejects } from "@std/assert";
import { Floor } from "../../scripts/bench/floor.ts";
import { LoadError, LoadPool, type PoolJob } from "../../scripts/bench/load_pool.ts";
import { findProcesses, readUsage } from "../../scripts/bench/process_usage.ts";

const job: PoolJob = {
  operation: "push",
  addresses: [],
  size: 600_001,
  namePrefixes: ["a"],
  nameCount: 2,
  callsMax: 2,
  lengthMs: 5_000,
  hashed: true,
};

async function withFloor(test: (floor: Floor, load: LoadPool) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  const { signal } = new AbortController();
  try {
    await using floor = await Floor.start({ directory, durability: "fsync", signal });
    await using load = new LoadPool(signal);
    await test(floor, load);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("LoadPool gets from the floor the bytes that it pushed", async () => {
  await withFloor(async (floor, load) => {
    const addresses = floor.pullAddresses;
    for (const size of [0, 1, 1024, 600_001]) {
      const pushed = await load.run({ ...job, addresses, size });
      const pulled = await load.run({ ...job, addresses, size, operation: "pull" });
      const got = await load.run({ ...job, addresses, size, operation: "get" });
      assertEquals(pushed.sha256.length, 2);
      assertEquals(pulled.sha256, pushed.sha256);
      assertEquals(got.sha256, pushed.sha256);
      assert(pulled.callsMs.length === 2 && pulled.elapsedMs > 0);
    }
  });
});

Deno.test("LoadPool shares the clients among processes and a push between servers", async () => {
  await withFloor(async (floor, load) => {
    const addresses = floor.pushAddresses;
    const namePrefixes = ["a", "b", "c", "d", "e", "f"];
    const { callsMs } = await load.run({ ...job, addresses, namePrefixes, hashed: false });
    assertEquals(callsMs.length, 12);
    // Each server has its half of each file.
    await assertRejects(
      () => load.run({ ...job, addresses: floor.pullAddresses, operation: "pull" }),
      LoadError,
      "300001 bytes of 'a-0' came, 600001 expected",
    );
    await floor.remove("");
  });
});

Deno.test("LoadPool says where it cannot connect, and goes on with the next job", async () => {
  await withFloor(async (floor, load) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const address = `127.0.0.1:${listener.addr.port}`;
    listener.close();
    const dead = () => load.run({ ...job, addresses: [address] });
    await assertRejects(dead, LoadError, `cannot connect to ${address}`);
    await load.run({ ...job, addresses: floor.pullAddresses });
  });
});

Deno.test("Floor.measureSync() leaves nothing behind", async () => {
  await withFloor(async (floor) => {
    assert(await floor.measureSync(10) > 0);
  });
});

Deno.test({
  name: "readUsage() reads what a process has used",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const usage = await readUsage(Deno.pid);
    assert(usage !== undefined && usage.peakBytes > 1024 ** 2 && usage.userSeconds > 0);
    assertEquals(await readUsage(2 ** 30), undefined);
    assertEquals(await findProcesses("no process has this in its command line".repeat(2)), []);
  },
});
