/**
 * Rings in which our nodes and nodes of the original program live together. The original is a stand-in
 * that knows no more of the world than PROTOCOL.md says of it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { LineClient } from "../support/line_client.ts";
import { ask, askText, sha256 } from "../support/live_ring.ts";
import { type MixedRing, mixedRing } from "../support/mixed_ring.ts";
import { waitUntil } from "../support/program.ts";
import { randomBytes } from "../support/real_file.ts";
import { type PlacedFile, stagedFiles } from "../support/ring_disk.ts";
import { listOf, netmapOf, pull, push } from "../support/wire_client.ts";
import { isListening } from "../support/system_processes.ts";

/** Empty, smaller than any ring, as small as one, and some that take several reads. */
const sizes = [0, 1, 2, 3, 4, 5, 1_000, 262_145, 1_500_001];

/** How long a mixed ring may take to agree, in ms: its backups and lists are best effort. */
const agreeMs = 8_000;

/** Pushes a file of each size through each node. */
async function pushEverywhere(ring: MixedRing): Promise<PlacedFile[]> {
  const files: PlacedFile[] = [];
  for (const start of ring.ports) {
    for (const size of sizes) {
      const file = { name: `${size} from ${start}`, bytes: randomBytes(size), start };
      await push(start, file.name, file.bytes);
      files.push(file);
    }
  }
  return files;
}

/** Waits until a node lists these files, and only these. */
async function assertLists(port: number, files: readonly PlacedFile[]): Promise<void> {
  const expected = listOf(files.map((file) => ({ ...file, size: file.bytes.length })));
  let listed = "";
  try {
    await waitUntil("the lists agree", agreeMs, async () => {
      listed = await askText(port, "FILE LIST\n");
      return listed === expected;
    });
  } catch {
    assertEquals(listed, expected, `the list of ${port}`);
  }
}

/** Pulls files through a node, and compares them. */
async function assertPulls(port: number, files: readonly PlacedFile[]): Promise<void> {
  for (const { name, bytes } of files) {
    const pulled = await pull(port, name);
    assertEquals(pulled.length, bytes.length, `the length of '${name}' pulled from ${port}`);
    assertEquals(sha256(pulled), sha256(bytes), `'${name}' pulled from ${port}`);
  }
}

/** Waits until every chunk lies where both programs look for it; says which do not. */
async function assertStores(ring: MixedRing, files: readonly PlacedFile[]): Promise<void> {
  const expected = ring.chunksOf(files);
  let wrong: string[] = [];
  try {
    await waitUntil("every chunk is in its places", agreeMs, async () => {
      const stored = await ring.storedChunks();
      wrong = [...new Set([...expected.keys(), ...stored.keys()])].flatMap((path) => {
        if (stored.get(path) === expected.get(path)) return [];
        if (!stored.has(path) && ring.mayLack(path, files)) return [];
        return `${
          expected.has(path) ? stored.has(path) ? "other bytes" : "missing" : "why"
        }: ${path}`;
      });
      return wrong.length === 0;
    });
  } catch {
    assertEquals(wrong.toSorted(), [], `the chunks of ${ring.ports}`);
  }
}

/** Files go in through any node and come out of any other, and lie where both programs look for them. */
async function assertShares(layout: string, wiredFrom = 0): Promise<void> {
  await using ring = await mixedRing(layout, { wiredFrom });
  const files = await pushEverywhere(ring);
  for (const port of ring.ports) {
    await assertLists(port, files);
    await assertPulls(port, files);
  }
  await assertStores(ring, files);
  for (const { port } of ring.ours.nodes) {
    assertEquals(await stagedFiles(ring.ours.dataDir, port), []);
  }
  for (const original of ring.originals) assertEquals(original.takenForDead, []);
  assertEquals(await askText(ring.ports[0] ?? 0, "NETMAP GET\n"), netmapOf(ring.ports));
}

Deno.test("a ring of two of ours and an original shares files", async () => {
  await assertShares("oso");
});

Deno.test("a ring that the original has wired shares files", async () => {
  await assertShares("oso", 1);
});

Deno.test("a ring of two of ours and two originals shares files", async () => {
  await assertShares("osos");
});

Deno.test("a ring of two of ours, then two originals, shares files", async () => {
  await assertShares("ooss", 2);
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

Deno.test("our nodes gossip with an original in words that it knows", async () => {
  await using ring = await mixedRing("oso", { waitTimeMs: 100 });
  const original = ring.original(0);
  const heardNow = (word: string) => original.lines.filter((line) => line.startsWith(word)).length;
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

Deno.test("an original that dies is not respawned, is missed nowhere, and comes back", async () => {
  await using ring = await mixedRing("oso", { waitTimeMs: 100 });
  const original = ring.original(0);
  const [first = 0, dead = 0, last = 0] = ring.ports;
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
