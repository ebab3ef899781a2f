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
