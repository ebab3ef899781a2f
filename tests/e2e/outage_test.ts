/**
 * Rings that nobody heals (`--wait-time 0`) but `NODE HEAL`: what works while nodes are dead, what
 * fails visibly, and what a heal brings back.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { askText, type LiveRing, liveRing, sha256 } from "../support/live_ring.ts";
import { waitUntil } from "../support/program.ts";
import { randomBytes } from "../support/real_file.ts";
import { chunksOf, storedChunks } from "../support/ring_disk.ts";
import { argumentsOf, isListening } from "../support/system_processes.ts";
import { Download, download, netmapOf, pull, push } from "../support/wire_client.ts";

const limitBytes = 90_000_000;

Deno.test("a ring that nobody heals serves what it can, and NODE HEAL heals all of it", async (t) => {
  await using ring = await liveRing(5, {
    waitTimeMs: 0,
    args: [`--file-size=${limitBytes}`, "--log-level=warn"],
  });
  const [port0, port1, port2] = [ring.port(0), ring.port(1), ring.port(2)];
  const [port3, port4] = [ring.port(3), ring.port(4)];
  // Its parts are so long that no buffer on the way holds one, and lie on 1, 2, 3, 4 and 0.
  const file = { name: "some file.bin", bytes: randomBytes(40_000_003), start: port1 };
  const whole = { bytes: file.bytes.length, sha256: sha256(file.bytes) };
  await push(file.start, file.name, file.bytes);
  const options = await optionsOf(ring);

  /** Each begins with all nodes alive, whatever became of the one before. */
  const step = async (name: string, fn: () => Promise<void>) => {
    await t.step({
      name,
      // What the supervisor prints meanwhile is read by the test around it.
      sanitizeOps: false,
      sanitizeResources: false,
      fn: async () => {
        try {
          await fn();
        } finally {
          await healAll(ring);
        }
      },
    });
  };

  await step("a pull finds a holder dead, reads the backups, and tells the ring", async () => {
    await Promise.all([ring.kill(port4), ring.kill(ring.gatewayPort)]);
    assertEquals(await download(port0, file.name), whole);
    await waitForNetmap(ring, [port4]);
    // The gateway is no node: somebody starts it again.
    await waitUntil("the gateway is back", 10_000, () => isListening(ring.gatewayPort));
    for (const port of [port1, port3, ring.gatewayPort]) {
      assertEquals(await download(port, file.name), whole);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assertEquals(await isListening(port4), false, "nobody starts a node again");
  });

  for (const door of [port2, ring.gatewayPort]) {
    const through = door === ring.gatewayPort ? "through the gateway" : `at ${door}`;
    await step(`a pull ${through} goes on when a holder is killed meanwhile`, async () => {
      using pulled = await Download.open(door, file.name);
      await pulled.readUpTo(1_000_000);
      await ring.kill(port4);
      assertEquals(await pulled.rest(), whole);
      await waitForNetmap(ring, [port4]);
    });
  }

  await step("a pull goes on in the middle of a part when its holder is killed", async () => {
    // Part 4 begins at 48 MB and is too long for what sockets usually hold.
    const long = randomBytes(80_000_000);
    await push(port1, "long.bin", long);
    using pulled = await Download.open(port2, "long.bin");
    await pulled.readUpTo(49_000_000);
    await ring.kill(port4);
    assertEquals(await pulled.rest(), { bytes: long.length, sha256: sha256(long) });
    assertEquals(await askText(port1, "FILE DELETE long.bin\n"), "OK\n");
  });

  await step("a pull whose own node is killed ends early, which a client sees", async () => {
    using pulled = await Download.open(port3, file.name);
    await pulled.readUpTo(1_000_000);
    await ring.kill(port3);
    const got = await pulled.rest();
    assert(got.bytes < whole.bytes, `${got.bytes} bytes came from a dead node`);
  });

  await step("two dead nodes that are not neighbours cost nothing", async () => {
    await Promise.all([ring.kill(port1), ring.kill(port3)]);
    assertEquals(await download(port0, file.name), whole);
  });

  await step("two dead neighbours make a pull an error, never a part of a file", async () => {
    await Promise.all([ring.kill(port1), ring.kill(port2)]);
    const [pulled] = await Promise.all([
      pull(port0, file.name),
      assertRejects(() => Download.open(port4, file.name), Error, "answered 'ERR "),
    ]);
    assertMatch(new TextDecoder().decode(pulled.subarray(0, 500)), /^ERR [^\n]+\n$/);
    const answer = await push(port0, "more.txt", randomBytes(1_000));
    assertEquals(answer, "FILE 1000 bytes split into 3 chunks and distributed\nOK\n");
    await healAll(ring);
    assertEquals(await download(port1, file.name), whole);
  });

  await step("NODE HEAL brings back every node but the one that it is said to", async () => {
    const dead = [port0, port1, port2, port3];
    const old = await Promise.all(dead.map((port) => ring.kill(port)));
    assertEquals(await askText(port4, "NODE HEAL\n"), "OK network healed\n");
    for (const [index, port] of dead.entries()) {
      assertNotEquals(await ring.pid(port), old[index]);
      assertEquals(await download(port, file.name), whole);
    }
  });

  await step("a node that was started again has the options of the dead one", async () => {
    assertEquals(await optionsOf(ring), options);
    const bytes = limitBytes + 1;
    await assertRejects(
      () => push(port1, "too large", randomBytes(bytes)),
      Error,
      `ERR File size is too large (${bytes} > ${limitBytes})`,
    );
  });

  await step("a node whose directory was lost while it was dead has its chunks back", async () => {
    const before = await storedChunks(ring.dataDir, ring.ports);
    for (const [path, sum] of chunksOf(ring.ports, [file])) assertEquals(before.get(path), sum);
    await ring.kill(port2);
    await Deno.remove(`${ring.dataDir}/${port2}`, { recursive: true });
    await healAll(ring);
    await waitUntil("the chunks of the lost node are back", 30_000, async () => {
      return (await storedChunks(ring.dataDir, ring.ports)).size === before.size;
    });
    assertEquals(await storedChunks(ring.dataDir, ring.ports), before);
  });
});

/** Heals through a node that lives; when the answer has come, every node has all as Alive. */
async function healAll(ring: LiveRing): Promise<void> {
  const alive = await Promise.all(ring.ports.map(isListening));
  const door = ring.ports.find((_, index) => alive[index]);
  if (door === undefined) throw new Error("No node of the ring lives");
  assertEquals(await askText(door, "NODE HEAL\n"), "OK network healed\n");
  for (const port of ring.ports) {
    assertEquals(await askText(port, "NETMAP GET\n"), netmapOf(ring.ports), `asked ${port}`);
  }
}

/** Waits until every node that lives knows who is dead, and that the others are not. */
async function waitForNetmap(ring: LiveRing, dead: readonly number[]): Promise<void> {
  const expected = netmapOf(ring.ports, dead);
  for (const port of ring.ports.filter((port) => !dead.includes(port))) {
    await waitUntil(`${port} knows who is dead`, 10_000, async () => {
      return await askText(port, "NETMAP GET\n") === expected;
    });
  }
}

/** The flags of every node's process that say how it stores; not those on how it was started. */
async function optionsOf(ring: LiveRing): Promise<Map<number, string[]>> {
  const options = new Map<number, string[]>();
  for (const port of ring.ports) {
    const flags = (await argumentsOf(await ring.pid(port))).filter((argument) =>
      /^--(addr|data-dir|wait-time|file-size|durability|copies|log-level)=/.test(argument)
    );
    options.set(port, flags.sort());
  }
  return options;
}
