/**
 * Rings in which our nodes and nodes of the original program live together. The original is a stand-in
 * that knows no more of the world than PROTOCOL.md says of it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { LineClient } from "../support/line_client.ts";
import { ask, askText, sha256 } from "../support/live_ring.ts";
import {
  agreeMs,
  assertLists,
  assertPulls,
  assertShares,
  assertStores,
  pushEverywhere,
} from "../support/mixed_files.ts";
import { mixedRing } from "../support/mixed_ring.ts";
import { waitUntil } from "../support/program.ts";
import { randomBytes } from "../support/real_file.ts";
import type { PlacedFile } from "../support/ring_disk.ts";
import { isListening } from "../support/system_processes.ts";
import { netmapOf, push } from "../support/wire_client.ts";

Deno.test("two of ours and an original share files, whichever has wired the ring", async (t) => {
  for (const [who, wiredFrom] of [["ours", 0], ["the original", 1]] as const) {
    await t.step(who, async () => {
      await using ring = await mixedRing("oso", { wiredFrom });
      await assertShares(ring);
    });
  }
});

Deno.test("a file that one program replaces is the new one to the other", async () => {
  await using ring = await mixedRing("oso");
  let file: PlacedFile | undefined;
  for (const [turn, start] of [...ring.ports, ...ring.ports].entries()) {
    file = { name: "again", bytes: randomBytes(100_000 - 7 * turn), start };
    await push(start, file.name, file.bytes);
    for (const port of ring.ports) {
      await assertLists(port, [file]);
      await waitUntil(`${port} gives the bytes of ${start}`, agreeMs, async () => {
        return sha256(await ask(port, "FILE PULL again\n")) ===
          sha256(file?.bytes ?? randomBytes(1));
      });
    }
  }
});

Deno.test("our nodes and an original look after each other", async (t) => {
  await using ring = await mixedRing("oso", { waitTimeMs: 100 });
  const original = ring.original(0);
  const [first = 0, dead = 0, last = 0] = ring.ports;
  const step = async (name: string, fn: () => Promise<void>) => {
    // What the nodes print meanwhile is read by the test around it.
    await t.step({ name, fn, sanitizeOps: false, sanitizeResources: false });
  };

  await step("they gossip with it in words that it knows", async () => {
    const heardNow = (word: string) =>
      original.lines.filter((line) => line.startsWith(word)).length;
    const start = { pings: heardNow("NODE PING"), views: heardNow("RING ") };
    await waitUntil("it has been pinged", 5_000, () => heardNow("NODE PING") >= start.pings + 10);
    assertEquals(
      heardNow("RING "),
      start.views,
      "once it is known, nobody asks it what it cannot know",
    );
    for (const port of ring.ports) {
      assertEquals(await askText(port, "NETMAP GET\n"), netmapOf(ring.ports));
    }
    for (const { program } of ring.ours.nodes) assert(!program.stderr.includes("respawning"));
  });

  await step("when it dies it is not respawned, is missed nowhere, and comes back", async () => {
    const files = await pushEverywhere(ring);
    await assertStores(ring, files);
    await original.stop();
    for (const port of [first, last]) {
      await waitUntil("it is found dead", 10_000, async () => {
        return await askText(port, "NETMAP GET\n") === netmapOf(ring.ports, [dead]);
      });
      await assertPulls(port, files);
    }
    using heal = await LineClient.open(first, "NODE HEAL\n");
    assertEquals(await heal.line(), "OK network healed\n", "an original that is dead is passed by");
    assert(!await isListening(dead));
    for (const { program } of ring.ours.nodes) assert(!program.stderr.includes("respawning"));
    await original.restart();
    for (const port of ring.ports) {
      await waitUntil("it is back", 10_000, async () => {
        return await askText(port, "NETMAP GET\n") === netmapOf(ring.ports);
      });
    }
    const now = await askText(first, "FILE LIST\n");
    await waitUntil("it knows all files", agreeMs, async () => {
      return await askText(dead, "FILE LIST\n") === now;
    });
    await assertPulls(dead, files);
    assertEquals(original.takenForDead, []);
  });
});

Deno.test("one of ours that dies is respawned, and the original finds its files again", async () => {
  await using ring = await mixedRing("oos", { waitTimeMs: 100 });
  const [first = 0, dead = 0, original = 0] = ring.ports;
  const files = await pushEverywhere(ring);
  ring.our(1).program.signal("SIGKILL");
  await ring.our(1).program.exited;
  await waitUntil("it is back", 15_000, async () => {
    for (const port of [first, original]) {
      if (await askText(port, "NETMAP GET\n") !== netmapOf(ring.ports)) return false;
    }
    return (await askText(dead, "NODE INFO\n").catch(() => "")).includes("state: ready");
  });
  const told = ring.original(0).lines.filter((line) => line.startsWith("NETMAP SET"));
  assert(told.some((line) => line.includes(`${dead}=Dead`)), "the original hears of the death");
  for (const port of ring.ports) {
    await assertLists(port, files);
    await assertPulls(port, files);
  }
});

Deno.test("an original never reads short what was pushed while it was dead", async () => {
  await using ring = await mixedRing("ooso");
  const original = ring.original(0);
  const [first = 0, second = 0, dead = 0, last = 0] = ring.ports;
  const before = { name: "before", bytes: randomBytes(100_003), start: second };
  await push(second, before.name, before.bytes);
  await push(first, "replaced", randomBytes(9));
  await original.stop();
  // The first push is small: it finds the death, and starts again.
  const replaced = { name: "replaced", bytes: randomBytes(10), start: first };
  await push(first, replaced.name, replaced.bytes);
  const meanwhile: PlacedFile[] = [];
  for (const start of [first, second, last]) {
    const file = { name: `meanwhile ${start}`, bytes: randomBytes(300_001), start };
    await push(start, file.name, file.bytes);
    meanwhile.push(file);
  }
  await original.restart();
  await askText(first, "NODE HEAL\n");
  await assertLists(dead, [before]);
  await assertPulls(dead, [before]);
  for (const { name } of [...meanwhile, replaced]) {
    assertEquals(await askText(dead, `FILE PULL ${name}\n`), "ERR file not found\n", name);
  }
  for (const port of [first, second, last]) {
    await assertPulls(port, [before, ...meanwhile, replaced]);
  }
  await push(last, replaced.name, replaced.bytes);
  await assertLists(dead, [before, { ...replaced, start: last }]);
  await assertPulls(dead, [before, replaced]);
  assertEquals(original.takenForDead, []);
});

Deno.test("an original reads what was pushed while one of ours was dead", async () => {
  await using ring = await mixedRing("ooso");
  const [dead = 0, second = 0, original = 0, last = 0] = ring.ports;
  ring.our(0).program.signal("SIGKILL");
  await ring.our(0).program.exited;
  const files: PlacedFile[] = [];
  for (const size of [1, 50, 300_001]) {
    const file = { name: `of ${size}`, bytes: randomBytes(size), start: last };
    await push(last, file.name, file.bytes);
    files.push(file);
  }
  await assertLists(original, files);
  await assertPulls(original, files);
  assertEquals(new Set(ring.original(0).takenForDead), new Set([dead]));
  const asked = ring.original(0).takenForDead.length;
  await askText(second, "NODE HEAL\n");
  await waitUntil("it is back", 10_000, async () => {
    return (await askText(dead, "NODE INFO\n").catch(() => "")).includes("state: ready");
  });
  await assertPulls(original, files);
  assertEquals(ring.original(0).takenForDead.length, asked, "a node that is there gives any part");
});
