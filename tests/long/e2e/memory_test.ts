/**
 * Files far larger than what a process may use of memory.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type LiveRing, liveRing } from "../../support/live_ring.ts";
import { Program } from "../../support/program.ts";
import { makeRandomFile, sha256OfFile, temporaryDirectory } from "../../support/real_file.ts";
import { peakMemoryMiB } from "../../support/system_processes.ts";
import { download } from "../../support/wire_client.ts";

const bytes = 1024 * 1024 * 1024;

/** The runtime that a compiled program has inside may use so much more. */
const runtimeMiB = Deno.env.get("OUROBOROS_BIN") ? 24 : 0;
const oneMiBMax = 150 + runtimeMiB;
const eightMiBMax = 250 + runtimeMiB;

/** How often the memory of a client is looked at while it runs, in ms. */
const lookMs = 50;

Deno.test("a file of 1 GiB passes through little memory", async (t) => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/big.bin`;
  const sha256 = await makeRandomFile(path, bytes);
  await using ring = await liveRing(5, { waitTimeMs: 5_000, args: ["--file-size=0"] });
  const port = `--port=${ring.gatewayPort}`;

  await t.step("pushed and pulled once through the gateway", async () => {
    const push = await peakOf(["push", path, port]);
    await Deno.remove(path);
    assertEquals(await download(ring.gatewayPort, "big.bin"), { bytes, sha256 });
    const pull = await peakOf(["pull", "big.bin", "-o", path, port]);
    assertEquals(await sha256OfFile(path), sha256);
    assertAtMost(new Map([...await peaksOf(ring), ["push", push], ["pull", pull]]), oneMiBMax);
  });

  await t.step("pulled eight times at once through the gateway", async () => {
    const pulls = Array.from({ length: 8 }, () => download(ring.gatewayPort, "big.bin"));
    for (const pulled of await Promise.all(pulls)) assertEquals(pulled, { bytes, sha256 });
    assertAtMost(await peaksOf(ring), eightMiBMax);
  });
});

function assertAtMost(peaksMiB: ReadonlyMap<string, number>, maxMiB: number): void {
  const shown = [...peaksMiB].map(([who, peak]) => `${who} ${Math.round(peak)}`).join(", ");
  console.log(`Peak memory in MiB: ${shown}; ${maxMiB} is the bound.`);
  for (const peak of peaksMiB.values()) assert(peak <= maxMiB, shown);
}

/** The most memory that each process of a ring has used so far, in MiB. */
async function peaksOf(ring: LiveRing): Promise<Map<string, number>> {
  const peaks = new Map([["supervisor", await peakMemoryMiB(ring.supervisor.pid)]]);
  for (const port of [...ring.ports, ring.gatewayPort]) {
    const who = port === ring.gatewayPort ? "gateway" : `node ${port}`;
    peaks.set(who, await peakMemoryMiB(await ring.pid(port)));
  }
  return peaks;
}

/** Runs the program to its end, which is to be a good one; the most memory that it used, in MiB. */
async function peakOf(args: readonly string[]): Promise<number> {
  await using program = new Program(args, { stdin: "" });
  let peak = 0;
  while (!program.ended) {
    peak = Math.max(peak, await peakMemoryMiB(program.pid).catch(() => 0));
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  assertEquals([await program.exited, program.stderr], [0, ""]);
  return peak;
}
