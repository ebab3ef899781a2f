import { assert, assertEquals, assertFalse } from "@std/assert";
import { formatAddress } from "../../src/protocol/address.ts";
import { type Listening, ProcessBook, SystemProcesses } from "../../src/supervisor/processes.ts";

const pure = { permissions: "none" } as const;
const address = formatAddress("127.0.0.1", 7000);

/** Processes that do not exist. */
class FakeProcesses {
  readonly running = new Set<number>();
  readonly killed: number[] = [];
  listening: Listening | undefined;

  isRunning(pid: number): boolean {
    return this.running.has(pid);
  }

  kill(pid: number): void {
    this.killed.push(pid);
  }

  listener(): Promise<Listening | undefined> {
    return Promise.resolve(this.listening);
  }
}

function child(pid: number) {
  const exited = Promise.withResolvers<number>();
  const killed: number[] = [];
  return {
    pid,
    exited: exited.promise,
    kill: () => void killed.push(pid),
    killed,
    end: exited.resolve,
  };
}

Deno.test(
  "ProcessBook knows a child until it ends, and a told pid while it runs",
  pure,
  async () => {
    const table = new FakeProcesses();
    const book = new ProcessBook(table);
    assertFalse(book.isRunning(address));
    const started = child(10);
    book.started(address, started);
    assert(book.isRunning(address));
    started.end(0);
    await started.exited;
    assertFalse(book.isRunning(address));
    table.running.add(11);
    book.told(address, 11);
    assert(book.isRunning(address));
    for (const nonsense of [0, 1, -5, NaN, 1.5]) book.told(address, nonsense);
    assert(book.isRunning(address));
  },
);

Deno.test("ProcessBook ends the children and the told pid of an address", pure, async () => {
  const table = new FakeProcesses();
  const book = new ProcessBook(table);
  const started = child(10);
  book.started(address, started);
  book.told(address, 11);
  await book.kill(address);
  assertEquals([started.killed, table.killed], [[10], [11]]);
});

Deno.test("ProcessBook ends who listens only if it is a node or gateway there", pure, async () => {
  const cases: [readonly string[], boolean][] = [
    [["ouroboros", "run", "--addr=127.0.0.1:7000"], true],
    [["deno", "run", "main.ts", "gateway", "--port", "7000"], true],
    [["rust-node", "run", "--addr", "127.0.0.1:7000"], true],
    [["python3", "-m", "http.server", "7000"], false],
    [["ouroboros", "run", "--addr=127.0.0.1:17000"], false],
    [["ouroboros", "run", "--addr=127.0.0.1:7001"], false],
    [[], false],
  ];
  for (const [args, ended] of cases) {
    const table = new FakeProcesses();
    table.listening = { pid: 99, args };
    const book = new ProcessBook(table);
    await book.kill(address);
    assertEquals(table.killed, ended ? [99] : [], args.join(" "));
  }
});

Deno.test("ProcessBook does not end a told pid when somebody else listens", pure, async () => {
  const table = new FakeProcesses();
  const book = new ProcessBook(table);
  book.told(address, 11);
  table.listening = { pid: 99, args: ["python3"] };
  await book.kill(address);
  assertEquals(table.killed, []);
  table.listening = { pid: 11, args: [] };
  await book.kill(address);
  assertEquals(table.killed, [11]);
});

Deno.test({
  name: "SystemProcesses finds who listens on a port",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const table = new SystemProcesses();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const found = await table.listener(listener.addr.port);
    assertEquals(found?.pid, Deno.pid);
    assert((found?.args.length ?? 0) > 1);
    const { port } = listener.addr;
    listener.close();
    assertEquals(await table.listener(port), undefined);
  },
});

Deno.test("SystemProcesses tells whether a process runs, and ends one", async () => {
  const table = new SystemProcesses();
  assert(table.isRunning(Deno.pid));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "await new Promise((resolve) => setTimeout(resolve, 60_000))"],
    stdout: "null",
    stderr: "null",
  }).spawn();
  assert(table.isRunning(child.pid));
  table.kill(child.pid);
  assertFalse((await child.status).success);
  assertFalse(table.isRunning(child.pid));
  table.kill(child.pid);
});
