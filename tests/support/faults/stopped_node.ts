/**
 * A node is stopped by SIGSTOP and goes on later, as when a machine sleeps: others answer for it
 * meanwhile, nobody takes its port, and when it goes on it has missed nothing that matters.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { PushStage } from "../../../src/node/test_hooks.ts";
import { type FaultRing, faultRing, type Pace, readSum, steps, versionOf } from "../fault_ring.ts";
import { LineClient } from "../line_client.ts";
import { askText } from "../live_ring.ts";
import { waitUntil } from "../program.ts";
import { randomBytes } from "../real_file.ts";
import { processesWith } from "../system_processes.ts";
import { Download, netmapOf } from "../wire_client.ts";

/** The pause between two looks while a node is stopped. */
const lookMs = 200;

/** How long a pull may take whose holder is stopped. */
const pullMs = 3_000;

/** The same of a push of a small file: the time until the ring has it as Dead, and some. */
const pushMs = 10_000;

/** Where the stopped node's own pushes are, and for how long it is stopped: silent nodes are Dead in 5 s. */
function casesOf({ isLong }: Pace): readonly Case[] {
  return isLong
    ? [{ stage: "staged", stopMs: 30_000 }, { stage: "committed", stopMs: 120_000 }]
    : [{ stage: "committed", stopMs: 5_500 }];
}

interface Case {
  readonly stage: PushStage;
  readonly stopMs: number;
}

/** Declares the test, quick or with all that takes minutes. */
export function stoppedNodeTest({ isLong }: Pace): void {
  Deno.test("a stopped node is done without, and does nothing old when it goes on", async (t) => {
    await using ring = await faultRing(5, { isLong, waitTimeMs: 300 });
    for (const port of ring.ports) await ring.push(port, `kept-${port}`, 2_000_000);
    await t.step({
      name: "in the middle of a pull from it",
      ...steps,
      fn: () => stopWhilePulled(ring),
    });
    for (const { stage, stopMs } of casesOf({ isLong })) {
      await t.step({
        name: `for ${stopMs} ms, with pushes of its own that are ${stage}`,
        ...steps,
        fn: () => stopNode(ring, stage, stopMs),
      });
    }
    await ring.stagingIsClean();
  });
}

/** Declares the test of a stopped node whose process, or whose ring, ends meanwhile; it takes a minute. */
export function endedWhileStoppedTest(): void {
  Deno.test("processes end while a node is stopped, and nothing old comes of it", async (t) => {
    await using ring = await faultRing(5, { isLong: true, waitTimeMs: 300 });
    await t.step({
      name: "its own, with pushes that are staged",
      ...steps,
      fn: () => endWhileStopped(ring),
    });
    await t.step({
      name: "those of all others, which come back",
      ...steps,
      fn: () => restartAroundStopped(ring),
    });
    await ring.stagingIsClean();
  });
}

/** What a stopped node still owes comes from the other copy, without the long wait for a dead one. */
async function stopWhilePulled(ring: FaultRing): Promise<void> {
  const [port0, port2] = [ring.port(0), ring.port(2)];
  await ring.push(port0, "large", 60_000_000);
  using download = await Download.open(port0, "large");
  await download.readUpTo(1_000_000);
  const pid = await ring.stop(port2);
  const begun = performance.now();
  const { bytes, sha256 } = await download.rest();
  const ms = performance.now() - begun;
  ring.resume(pid);
  assertEquals({ bytes, sha256 }, { bytes: download.size, sha256: download.sha256 });
  assert(ms <= pullMs, `the rest took ${ms} ms`);
  assertMatch(await Deno.readTextFile(`${ring.directory(port0)}/node.log`), /slow copy left/);
  await ring.settle();
  await ring.delete(port0, "large");
}

async function stopNode(ring: FaultRing, stage: PushStage, stopMs: number): Promise<void> {
  const [port0, port1, port2] = [ring.port(0), ring.port(1), ring.port(2)];
  const others = ring.ports.filter((port) => port !== port2);
  await ring.push(port0, "changing");
  await ring.setHooks(port2, { pauseAt: stage });
  const older = ring.attempt(port2, "changing", randomBytes(100_000));
  const alone = ring.attempt(port2, `new-${stage}`, randomBytes(1_200_000));
  await ring.heldAt(port2, stage);
  const begun = performance.now();
  const pid = await ring.stop(port2);
  await ring.setHooks(port2);

  // What these ask is answered when the process goes on.
  using reads = await LineClient.open(port2, "FILE GET changing\n");
  using lists = await LineClient.open(port2, "FILE LIST\n");
  for (const port of ring.ports) {
    const pulled = performance.now();
    await readSum(port0, `kept-${port}`);
    const ms = performance.now() - pulled;
    assert(ms <= pullMs, `'kept-${port}' took ${ms} ms`);
  }
  await waitUntil("the ring has the stopped node as Dead", 15_000, async () => {
    return await askText(port1, "NETMAP GET\n") === netmapOf(ring.ports, [port2]);
  });
  await ring.push(port1, "changing");
  await ring.push(port0, `made meanwhile-${stage}`);
  do {
    assertEquals(await processesOf(ring, port2), [pid]);
    await ring.check(others);
    // Others test on this machine, too.
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  } while (performance.now() - begun < stopMs);
  const version = await versionOf(port0, "changing");

  ring.resume(pid);
  // Neither what was asked before nor what is asked now gets anything old.
  await assertServesNothingBelow(port2, version);
  for (const client of [reads, lists]) assertMatch(await client.line(), /^ERR catching up\n$/);
  assertEquals(await processesOf(ring, port2), [pid]);
  // Nor does what was begun before undo what came later.
  assertEquals(await older.outcome, "refused", older.answer());
  assertMatch(older.answer(), /^ERR overtaken: /);
  assertEquals(await alone.outcome, "acknowledged", alone.answer());
  await ring.settle();
}

/** It is replaced at once, and the new process has missed nothing either. */
async function endWhileStopped(ring: FaultRing): Promise<void> {
  const [port0, port3] = [ring.port(0), ring.port(3)];
  await ring.push(port0, "changing");
  await ring.setHooks(port3, { pauseAt: "staged" });
  const older = ring.attempt(port3, "changing", randomBytes(100_000));
  await ring.heldAt(port3, "staged");
  const pid = await ring.stop(port3);
  await ring.setHooks(port3);
  // It begins with the stopped node in its placement, and again once the ring has that as Dead.
  const begun = performance.now();
  await ring.push(ring.port(1), "changing");
  const ms = performance.now() - begun;
  assert(ms <= pushMs, `the push took ${ms} ms`);
  const version = await versionOf(port0, "changing");
  ring.endStopped(pid);
  assertEquals(await older.outcome, "broken", older.answer());
  await ring.check(ring.ports.filter((port) => port !== port3));
  await ring.ring.waitAllAlive();
  await assertServesNothingBelow(port3, version);
  assertNotEquals(await processesOf(ring, port3), [pid]);
  await ring.settle();
}

/** The others do without it, and it learns when it goes on that they are new processes. */
async function restartAroundStopped(ring: FaultRing): Promise<void> {
  const [port0, port1] = [ring.port(0), ring.port(1)];
  const others = ring.ports.filter((port) => port !== port1);
  await ring.push(port0, "changing");
  const pid = await ring.stop(port1);
  await ring.kill(...others);
  await waitUntil("the others are back", 30_000, async () => {
    const states = await Promise.all(others.map(async (port) => {
      try {
        return (await ring.ring.info(port)).get("state");
      } catch {
        return "away";
      }
    }));
    return states.every((state) => state === "ready");
  });
  await ring.push(port0, "changing");
  await ring.push(ring.port(2), "made without it");
  await ring.check(others);
  assertEquals(await processesOf(ring, port1), [pid]);
  const version = await versionOf(port0, "changing");
  ring.resume(pid);
  await assertServesNothingBelow(port1, version);
  await ring.settle();
  assertEquals(await processesOf(ring, port1), [pid]);
}

/** Asks until the node serves again: never a version that was replaced. */
async function assertServesNothingBelow(port: number, acknowledged: string): Promise<void> {
  await waitUntil("the node serves again", 15_000, async () => {
    try {
      const version = await versionOf(port, "changing");
      assert(version >= acknowledged, `it serves ${version}, and ${acknowledged} is newer`);
      return true;
    } catch (error) {
      if (error instanceof Error && error.message.includes("ERR catching up")) return false;
      throw error;
    }
  });
}

/** The processes that are this node, or want to be. */
async function processesOf(ring: FaultRing, port: number): Promise<number[]> {
  const ringOnes = new Set(await processesWith(ring.ring.dataDir));
  return (await processesWith(`--addr=127.0.0.1:${port}`)).filter((pid) => ringOnes.has(pid));
}
