/**
 * A supervisor from its start to its end, as users and services meet it: how it ends, and that
 * nothing is left of its ring then.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { exists } from "@std/fs/exists";
import { freePorts, liveRing, sha256 } from "../support/live_ring.ts";
import { programCommand, runProgram, waitUntil } from "../support/program.ts";
import { randomBytes, temporaryDirectory } from "../support/real_file.ts";
import { assertNothingLeft, assertStops, stopMs } from "../support/stop_ways.ts";
import { argumentsOf, isListening, processesWith } from "../support/system_processes.ts";
import { list, listOf, pull, push } from "../support/wire_client.ts";

/** How long a ring whose processes were all killed may take to be whole, at gossip each second. */
const backMs = 3_500;

for (const how of ["SIGINT", "stop by the gateway's port"] as const) {
  Deno.test(`${how} ends every process of a ring, those started again too`, async () => {
    await assertStops(how);
  });
}

Deno.test("quit ends a ring that is healing", async () => {
  await using ring = await liveRing(5, { waitTimeMs: 200 });
  await Promise.all([ring.kill(ring.port(1)), ring.kill(ring.port(2)), ring.kill(ring.port(4))]);
  await waitUntil("one is being started", 30_000, async () => {
    return (await processesWith(`--addr=127.0.0.1:${ring.port(2)}`)).length > 0;
  });
  const startMs = performance.now();
  assertEquals(await ring.quit(), 0);
  const tookMs = performance.now() - startMs;
  await assertNothingLeft(ring.dataDir, [...ring.ports, ring.gatewayPort]);
  assert(tookMs < stopMs, `it took ${Math.round(tookMs)} ms`);
  // One that was being started would listen by now.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await assertNothingLeft(ring.dataDir, [...ring.ports, ring.gatewayPort]);
});

Deno.test("a ring goes on at the end of its input, and is back when all of it is killed", async () => {
  await using ring = await liveRing(3, { waitTimeMs: 1_000 });
  await ring.supervisor.closeStdin();
  const bytes = randomBytes(100_000);
  await push(ring.gatewayPort, "kept", bytes);
  const everywhere = [...ring.ports, ring.gatewayPort];
  const old = await Promise.all(everywhere.map((port) => ring.pid(port)));
  const startMs = performance.now();
  for (const pid of old) Deno.kill(pid, "SIGKILL");
  await waitUntil("all are gone", 5_000, async () => {
    return (await Promise.all(old.map(argumentsOf))).every(({ length }) => length === 0);
  });
  // Only a supervisor brings back nodes that are all dead.
  await ring.waitAllAlive();
  const tookMs = performance.now() - startMs;
  assert(tookMs < backMs, `it took ${Math.round(tookMs)} ms`);
  await waitUntil("the gateway is back", 5_000, () => isListening(ring.gatewayPort));
  const young = await Promise.all(everywhere.map((port) => ring.pid(port)));
  assertEquals(young.filter((pid) => old.includes(pid)), []);
  assertEquals(sha256(await pull(ring.gatewayPort, "kept")), sha256(bytes));
});

Deno.test("a port in use is one line that names it, and nothing is started", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/nodes`;
  const first = freePorts(4);
  const cases = [
    { taken: first + 1, blocking: [] },
    { taken: first + 3, blocking: ["--no-block"] },
  ];
  for (const { taken, blocking } of cases) {
    using _other = Deno.listen({ hostname: "127.0.0.1", port: taken });
    const ran = await runProgram([
      ...["set-network", "--nodes=3", `--base-port=${first}`, `--dns-port=${first + 3}`],
      ...[`--data-dir=${dataDir}`, ...blocking],
    ]);
    assertEquals([ran.code, ran.stdout], [1, ""]);
    assertEquals(
      ran.stderr,
      `error: Port ${taken} is in use by another program; choose other ports\n`,
    );
    const others = [first, first + 1, first + 2, first + 3].filter((port) => port !== taken);
    await assertNothingLeft(dataDir, others);
    assertEquals(await exists(dataDir), false);
  }
});

Deno.test("--no-block leaves a ring behind that a shell does not wait for, until stop", async () => {
  await using directory = await temporaryDirectory();
  const dataDir = `${directory.path}/nodes`;
  const first = freePorts(3);
  const { command, args } = programCommand([
    ...["set-network", "--nodes=2", `--base-port=${first}`, `--dns-port=${first + 2}`],
    ...[`--data-dir=${dataDir}`, "--durability=relaxed", "--no-block"],
  ]);
  try {
    // The shell reads until nobody has the other end of the pipe open any more.
    const shell = await new Deno.Command("bash", {
      args: ["-c", 'x=$("$@" 2>&1); echo "exit code $?"; echo "$x"', "bash", command, ...args],
      signal: AbortSignal.timeout(60_000),
      stdin: "null",
      stderr: "null",
    }).output();
    const text = new TextDecoder().decode(shell.stdout);
    assert(text.includes(`stop --port ${first + 2}`), text);
    assertMatch(text, /^exit code 0\nThe ring is ready \([0-9.]+ s\): 2 nodes on 127\.0\.0\.1\.\n/);
    const again = await runProgram(["set-network", "-n2", `-p${first}`, "--no-block"]);
    assertEquals(again.code, 1);
    assertMatch(
      again.stderr,
      /^error: Port [0-9]+ is in use by a node of a running ring; [^\n]*\n$/,
    );
    const bytes = randomBytes(10_000);
    await push(first + 2, "a.txt", bytes);
    assertEquals(sha256(await pull(first + 1, "a.txt")), sha256(bytes));
  } finally {
    const stopped = await runProgram(["stop", `--data-dir=${dataDir}`]);
    assertEquals([stopped.code, stopped.stderr], [0, ""]);
    assertEquals(
      stopped.stdout,
      `Stopped the ring of 2 nodes on ${first} and ${first + 1}, and the gateway on ${
        first + 2
      }.\n`,
    );
  }
  await assertNothingLeft(dataDir, [first, first + 1, first + 2]);
  const none = await runProgram(["stop", `--data-dir=${dataDir}`]);
  assertEquals([none.code, none.stderr], [1, `error: No ring of '${dataDir}' is running\n`]);
});

Deno.test("two rings run side by side, and one goes on when the other is stopped", async () => {
  await using one = await liveRing(2);
  await using two = await liveRing(3);
  const files = [one, two].map((ring) => ({ ring, bytes: randomBytes(30_000) }));
  for (const { ring, bytes } of files) await push(ring.gatewayPort, "same name", bytes);
  for (const { ring, bytes } of files) {
    for (const port of [...ring.ports, ring.gatewayPort]) {
      assertEquals(sha256(await pull(port, "same name")), sha256(bytes));
    }
  }
  const stopped = await runProgram(["stop", "--port", String(one.port(1))]);
  assertEquals([stopped.code, stopped.stderr], [0, ""]);
  await assertNothingLeft(one.dataDir, [...one.ports, one.gatewayPort]);
  await two.waitAllAlive();
  const start = two.port(0);
  assertEquals(
    await list(two.gatewayPort),
    listOf([{ name: "same name", start, size: 30_000 }]),
  );
});
