import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { exists } from "@std/fs/exists";
import { freePorts, liveRing } from "../support/live_ring.ts";
import { Program, runProgram, waitUntil } from "../support/program.ts";
import { environmentOf } from "../support/system_processes.ts";

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

Deno.test("set-network says what runs where, and stops all of it on quit", async () => {
  await using ring = await liveRing(3, { waitTimeMs: 250 });
  assertMatch(
    ring.supervisor.stdout,
    /^The ring is ready \([0-9.]+ s\): 3 nodes on 127\.0\.0\.1\.\n/,
  );
  assertStringIncludes(ring.supervisor.stdout, `ports ${ring.port(0)} to ${ring.port(2)}`);
  assertStringIncludes(ring.supervisor.stdout, `port ${ring.gatewayPort}, one address`);
  assertStringIncludes(ring.supervisor.stdout, `--port ${ring.gatewayPort}`);
  const base = ring.port(0);
  const again = await runProgram(["set-network", `-p${base}`, `--data-dir=${ring.dataDir}`]);
  assertEquals(again.code, 1);
  assertEquals(
    again.stderr,
    `error: Port ${base} is in use by a node of a running ring; stop that one with ` +
      `'ouroboros stop --port ${base}', or choose other ports\n`,
  );
  // A neighbour starts it again, which nobody tells the supervisor.
  const old = await ring.kill(ring.port(1));
  await ring.waitAllAlive();
  const pids = await Promise.all([...ring.ports, ring.gatewayPort].map((port) => ring.pid(port)));
  assertNotEquals(pids[1], old);
  // Whoever started them, and whatever was in the environment of that one.
  for (const pid of pids) {
    assertEquals((await environmentOf(pid)).get("MALLOC_ARENA_MAX"), "1");
  }
  const startMs = Date.now();
  assertEquals(await ring.quit(), 0);
  assertLess(Date.now() - startMs, 5_000);
  assertStringIncludes(ring.supervisor.stdout, "Stopped: nothing of the ring is left running.\n");
  assert(await allRefused([...ring.ports, ring.gatewayPort]));
  for (const pid of pids) assertEquals(await exists(`/proc/${pid}/exe`), false);
});

Deno.test("set-network stops on SIGHUP, its terminal being gone", async () => {
  await using ring = await liveRing(2, { gateway: false });
  await ring.supervisor.closeStdin();
  await ring.waitAllAlive();
  ring.supervisor.signal("SIGHUP");
  assertEquals(await ring.supervisor.exited, 0);
  assert(await allRefused(ring.ports));
});

Deno.test("set-network stops a ring whose node is frozen within 5 s", async () => {
  await using ring = await liveRing(3, { waitTimeMs: 60_000 });
  Deno.kill(await ring.pid(ring.port(1)), "SIGSTOP");
  const startMs = Date.now();
  assertEquals(await ring.quit(), 0);
  assertLess(Date.now() - startMs, 5_000);
  assert(await allRefused([...ring.ports, ring.gatewayPort]));
});

Deno.test("set-network says so when it cannot keep files in the data directory", async () => {
  const file = await Deno.makeTempFile({ prefix: "ouroboros-test-" });
  const ran = await runProgram(["set-network", `-p${freePorts(3)}`, `--data-dir=${file}`]);
  assertEquals([ran.code, ran.stdout], [1, ""]);
  assertMatch(ran.stderr, /^error: Cannot keep files in '[^\n]*': [^\n]*\n$/);
  await Deno.remove(file);
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
