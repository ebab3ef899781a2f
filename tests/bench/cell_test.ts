import { assert, assertEquals } from "@std/assert";
import { callsMaxOf, diskBytesOf, planCells } from "../../scripts/bench/cell.ts";
import { type BenchOptions, parseBenchOptions } from "../../scripts/bench/options.ts";

function planned(...args: string[]): string[] {
  const name = ({ operation, size, clients, path }: ReturnType<typeof planCells>[number]) =>
    `${operation} ${size} ${clients} ${path}`;
  return planCells(optionsOf(...args)).map(name);
}

function optionsOf(...args: string[]): BenchOptions {
  const options = parseBenchOptions(args);
  assert(options !== undefined);
  return options;
}

Deno.test({
  name: "planCells() puts the floor before what is compared with it",
  permissions: "none",
  fn() {
    assertEquals(planned("--sizes=1K", "--clients=1", "--paths=direct,other"), [
      ...["push 1024 1 floor", "push 1024 1 direct"],
      ...["pull 1024 1 floor", "pull 1024 1 direct", "pull 1024 1 other"],
      ...["get 1024 1 floor", "get 1024 1 direct", "get 1024 1 other"],
    ]);
  },
});

Deno.test({
  name: "planCells() has no floor where there is nothing to compare",
  permissions: "none",
  fn() {
    const cells = planned("--sizes=64M", "--clients=1", "--paths=other");
    assertEquals(cells, ["pull 67108864 1 floor", "pull 67108864 1 other"]);
  },
});

Deno.test({
  name: "planCells() lets many clients share small files only",
  permissions: "none",
  fn() {
    assertEquals(planned("--sizes=512M", "--clients=16"), []);
    assertEquals(planned("--sizes=1M", "--clients=16", "--paths=direct").length, 6);
  },
});

Deno.test({
  name: "planCells() waits for every copy of a large file where it can look for them",
  permissions: "none",
  fn() {
    const stores = (...args: string[]) =>
      planned("--sizes=1K,64M", "--clients=1", ...args).filter((name) => name.startsWith("store"));
    assertEquals(stores(), ["store 67108864 1 direct"]);
    assertEquals(stores("--peer=a:1"), []);
    assertEquals(stores("--peer=a:1", "--peer-data=nodes"), ["store 67108864 1 direct"]);
  },
});

Deno.test({
  name: "callsMaxOf() bounds what a run moves",
  permissions: "none",
  fn() {
    const cell = { operation: "push", clients: 16, path: "direct" } as const;
    assertEquals(callsMaxOf({ ...cell, size: 1024 ** 2 }), 4);
    assertEquals(callsMaxOf({ ...cell, size: 0 }), 4096);
    assertEquals(callsMaxOf({ ...cell, size: 64 * 1024 ** 2 }), 1);
  },
});

Deno.test({
  name: "diskBytesOf() has room for two copies of every push",
  permissions: "none",
  fn() {
    const options = optionsOf("--sizes=512M", "--clients=1", "--runs=5", "--paths=direct,gateway");
    // Until OK directly and by the gateway, and until every copy is there.
    const pushed = 3 * 2 * 5 * 512 * 1024 ** 2;
    const bytes = diskBytesOf(options);
    assert(bytes > pushed && bytes < 2 * pushed, `${bytes}`);
  },
});
