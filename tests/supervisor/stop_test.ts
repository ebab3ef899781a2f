import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { Watchdog } from "../../src/net/watchdog.ts";
import { formatAddress, type NodeAddress } from "../../src/protocol/address.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { NetworkError } from "../../src/supervisor/network_error.ts";
import { ProcessBook } from "../../src/supervisor/processes.ts";
import { stopRing } from "../../src/supervisor/stop.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeTransport } from "../support/fake_transport.ts";
import { type Answer, LineNode } from "../support/line_node.ts";

const pure = { permissions: "none" } as const;
const first = formatAddress("127.0.0.1", 7000);
const second = formatAddress("127.0.0.1", 7001);
const gateway = formatAddress("127.0.0.1", 8000);

/** Nodes that stop when asked, and processes that end when killed. */
class Stage {
  readonly clock = new FakeClock();
  readonly watchdog = new Watchdog(this.clock);
  readonly transport = new FakeTransport();
  readonly log = silentLogger;
  readonly killed: number[] = [];
  readonly running = new Map<number, () => void>();
  readonly book = new ProcessBook({
    isRunning: (pid) => this.running.has(pid),
    kill: (pid) => {
      this.killed.push(pid);
      this.running.get(pid)?.();
      this.running.delete(pid);
    },
    listener: () => Promise.resolve(undefined),
  });

  /** A node that listens until it is told to stop; `obeys` says whether it then does. */
  node(address: NodeAddress, pid: number, obeys = true): LineNode {
    const answer: Answer = (line) => {
      if (line.startsWith("RING STOPPING ")) return "OK\n";
      if (line === "NODE INFO" || line === "GATEWAY INFO") {
        return `pid: ${pid}\nid: i${pid}\nincarnation: i${pid}\nOK\n`;
      }
      if (line !== `NODE STOP i${pid}` && line !== `GATEWAY STOP i${pid}`) return "ERR what\n";
      // After the answer is on its way.
      if (obeys) this.clock.sleep(10).then(() => this.running.get(pid)?.());
      return "OK\n";
    };
    const node = new LineNode(this.transport, address, answer);
    this.running.set(pid, () => {
      this.running.delete(pid);
      node[Symbol.asyncDispose]();
    });
    return node;
  }

  /** Stops, with the time running; says how many ms it took. */
  async stop(nodes: NodeAddress[], gateway?: NodeAddress): Promise<number> {
    let done = false;
    const stopping = stopRing(this, { nodes, gateway }).finally(() => done = true);
    // The loop below moves the time on; until then nobody looks at the result.
    stopping.catch(() => {});
    const startMs = this.clock.nowMs();
    while (!done && this.clock.nowMs() - startMs < 60_000) await this.clock.advance(20);
    await stopping;
    return this.clock.nowMs() - startMs;
  }
}

Deno.test(
  "stopRing() tells all nodes first that nobody is to heal, then stops each",
  pure,
  async () => {
    const stage = new Stage();
    const order: string[] = [];
    const nodes = [stage.node(first, 10), stage.node(second, 11)];
    const door = stage.node(gateway, 12);
    assertLess(await stage.stop([first, second], gateway), 500);
    for (const node of nodes) order.push(...node.lines.map((line) => line.split(" ", 2).join(" ")));
    assertEquals(order, [
      "RING STOPPING",
      "NODE INFO",
      "NODE STOP",
      "RING STOPPING",
      "NODE INFO",
      "NODE STOP",
    ]);
    assertEquals(door.lines, ["GATEWAY INFO", "GATEWAY STOP i12"]);
    assertEquals([stage.running.size, stage.killed, stage.transport.open], [0, [], 0]);
  },
);

Deno.test("stopRing() ends by force what does not stop", pure, async () => {
  const stage = new Stage();
  stage.node(first, 10);
  stage.node(second, 11, false);
  const tookMs = await stage.stop([first, second]);
  assert(tookMs >= 3_000 && tookMs < 4_500, `took ${tookMs} ms`);
  assertEquals([stage.killed, stage.running.size], [[11], 0]);
});

Deno.test("stopRing() ends by force a frozen node whose pid it knew", pure, async () => {
  const stage = new Stage();
  const frozen = new LineNode(stage.transport, first, () => undefined);
  stage.running.set(10, () => void frozen[Symbol.asyncDispose]());
  stage.book.told(first, 10);
  assertLess(await stage.stop([first]), 5_000);
  assertEquals(stage.killed, [10]);
});

Deno.test("stopRing() stops a node that a neighbour starts at the last moment", pure, async () => {
  const stage = new Stage();
  stage.node(first, 10);
  const reborn = stage.clock.sleep(600).then(() => stage.node(second, 11));
  const tookMs = await stage.stop([first, second]);
  assertEquals((await reborn).lines, ["NODE INFO", "NODE STOP i11"]);
  assertEquals([stage.running.size, stage.killed], [0, []]);
  assertLess(tookMs, 3_000);
});

Deno.test("stopRing() says which port it could not free", pure, async () => {
  const stage = new Stage();
  await using _stubborn = new LineNode(stage.transport, first, () => "ERR unknown\n");
  const error = await assertRejects(() => stage.stop([first]), NetworkError);
  assertEquals(
    error.message,
    "Cannot stop what listens on 127.0.0.1:7000: end that process yourself",
  );
  assertEquals(error.exitCode, 1);
});

Deno.test(
  "stopRing() of a ring that is gone already takes no longer than a late start",
  pure,
  async () => {
    const stage = new Stage();
    assertLess(await stage.stop([first, second], gateway), 2_000);
  },
);
