import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { ask, askText, freePorts, liveRing, sha256 } from "../support/live_ring.ts";
import { runProgram, waitUntil } from "../support/program.ts";

const encoder = new TextEncoder();

/** Open descriptors of a process. */
function descriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** One figure of /proc/<pid>/status in MiB. */
function memoryMiB(pid: number, name: "VmHWM" | "VmRSS"): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(new RegExp(`^${name}:\\s+([0-9]+) kB`, "m").exec(status)?.[1]) / 1024;
}

async function pingOnce(port: number): Promise<boolean> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(encoder.encode("NODE PING\n"));
  const buffer = new Uint8Array(16);
  const count = await conn.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0)) === "PONG\n";
}

Deno.test("the gateway keeps the stop and the wiring of nodes from its clients", async () => {
  await using ring = await liveRing(2);
  const incarnation = (await ring.info(ring.port(0))).get("incarnation");
  const answer = await askText(
    ring.gatewayPort,
    `NODE STOP ${incarnation}\nNODE NEXT 127.0.0.1:1\nNODE PING\n`,
  );
  const lines = answer.split("\n");
  assertEquals(lines.map((line) => line.slice(0, 4)), ["ERR ", "ERR ", "PONG", ""]);
  await ring.waitAllAlive();
});

Deno.test("the gateway uses the next node while the first is dead, and then the first again", async () => {
  await using ring = await liveRing(3, { waitTimeMs: 0 });
  const served = async () =>
    /^PORT 127\.0\.0\.1:([0-9]+)$/m.exec(await askText(ring.gatewayPort, "NODE STATUS\n"))?.[1];
  await waitUntil("the first node serves", 5_000, async () => await served() === `${ring.port(0)}`);
  await ring.kill(ring.port(0));
  assertEquals(await served(), String(ring.port(1)));
  await ring.kill(ring.port(1));
  assertEquals(await served(), String(ring.port(2)));
  assertEquals(await askText(ring.port(2), "NODE HEAL\n"), "OK network healed\n");
  await waitUntil("the first node serves", 5_000, async () => await served() === `${ring.port(0)}`);
});

Deno.test("the gateway moves large files both ways in constant memory", async () => {
  await using ring = await liveRing(3, { args: ["--file-size=0"] });
  const bytes = new Uint8Array(64 * 1024 * 1024);
  for (let at = 0; at < bytes.length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  const head = encoder.encode(`FILE PUSH ${bytes.length} big\n`);
  const request = new Uint8Array(head.length + bytes.length);
  request.set(head);
  request.set(bytes, head.length);
  assertStringIncludes(new TextDecoder().decode(await ask(ring.gatewayPort, request)), "OK\n");
  const pulls = await Promise.all(
    [1, 2, 3, 4].map(() => ask(ring.gatewayPort, "FILE PULL big\n", 120_000)),
  );
  for (const pulled of pulls) assertEquals(sha256(pulled), sha256(bytes));
  assertLess(memoryMiB(await ring.pid(ring.gatewayPort), "VmHWM"), 150);
});

Deno.test("the gateway leaks no descriptor and no memory over 20,000 connections", async () => {
  await using ring = await liveRing(2);
  const pid = await ring.pid(ring.gatewayPort);
  const nodePid = await ring.pid(ring.port(0));
  const before = [descriptors(pid), descriptors(nodePid)];
  const total = 20_000;
  const atOnce = 20;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let done = 0; done < total / atOnce; done++) assert(await pingOnce(ring.gatewayPort));
  }));
  await waitUntil("all connections are closed", 10_000, () => {
    const after = [descriptors(pid), descriptors(nodePid)];
    return after.every((count, index) => count <= before[index]! + 4);
  });
  assertLess(memoryMiB(pid, "VmHWM"), 200);
});

Deno.test("the gateway is busy at its limit and serves again afterwards", async () => {
  await using ring = await liveRing(1);
  const held: Deno.TcpConn[] = [];
  try {
    for (let count = 0; count < 1_024; count++) {
      held.push(await Deno.connect({ hostname: "127.0.0.1", port: ring.gatewayPort }));
    }
    await waitUntil(
      "it is busy",
      5_000,
      async () => await askText(ring.gatewayPort, "NODE PING\n") === "ERR busy\n",
    );
  } finally {
    for (const conn of held) conn.close();
  }
  await waitUntil(
    "it serves again",
    10_000,
    async () => await askText(ring.gatewayPort, "NODE PING\n") === "PONG\n",
  );
});

Deno.test("the gateway says so when its port is in use or no node is alive", async () => {
  const port = freePorts(2);
  {
    using _taken = Deno.listen({ hostname: "127.0.0.1", port });
    const ran = await runProgram(["gateway", `-p${port}`, `--nodes=127.0.0.1:${port + 1}`]);
    assertEquals(ran.code, 1);
    assertStringIncludes(ran.stderr, `error: Port ${port} is in use; choose another --port\n`);
  }
});
