import { assertEquals } from "@std/assert";
import { TcpTransport } from "../../src/net/tcp_transport.ts";
import { defaultNodeOptions } from "../../src/node/options.ts";
import { portHeldExitCode, ProcessRespawner, type RespawnOutcome } from "../../src/node/respawn.ts";
import { sharedOptions } from "../../src/node/shared_options.ts";
import { formatAddress, type NodeAddress, portOf } from "../../src/protocol/address.ts";
import { SystemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/log.ts";

/** Respawns a node whose program is a script, given the port as its argument. */
function respawn(
  address: NodeAddress,
  script: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<RespawnOutcome> {
  const respawner = new ProcessRespawner({
    transport: new TcpTransport(),
    clock: new SystemClock(),
    log: silentLogger,
    command: (options) => ({
      command: Deno.execPath(),
      args: ["eval", "--no-config", script, String(portOf(options.address))],
      env: { EXIT_CODE: "4" },
    }),
  });
  return respawner.respawn(address, sharedOptions(defaultNodeOptions), signal);
}

function freeAddress(): NodeAddress {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return formatAddress("127.0.0.1", (listener.addr as Deno.NetAddr).port);
}

/** Answers one ping, then ends when that connection does. */
const answersOnce = `
  const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.args[0]) });
  for await (const conn of listener) {
    await conn.write(new TextEncoder().encode("PONG\\n"));
    while (await conn.read(new Uint8Array(64)) !== null);
    break;
  }`;

// A child that is left alone is the point of a respawn: the runtime still watches it when a test ends.
const detached = { sanitizeOps: false, sanitizeResources: false };

Deno.test("ProcessRespawner has started a node when it answers", detached, async () => {
  assertEquals(await respawn(freeAddress(), answersOnce), { kind: "started" });
});

Deno.test(
  "ProcessRespawner takes the exit code of a held port for no failure",
  detached,
  async () => {
    const outcome = await respawn(freeAddress(), `Deno.exit(${portHeldExitCode})`);
    assertEquals(outcome, { kind: "still-there" });
  },
);

Deno.test("ProcessRespawner says with which exit code a node failed", detached, async () => {
  const reason = "its process ended with exit code 3";
  assertEquals(await respawn(freeAddress(), "Deno.exit(3)"), { kind: "failed", reason });
});

Deno.test("ProcessRespawner gives a node the environment of its command", detached, async () => {
  const reason = "its process ended with exit code 4";
  const script = `Deno.exit(Number(Deno.env.get("EXIT_CODE")))`;
  assertEquals(await respawn(freeAddress(), script), { kind: "failed", reason });
});

Deno.test(
  "ProcessRespawner fails when it is aborted, or the options are nonsense",
  detached,
  async () => {
    const abort = new AbortController();
    const slow = respawn(freeAddress(), "setTimeout(() => {}, 500)", abort.signal);
    abort.abort(new Error("the node stops"));
    assertEquals(await slow, { kind: "failed", reason: "the node stops" });
    const respawner = new ProcessRespawner({
      transport: new TcpTransport(),
      clock: new SystemClock(),
      log: silentLogger,
    });
    const outcome = await respawner.respawn(freeAddress(), "{}", new AbortController().signal);
    assertEquals(outcome, { kind: "failed", reason: "Options without a good dataDir" });
  },
);
