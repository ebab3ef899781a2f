import { assertEquals } from "@std/assert";
import { formatAddress } from "../../src/protocol/address.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { defaultHttpOptions } from "../../src/gateway/options.ts";
import { GatewayKeeper } from "../../src/supervisor/gateway_keeper.ts";
import { ProcessBook } from "../../src/supervisor/processes.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeSpawner } from "../support/fake_spawner.ts";

const pure = { permissions: "none" } as const;
const noProcesses = {
  isRunning: () => false,
  kill() {},
  listener: () => Promise.resolve(undefined),
};

function keeper() {
  const clock = new FakeClock();
  const spawner = new FakeSpawner();
  const deps = { clock, spawner, log: silentLogger, book: new ProcessBook(noProcesses) };
  const made = new GatewayKeeper(deps, {
    gateway: {
      address: formatAddress("127.0.0.1", 8000),
      pollMs: 50,
      balance: "first",
      http: defaultHttpOptions,
      spoolDir: "uploads",
      logFile: "g.log",
    },
    nodes: [formatAddress("127.0.0.1", 7000)],
    supervisor: formatAddress("127.0.0.1", 40_000),
    logLevel: "info",
    logJson: false,
  });
  return { clock, spawner, made };
}

Deno.test("GatewayKeeper starts the gateway with its options", pure, () => {
  const { spawner, made } = keeper();
  made.start();
  assertEquals(spawner.children.map(({ args }) => args), [[
    ...["gateway", "--host=127.0.0.1", "--port=8000", "--nodes=127.0.0.1:7000", "--poll=50"],
    ...["--balance=first", "--log-level=info", "--spool-dir=uploads"],
    ...["--supervisor=127.0.0.1:40000", "--log-file=g.log"],
  ]]);
});

Deno.test("GatewayKeeper starts a steady gateway again at once", pure, async () => {
  const { clock, spawner, made } = keeper();
  const stop = new AbortController();
  const running = made.run(made.start(), stop.signal);
  for (let life = 1; life <= 3; life++) {
    await clock.advance(10_000);
    spawner.children.at(-1)?.end(137);
    await clock.advance(0);
    assertEquals(spawner.children.length, life + 1);
  }
  stop.abort();
  await running;
});

Deno.test("GatewayKeeper waits longer each time a gateway ends at once", pure, async () => {
  const { clock, spawner, made } = keeper();
  const stop = new AbortController();
  const running = made.run(made.start(), stop.signal);
  for (const waitMs of [200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
    const before = spawner.children.length;
    spawner.children.at(-1)?.end(75);
    await clock.advance(waitMs - 1);
    assertEquals(spawner.children.length, before);
    await clock.advance(1);
    assertEquals(spawner.children.length, before + 1);
  }
  stop.abort();
  spawner.children.at(-1)?.end(0);
  await running;
});
