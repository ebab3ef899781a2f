/**
 * A ring that was stopped, or killed as a whole, and is started again in its directory.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { freePorts, type LiveRing, liveRing, sha256 } from "../support/live_ring.ts";
import { runProgram, waitUntil } from "../support/program.ts";
import { randomBytes, temporaryDirectory } from "../support/real_file.ts";
import { chunksOf, type PlacedFile, storedChunks } from "../support/ring_disk.ts";
import { download, list, listOf, push } from "../support/wire_client.ts";

const nodes = 3;

Deno.test("a ring that is started again in its directory has all its files", async (t) => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/nodes`;
  const basePort = freePorts(nodes + 1);
  const files: PlacedFile[] = [];
  // Real syncs: what a restart reads must have been written.
  const start = () => liveRing(nodes, { dataDir, basePort, durability: "fsync" });

  await t.step("when Ctrl-C has stopped it", async () => {
    {
      await using ring = await start();
      const sizes = [["empty", 0], ["two bytes", 2], ["many.bin", 3_000_001]] as const;
      for (const [index, [name, size]] of sizes.entries()) {
        const file = { name, bytes: randomBytes(size), start: ring.port(index) };
        await push(file.start, name, file.bytes);
        files.push(file);
      }
      ring.supervisor.signal("SIGINT");
      assertEquals(await ring.supervisor.exited, 0);
    }
    await using ring = await start();
    await assertHasAll(ring, files);
  });

  await t.step("when everything was killed at once", async () => {
    {
      await using ring = await start();
      const file = { name: "late.txt", bytes: randomBytes(70_001), start: ring.port(2) };
      await push(file.start, file.name, file.bytes);
      files.push(file);
      const ports = [...ring.ports, ring.gatewayPort];
      const pids = await Promise.all(ports.map((port) => ring.pid(port)));
      for (const pid of [ring.supervisor.pid, ...pids]) Deno.kill(pid, "SIGKILL");
      await ring.supervisor.exited;
    }
    await using ring = await start();
    await assertHasAll(ring, files);
  });

  await t.step("when the directory of a node was lost meanwhile", async () => {
    for (const lost of [0, 1]) {
      await Deno.remove(`${dataDir}/${basePort + lost}`, { recursive: true });
      await using ring = await start();
      await assertHasAll(ring, files);
    }
  });

  await t.step("but not as a ring of another shape", async () => {
    const ran = await runProgram([
      ...["set-network", `--nodes=${nodes + 1}`, `--base-port=${basePort}`],
      ...[`--data-dir=${dataDir}`, "--no-block"],
    ]);
    assertEquals([ran.code, ran.stdout], [2, ""]);
    assertMatch(ran.stderr, /^error: [^\n]* holds a ring of 3 nodes [^\n]*\n$/);
    const kept = await storedChunks(dataDir, ports(basePort));
    assertEquals(kept, chunksOf(ports(basePort), files));
  });

  await t.step("unless it is told to begin anew", async () => {
    // The directory of a port that is none of this ring's.
    const other = `${dataDir}/${basePort - 1}/content`;
    await Deno.mkdir(other, { recursive: true });
    await Deno.writeTextFile(`${other}/kept.txt`, "kept");
    await using ring = await liveRing(nodes + 1, {
      dataDir,
      basePort,
      args: ["-o"],
      gateway: false,
    });
    for (const port of ring.ports) assertEquals(await list(port), listOf([]));
    assertEquals(await Deno.readTextFile(`${other}/kept.txt`), "kept");
  });
});

function ports(basePort: number): number[] {
  return Array.from({ length: nodes }, (_, index) => basePort + index);
}

/** Every file is listed and pulled through every port, and in the end lies on the disks again. */
async function assertHasAll(ring: LiveRing, files: readonly PlacedFile[]): Promise<void> {
  const listed = listOf(files.map((file) => ({ ...file, size: file.bytes.length })));
  for (const port of [...ring.ports, ring.gatewayPort]) {
    assertEquals(await list(port), listed);
    for (const { name, bytes } of files) {
      assertEquals(await download(port, name), { bytes: bytes.length, sha256: sha256(bytes) });
    }
  }
  const chunks = chunksOf(ring.ports, files);
  await waitUntil("every chunk is there", 30_000, async () => {
    return (await storedChunks(ring.dataDir, ring.ports)).size === chunks.size;
  });
  assertEquals(await storedChunks(ring.dataDir, ring.ports), chunks);
}
