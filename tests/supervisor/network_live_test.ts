import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { exists } from "@std/fs/exists";
import { ask, askText, freePorts, liveRing, sha256 } from "../support/live_ring.ts";
import { Program, runProgram, waitUntil } from "../support/program.ts";

const encoder = new TextEncoder();

async function refused(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}

async function allRefused(ports: readonly number[]): Promise<boolean> {
  return (await Promise.all(ports.map(refused))).every(Boolean);
}

/** Stores a file through a port. */
async function push(port: number, name: string, bytes: Uint8Array): Promise<string> {
  const head = encoder.encode(`FILE PUSH ${bytes.length} ${name}\n`);
  const request = new Uint8Array(head.length + bytes.length);
  request.set(head);
  request.set(bytes, head.length);
  return new TextDecoder().decode(await ask(port, request));
}

function bytesOf(count: number): Uint8Array {
  return new Uint8Array(count).map((_, index) => (index * 31 + (index >> 8)) % 256);
}

Deno.test("set-network says what runs where, and stops all of it on quit", async () => {
  await using ring = await liveRing(3);
  assertMatch(
    ring.supervisor.stdout,
    /^The ring is ready \([0-9.]+ s\): 3 nodes on 127\.0\.0\.1\.\n/,
  );
  assertStringIncludes(ring.supervisor.stdout, `ports ${ring.port(0)} to ${ring.port(2)}`);
  assertStringIncludes(ring.supervisor.stdout, `port ${ring.gatewayPort}, one address`);
  assertStringIncludes(ring.supervisor.stdout, `--port ${ring.gatewayPort}`);
  const pids = await Promise.all([...ring.ports, ring.gatewayPort].map((port) => ring.pid(port)));
  const startMs = Date.now();
  assertEquals(await ring.quit(), 0);
  assertLess(Date.now() - startMs, 5_000);
  assertStringIncludes(ring.supervisor.stdout, "Stopped: nothing of the ring is left running.\n");
  assert(await allRefused([...ring.ports, ring.gatewayPort]));
  for (const pid of pids) assertEquals(await exists(`/proc/${pid}/exe`), false);
});

Deno.test("set-network goes on at the end of its input, and stops on a signal", async () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    await using ring = await liveRing(2, { gateway: false });
    await ring.supervisor.closeStdin();
    await ring.waitAllAlive();
    ring.supervisor.signal(signal);
    assertEquals(await ring.supervisor.exited, 0);
    assert(await allRefused(ring.ports));
  }
});

Deno.test("set-network stops a ring whose node is frozen within 5 s", async () => {
  await using ring = await liveRing(3, { waitTimeMs: 60_000 });
  Deno.kill(await ring.pid(ring.port(1)), "SIGSTOP");
  const startMs = Date.now();
  assertEquals(await ring.quit(), 0);
  assertLess(Date.now() - startMs, 5_000);
  assert(await allRefused([...ring.ports, ring.gatewayPort]));
});

Deno.test("set-network starts all nodes and the gateway again when all are killed", async () => {
  await using ring = await liveRing(3, { waitTimeMs: 1_000 });
  const bytes = bytesOf(100_000);
  assertStringIncludes(await push(ring.gatewayPort, "kept", bytes), "OK\n");
  const before = await Promise.all([...ring.ports, ring.gatewayPort].map((port) => ring.pid(port)));
  for (const pid of before) Deno.kill(pid, "SIGKILL");
  const startMs = Date.now();
  await waitUntil("all are gone", 5_000, async () => {
    for (const pid of before) {
      if (await exists(`/proc/${pid}/exe`)) return false;
    }
    return true;
  });
  await ring.waitAllAlive(10_000);
  assertLess(Date.now() - startMs, 3_500);
  await waitUntil("the gateway is back", 5_000, async () => !await refused(ring.gatewayPort));
  const after = await Promise.all([...ring.ports, ring.gatewayPort].map((port) => ring.pid(port)));
  for (const pid of after) assert(!before.includes(pid));
  const pulled = await ask(ring.gatewayPort, "FILE PULL kept\n");
  assertEquals(sha256(pulled), sha256(bytes));
  assertEquals(await ring.quit(), 0);
  assert(await allRefused([...ring.ports, ring.gatewayPort]));
});

Deno.test("set-network stops the nodes that their neighbours have started again", async () => {
  await using ring = await liveRing(3, { waitTimeMs: 250 });
  const old = await ring.kill(ring.port(1));
  await ring.waitAllAlive();
  const young = await ring.pid(ring.port(1));
  assertNotEquals(young, old);
  assertEquals(await ring.quit(), 0);
  assert(await allRefused([...ring.ports, ring.gatewayPort]));
  assertEquals(await exists(`/proc/${young}/exe`), false);
});

Deno.test("set-network leaves nothing when it stops while a neighbour starts a node", async () => {
  for (const delayMs of [0, 100, 250]) {
    await using ring = await liveRing(3, { waitTimeMs: 50 });
    await ring.kill(ring.port(1));
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    assertEquals(await ring.quit(), 0);
    const endMs = Date.now() + 1_500;
    while (Date.now() < endMs) {
      assert(await allRefused([...ring.ports, ring.gatewayPort]), `after ${delayMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
});

Deno.test("set-network with --wait-time 0 starts no node again, but the gateway", async () => {
  await using ring = await liveRing(2, { waitTimeMs: 0 });
  await ring.kill(ring.gatewayPort);
  await ring.kill(ring.port(1));
  await waitUntil("the gateway is back", 5_000, async () => !await refused(ring.gatewayPort));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert(await refused(ring.port(1)));
});

Deno.test("set-network starts nothing when a port is in use, and names it", async () => {
  const base = freePorts(4);
  const dataDir = await Deno.makeTempDir({ prefix: "ouroboros-test-" });
  const args = [`-p${base}`, "-n3", `--data-dir=${dataDir}`];
  for (const taken of [base + 1, base + 3]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: taken });
    const ran = await runProgram(["set-network", ...args, `--dns-port=${base + 3}`]);
    assertEquals([ran.code, ran.stdout], [1, ""]);
    assertEquals(
      ran.stderr,
      `error: Port ${listener.addr.port} is in use by another program; choose other ports\n`,
    );
  }
  assertEquals(await Array.fromAsync(Deno.readDir(dataDir)), []);
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("set-network says so when it cannot keep files in the data directory", async () => {
  const file = await Deno.makeTempFile({ prefix: "ouroboros-test-" });
  const ran = await runProgram(["set-network", `-p${freePorts(3)}`, `--data-dir=${file}`]);
  assertEquals([ran.code, ran.stdout], [1, ""]);
  assertMatch(ran.stderr, /^error: Cannot keep files in '[^\n]*': [^\n]*\n$/);
  await Deno.remove(file);
});

Deno.test("set-network over a running ring says how to stop it", async () => {
  await using ring = await liveRing(2);
  const again = await runProgram([
    "set-network",
    `-p${ring.port(0)}`,
    `--data-dir=${ring.dataDir}`,
  ]);
  assertEquals(again.code, 1);
  assertEquals(
    again.stderr,
    `error: Port ${ring.port(0)} is in use by a node of a running ring; stop that one with ` +
      `'ouroboros stop --port ${ring.port(0)}', or choose other ports\n`,
  );
});

Deno.test("set-network keeps the files of a ring that it starts again, and its shape", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "ouroboros-test-" });
  const basePort = freePorts(6);
  const bytes = bytesOf(300_001);
  {
    await using ring = await liveRing(3, { dataDir, basePort });
    assertStringIncludes(await push(ring.port(2), "kept", bytes), "OK\n");
    assertEquals(await ring.quit(), 0);
  }
  const other = await runProgram(["set-network", `-p${basePort}`, "-n5", `--data-dir=${dataDir}`]);
  assertEquals([other.code, other.stdout], [2, ""]);
  assertMatch(other.stderr, /^error: [^\n]* holds a ring of 3 nodes [^\n]*\n$/);
  {
    await using ring = await liveRing(3, { dataDir, basePort });
    for (const port of ring.ports) {
      assertEquals(sha256(await ask(port, "FILE PULL kept\n")), sha256(bytes));
    }
  }
  {
    await using ring = await liveRing(5, { dataDir, basePort, args: ["-o"] });
    assertEquals(await askText(ring.port(0), "FILE LIST\n"), "name,start,size\n");
  }
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("two rings with other ports and directories run side by side", async () => {
  await using one = await liveRing(2);
  await using two = await liveRing(2);
  assertStringIncludes(await push(one.gatewayPort, "of one", bytesOf(10)), "OK\n");
  assertEquals(await askText(two.gatewayPort, "FILE LIST\n"), "name,start,size\n");
  assertEquals(await one.quit(), 0);
  await two.waitAllAlive();
});

Deno.test("set-network --no-block returns when the ring is ready, and stop ends it", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "ouroboros-test-" });
  const base = freePorts(3);
  const ports = [base, base + 1, base + 2];
  const started = await runProgram([
    ...["set-network", "-n2", `-p${base}`, `--dns-port=${base + 2}`, `--data-dir=${dataDir}`],
    ...["--no-block", "--durability=relaxed"],
  ]);
  try {
    assertEquals([started.code, started.stderr], [0, ""]);
    assertStringIncludes(started.stdout, "The ring is ready");
    assertStringIncludes(started.stdout, `stop --port ${base + 2}`);
    assertEquals(await askText(base + 2, "NODE PING\n"), "PONG\n");
    const again = await runProgram(["set-network", "-n2", `-p${base}`, "--no-block"]);
    assertEquals(again.code, 1);
    assertMatch(
      again.stderr,
      /^error: Port [0-9]+ is in use by a node of a running ring; [^\n]*\n$/,
    );
  } finally {
    const stopped = await runProgram(["stop", "-p", String(base + 2)]);
    assertEquals([stopped.code, stopped.stderr], [0, ""]);
    assertEquals(
      stopped.stdout,
      `Stopped the ring of 2 nodes on ${base} and ${base + 1}, and the gateway on ${base + 2}.\n`,
    );
  }
  assert(await allRefused(ports));
  const none = await runProgram(["stop", "--data-dir", dataDir]);
  assertEquals([none.code, none.stderr], [1, `error: No ring of '${dataDir}' is running\n`]);
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("stop ends a ring whose supervisor was killed", async () => {
  await using ring = await liveRing(3);
  ring.supervisor.signal("SIGKILL");
  await ring.supervisor.exited;
  await ring.waitAllAlive();
  const stopped = await runProgram(["stop", "--data-dir", ring.dataDir]);
  assertEquals([stopped.code, stopped.stderr], [0, ""]);
  assert(await allRefused([...ring.ports, ring.gatewayPort]));
});

Deno.test("stop by a node's port ends the supervisor's watch, wherever it is called", async () => {
  await using ring = await liveRing(2, { waitTimeMs: 250 });
  const elsewhere = await Deno.makeTempDir({ prefix: "ouroboros-test-" });
  const stopped = await runProgram(["stop", "-p", String(ring.port(1))], { cwd: elsewhere });
  assertEquals([stopped.code, stopped.stderr], [0, ""]);
  assertEquals(await ring.supervisor.exited, 0);
  assert(await allRefused([...ring.ports, ring.gatewayPort]));
  await Deno.remove(elsewhere);
});

Deno.test("a supervisor that is told to stop while it starts leaves nothing", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "ouroboros-test-" });
  const base = freePorts(4);
  await using program = new Program([
    ...["set-network", "-n4", `-p${base}`, `--data-dir=${dataDir}`, "--durability=relaxed"],
  ]);
  await waitUntil("the first node is up", 20_000, async () => !await refused(base));
  program.signal("SIGTERM");
  assertEquals(await program.exited, 0);
  assert(await allRefused([base, base + 1, base + 2, base + 3]));
  await Deno.remove(dataDir, { recursive: true });
});
