import { assertEquals } from "@std/assert";
import { Watchdog } from "../../src/net/watchdog.ts";
import { defaultHttpOptions } from "../../src/gateway/options.ts";
import { defaultNodeOptions, nodeArgs } from "../../src/node/options.ts";
import { type NodeAddress, portOf } from "../../src/protocol/address.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { planNetwork } from "../../src/supervisor/plan.ts";
import { ProcessBook } from "../../src/supervisor/processes.ts";
import { Watcher } from "../../src/supervisor/watcher.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeSpawner } from "../support/fake_spawner.ts";
import { FakeTransport } from "../support/fake_transport.ts";
import { LineNode } from "../support/line_node.ts";

const pure = { permissions: "none" } as const;

/** A ring of three nodes in memory under a watcher. */
class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly watchdog = new Watchdog(this.clock);
  readonly transport = new FakeTransport();
  readonly spawner = new FakeSpawner();
  readonly log = silentLogger;
  readonly killed: number[] = [];
  readonly book = new ProcessBook({
    isRunning: () => false,
    kill: (pid) => {
      this.killed.push(pid);
      for (const node of this.nodes.values()) node[Symbol.asyncDispose]();
    },
    listener: () => Promise.resolve({ pid: 77, args: ["original", "run", "--port", "7001"] }),
  });
  readonly nodes = new Map<number, LineNode>();
  readonly plan;
  /** What `NODE INFO` says of the ring's state. */
  state = "ready";
  /** Bodies of `RING VIEW`, by port. */
  readonly views: number[] = [];
  ringStopping = 0;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(gossipIntervalMs: number) {
    this.plan = planNetwork({
      host: "127.0.0.1",
      basePort: 7000,
      nodeCount: 3,
      gatewayPollMs: 5_000,
      gatewayBalance: "first",
      gatewayHttp: defaultHttpOptions,
      overwrite: false,
      node: { ...defaultNodeOptions, gossipIntervalMs },
    });
    for (const port of this.plan.shape.ports) this.begin(port);
    const onRingStopping = () => void (this.ringStopping += 1);
    const watcher = new Watcher(this, { plan: this.plan, onRingStopping });
    this.#running = watcher.run(this.#stop.signal);
  }

  /** A node comes up. */
  begin(port: number): void {
    const address = this.#address(port);
    const node = new LineNode(this.transport, address, async (line, { reader }) => {
      if (line === "NODE PING") return "PONG\n";
      if (line === "NODE INFO") return `pid: ${port}\nstate: ${this.state}\nOK\n`;
      const view = /^RING VIEW ([0-9]+)$/.exec(line);
      if (view === null) return "ERR unknown\n";
      await reader.discard(Number(view[1]));
      this.views.push(port);
      return "VIEW 2\n{}";
    });
    this.nodes.set(port, node);
  }

  /** An original node comes up. */
  beginOriginal(port: number): void {
    this.nodes.set(
      port,
      new LineNode(
        this.transport,
        this.#address(port),
        (line) => line === "NODE PING" ? "PONG\n" : "ERR unknown NODE command\n",
      ),
    );
  }

  /** Nodes end as a killed process does. */
  async end(...ports: number[]): Promise<void> {
    await Promise.all(ports.map((port) => this.nodes.get(port)?.[Symbol.asyncDispose]()));
    await this.clock.advance(0);
  }

  /** The ports of what was started, in order. */
  get started(): number[] {
    return this.spawner.children.map(({ args }) =>
      this.plan.nodes.findIndex((node) => nodeArgs(node).join() === args.join()) + 7000
    );
  }

  #address(port: number): NodeAddress {
    return this.plan.nodes.find((node) => portOf(node.address) === port)!.address;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(1_000);
    await this.#running;
    await this.end(...this.nodes.keys());
    this.watchdog.close();
    assertEquals(this.transport.open, 0);
  }
}

Deno.test("Watcher asks nothing of a quiet ring but a ping now and then", pure, async () => {
  await using stage = new Stage(1_000);
  await stage.clock.advance(60_000);
  for (const { lines } of stage.nodes.values()) {
    assertEquals(lines, ["NODE INFO", "NODE PING", "NODE PING"]);
  }
  assertEquals([stage.transport.dials, stage.started], [3, []]);
});

Deno.test("Watcher leaves a node to its neighbours while they are up", pure, async () => {
  await using stage = new Stage(1_000);
  await stage.clock.advance(100);
  await stage.end(7001);
  await stage.clock.advance(3_500);
  stage.begin(7001);
  await stage.clock.advance(60_000);
  assertEquals(stage.started, []);
  assertEquals(stage.views, []);
});

Deno.test("Watcher starts a node that nobody else does", pure, async () => {
  await using stage = new Stage(1_000);
  await stage.clock.advance(100);
  await stage.end(7001);
  await stage.clock.advance(3_900);
  assertEquals(stage.started, []);
  stage.spawner.onSpawn = () => stage.begin(7001);
  await stage.clock.advance(1_000);
  assertEquals(stage.started, [7001]);
  // It is told its ring, once.
  assertEquals(stage.views, [7001]);
});

Deno.test("Watcher starts all nodes at once when none is up", pure, async () => {
  await using stage = new Stage(5_000);
  await stage.clock.advance(100);
  stage.spawner.onSpawn = (child) => {
    stage.begin(
      7000 + stage.plan.nodes.findIndex(({ address }) => child.args.includes(`--addr=${address}`)),
    );
  };
  await stage.end(7000, 7001, 7002);
  await stage.clock.advance(600);
  assertEquals(stage.started.sort(), [7000, 7001, 7002]);
  await stage.clock.advance(1_000);
  assertEquals(stage.views.sort(), [7000, 7001, 7002]);
});

Deno.test("Watcher tries again when a node does not come up, and not too often", pure, async () => {
  await using stage = new Stage(1_000);
  await stage.clock.advance(100);
  stage.spawner.onSpawn = (child) => child.end(1);
  await stage.end(7001);
  await stage.clock.advance(4_500);
  assertEquals(stage.started.length, 1);
  await stage.clock.advance(60_000);
  const tries = stage.started.length;
  assertEquals(tries > 5 && tries < 15, true, `${tries} tries`);
  stage.spawner.onSpawn = () => stage.begin(7001);
  await stage.clock.advance(10_000);
  assertEquals(stage.views, [7001]);
});

Deno.test("Watcher of a ring without gossip starts no node", pure, async () => {
  await using stage = new Stage(0);
  await stage.clock.advance(100);
  await stage.end(7000, 7001, 7002);
  await stage.clock.advance(60_000);
  assertEquals(stage.started, []);
});

Deno.test("Watcher notices that the ring is being stopped by somebody else", pure, async () => {
  await using stage = new Stage(1_000);
  await stage.clock.advance(100);
  await stage.end(7002);
  assertEquals(stage.ringStopping, 0);
  stage.state = "stopping";
  await stage.end(7001);
  await stage.clock.advance(100);
  assertEquals(stage.ringStopping, 1);
});

Deno.test("Watcher replaces an original that took a port of the ring", pure, async () => {
  await using stage = new Stage(1_000);
  await stage.clock.advance(100);
  await stage.end(7001);
  stage.beginOriginal(7001);
  stage.spawner.onSpawn = () => stage.begin(7001);
  await stage.clock.advance(500);
  assertEquals(stage.killed, []);
  await stage.clock.advance(2_000);
  assertEquals([stage.killed, stage.started], [[77], [7001]]);
  await stage.clock.advance(2_000);
  assertEquals(stage.views, [7001]);
});

Deno.test("Watcher does not take a node for dead that is only silent", pure, async () => {
  await using stage = new Stage(1_000);
  await stage.clock.advance(100);
  await stage.end(7001);
  stage.nodes.set(
    7001,
    new LineNode(stage.transport, stage.plan.nodes[1]!.address, () => undefined),
  );
  await stage.clock.advance(120_000);
  assertEquals(stage.started, []);
});

Deno.test(
  "Watcher does not take a node for an original that cannot tell of itself",
  pure,
  async () => {
    await using stage = new Stage(1_000);
    await stage.clock.advance(100);
    await stage.end(7001);
    let answer = "ERR The catalog is damaged: database disk image is malformed\n";
    stage.nodes.set(
      7001,
      new LineNode(
        stage.transport,
        stage.plan.nodes[1]!.address,
        (line) => line === "NODE PING" ? "PONG\n" : answer,
      ),
    );
    await stage.clock.advance(10_000);
    answer = "ERR busy\n";
    await stage.clock.advance(10_000);
    assertEquals([stage.killed, stage.started], [[], []]);
  },
);
