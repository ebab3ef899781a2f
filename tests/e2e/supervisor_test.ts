/**
 * A supervisor from its start to its end, as users and services meet it: how it ends, and that
 * nothing is left of its ring then.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { type LiveRing, liveRing } from "../support/live_ring.ts";
import { freePorts, sha256 } from "../support/live_ring.ts";
import { programCommand, runProgram, waitUntil } from "../support/program.ts";
import { randomBytes, temporaryDirectory } from "../support/real_file.ts";
import { isListening, processesWith } from "../support/system_processes.ts";
import { list, listOf, pull, push } from "../support/wire_client.ts";

/** How long a ring may take to stop. */
const stopMs = 5_000;

const elsewhere = await Deno.realPath("/");

/** The ways to stop a ring. */
const ways: { readonly [how: string]: (ring: LiveRing) => Promise<void> } = {
  "quit": (ring) => ring.supervisor.type("quit\n"),
  "SIGINT": (ring) => Promise.resolve(ring.supervisor.signal("SIGINT")),
  "SIGTERM": (ring) => Promise.resolve(ring.supervisor.signal("SIGTERM")),
  "stop by a node's port": (ring) => stopByPort(ring, ring.port(1)),
  "stop by the gateway's port": (ring) => stopByPort(ring, ring.gatewayPort),
};

async function stopByPort(ring: LiveRing, port: number): Promise<void> {
  const [first, last] = [ring.port(0), ring.port(-1)];
  const ran = await runProgram(["stop", "--port", String(port)], { cwd: elsewhere });
  assertEquals([ran.code, ran.stderr], [0, ""]);
  assertEquals(
    ran.stdout,
    `Stopped the ring of 3 nodes on ${first} to ${last}, and the gateway on ${ring.gatewayPort}.\n`,
  );
}

for (const [how, stop] of Object.entries(ways)) {
  Deno.test(`${how} ends every process of a ring, those started again too`, async () => {
    await using ring = await liveRing(3, { waitTimeMs: 200 });
    const old = await Promise.all([ring.kill(ring.port(1)), ring.kill(ring.gatewayPort)]);
    await ring.waitAllAlive();
    await waitUntil("the gateway is back", 30_000, () => isListening(ring.gatewayPort));
    assertNotEquals(await ring.pid(ring.port(1)), old[0]);
    const startMs = performance.now();
    await stop(ring);
    assertEquals(await ring.supervisor.exited, 0);
    const tookMs = performance.now() - startMs;
    await assertNothingLeft(ring.dataDir, [...ring.ports, ring.gatewayPort]);
    assert(tookMs < stopMs, `it took ${Math.round(tookMs)} ms`);
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
});

Deno.test("the end of its input does not end a ring", async () => {
  await using ring = await liveRing(3, { gateway: false });
  await ring.supervisor.closeStdin();
  // Only a supervisor brings back nodes that are all dead.
  const old = await Promise.all(ring.ports.map((port) => ring.kill(port)));
  await ring.waitAllAlive();
  for (const [index, port] of ring.ports.entries()) {
    assertNotEquals(await ring.pid(port), old[index]);
  }
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
    assertMatch(ran.stderr, new RegExp(`^error: [^\n]*\\b${taken}\\b[^\n]*\n$`));
    const others = [first, first + 1, first + 2, first + 3].filter((port) => port !== taken);
    await assertNothingLeft(dataDir, others);
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
    assertMatch(text, /^exit code 0\nThe ring is ready \([0-9.]+ s\): 2 nodes on 127\.0\.0\.1\.\n/);
    const bytes = randomBytes(10_000);
    await push(first + 2, "a.txt", bytes);
    assertEquals(sha256(await pull(first + 1, "a.txt")), sha256(bytes));
  } finally {
    const stopped = await runProgram(["stop", `--data-dir=${dataDir}`]);
    assertEquals([stopped.code, stopped.stderr], [0, ""]);
  }
  await assertNothingLeft(dataDir, [first, first + 1, first + 2]);
  const none = await runProgram(["stop", `--data-dir=${dataDir}`]);
  assertEquals([none.code, none.stdout], [1, ""]);
  assertMatch(none.stderr, /^error: No ring [^\n]+\n$/);
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

Deno.test("a ring of 5 is ready soon", async () => {
  const timesMs: number[] = [];
  for (let attempt = 0; attempt < 2; attempt++) {
    const startMs = performance.now();
    await using ring = await liveRing(5);
    timesMs.push(Math.round(performance.now() - startMs));
    // Ready means all of it, at once.
    const bytes = randomBytes(1_000);
    for (const port of [...ring.ports, ring.gatewayPort]) await push(port, `by ${port}`, bytes);
    for (const port of ring.ports) assertEquals((await list(port)).split("\n").length, 8);
  }
  console.log(`A ring of 5 was ready after ${timesMs.join(" and ")} ms; 2000 are its bound.`);
  assert(Math.min(...timesMs) < 10_000, `${timesMs.join(" and ")} ms`);
});

/** No process has a ring's directory among its arguments, and nobody listens on its ports. */
async function assertNothingLeft(dataDir: string, ports: readonly number[]): Promise<void> {
  assertEquals(await processesWith(dataDir), [], "processes that are left");
  for (const port of ports) assertEquals(await isListening(port), false, `port ${port}`);
}
