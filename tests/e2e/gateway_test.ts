/**
 * The gateway before a live ring: it passes whole connections on, comes back when it is killed, and
 * leaks nothing.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ask, askText, type LiveRing, liveRing, sha256 } from "../support/live_ring.ts";
import { Program, waitUntil } from "../support/program.ts";
import { randomBytes } from "../support/real_file.ts";
import { openDescriptors } from "../support/system_processes.ts";
import { list, listOf, netmapOf, pull, push } from "../support/wire_client.ts";

/** Many more than a leak of two descriptors each could hide, and than a process may have open. */
const connections = 2_000;
const atATime = 50;

/** Descriptors that may come and go: connections between the nodes, a file under way. */
const descriptorsMore = 16;

Deno.test("a gateway passes everything on, for as long as it takes", async (t) => {
  await using ring = await liveRing(3);
  const gateway = ring.gatewayPort;
  const bytes = randomBytes(300_000);

  await t.step("both ways, with the end of either side", async () => {
    await push(gateway, "a.txt", bytes);
    assertEquals(sha256(await pull(gateway, "a.txt")), sha256(bytes));
    // A last line may lack its end when the client has ended; pipelined lines are all answered.
    assertEquals(await askText(gateway, "NODE PING\nNODE PING\r\nnode ping"), "PONG\nPONG\nPONG\n");
    assertEquals(await askText(gateway, "FILE LIST"), await list(ring.port(2)));
    assertEquals(await askText(gateway, "NETMAP GET\n"), netmapOf(ring.ports));
    assertEquals(await askText(gateway, ""), "");
  });

  await t.step("an answer that ends the connection, though the client has not ended", async () => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: gateway });
    await conn.write(new TextEncoder().encode("FILE PULL a.txt\n"));
    const read = new Uint8Array(bytes.length + 1);
    let filled = 0;
    for (;;) {
      const count = await conn.read(read.subarray(filled));
      if (count === null) break;
      filled += count;
    }
    assertEquals(sha256(read.subarray(0, filled)), sha256(bytes));
  });

  await t.step("a body whose end the client cuts is refused, not stored", async () => {
    const answer = await askText(gateway, "FILE PUSH 100 cut.txt\nonly this");
    assertEquals(answer.startsWith("ERR "), true, answer);
    assertEquals(
      await list(gateway),
      listOf([{ name: "a.txt", start: ring.port(0), size: 300_000 }]),
    );
  });

  await t.step("what would change the node behind it is refused", async () => {
    const lines = ["NODE NEXT 127.0.0.1:1", `NODE STOP ${await incarnation(ring)}`, "NODE PING"];
    const answers = (await askText(gateway, `${lines.join("\n")}\n`)).split("\n");
    assertEquals(answers.map((answer) => answer.slice(0, 4)), ["ERR ", "ERR ", "PONG", ""]);
    await ring.waitAllAlive();
  });

  await t.step(`${connections} short connections leave no descriptor behind`, async () => {
    const pids = await Promise.all([...ring.ports, gateway].map((port) => ring.pid(port)));
    const before = await Promise.all(pids.map(openDescriptors));
    const kinds = [vanish, vanish, sendHalf, askAndLeave, askProperly];
    for (let done = 0; done < connections; done += atATime) {
      await Promise.all(
        Array.from({ length: atATime }, (_, index) => kinds[index % kinds.length]?.(gateway)),
      );
    }
    await waitUntil("the descriptors are as few as before", 30_000, async () => {
      const after = await Promise.all(pids.map(openDescriptors));
      return after.every((count, index) => count <= (before[index] ?? 0) + descriptorsMore);
    });
    assertEquals(await askText(gateway, "NODE PING\n"), "PONG\n");
  });
});

Deno.test("a gateway that is killed is started again", async () => {
  await using ring = await liveRing(2);
  const bytes = randomBytes(5_000);
  await push(ring.gatewayPort, "a.txt", bytes);
  for (let times = 0; times < 2; times++) {
    const old = await ring.kill(ring.gatewayPort);
    // The port of one that has ended may still take a connection, and reset it.
    await waitUntil("the gateway is another process", 30_000, async () => {
      return await ring.pid(ring.gatewayPort).catch(() => old) !== old;
    });
    assertEquals(sha256(await pull(ring.gatewayPort, "a.txt")), sha256(bytes));
  }
});

Deno.test("a gateway without a node says so, and uses one that is back", async () => {
  await using ring = await liveRing(2, { waitTimeMs: 0, args: ["--log-level=warn"] });
  const bytes = randomBytes(5_000);
  await push(ring.gatewayPort, "a.txt", bytes);
  await ring.kill(ring.port(0));
  // The first node refuses, so it is the second one that answers.
  assertEquals(sha256(await pull(ring.gatewayPort, "a.txt")), sha256(bytes));
  await ring.kill(ring.port(1));
  for (const line of ["FILE LIST\n", "NODE PING\n", "FILE PUSH 3 b.txt\nabc"]) {
    assertEquals(await askText(ring.gatewayPort, line), "ERR no node is alive\n");
  }
  await using node = new Program([
    ...["run", `--port=${ring.port(1)}`, `--data-dir=${ring.dataDir}`, "--wait-time=0"],
    ...["--durability=relaxed"],
  ]);
  await waitUntil("the gateway uses the node that is back", 30_000, async () => {
    return await askText(ring.gatewayPort, "NODE PING\n") === "PONG\n";
  });
  assertEquals(await ring.quit(), 0);
  assertEquals(await node.exited, 0);
});

async function incarnation(ring: LiveRing): Promise<string> {
  const told = (await ring.info(ring.port(0))).get("incarnation");
  assert(told !== undefined);
  return told;
}

/** Connects, and goes away without a word. */
async function vanish(port: number): Promise<void> {
  (await Deno.connect({ hostname: "127.0.0.1", port })).close();
}

/** Goes away within a line. */
async function sendHalf(port: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("FILE PU"));
}

/** Goes away without reading the answer, which resets the connection. */
async function askAndLeave(port: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("FILE PULL a.txt\n"));
}

async function askProperly(port: number): Promise<void> {
  assertEquals(new TextDecoder().decode(await ask(port, "NODE PING\n")), "PONG\n");
}
