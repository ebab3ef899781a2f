import { assertEquals, assertThrows } from "@std/assert";
import { BenchUsageError, parseBenchOptions } from "../../scripts/bench/options.ts";

Deno.test({
  name: "parseBenchOptions() measures everything when nothing is said",
  permissions: "none",
  fn() {
    const options = parseBenchOptions([]);
    const sizes = [1024, 64 * 1024, 1024 ** 2, 64 * 1024 ** 2, 512 * 1024 ** 2];
    assertEquals(options?.sizes, sizes);
    assertEquals(options?.nodeCounts, [1, 3, 5, 20]);
    assertEquals(options?.clients, [1, 4, 16]);
    assertEquals(options?.durabilities, ["relaxed", "fsync"]);
    assertEquals(options?.paths, ["direct", "other", "gateway"]);
    assertEquals([options?.only, options?.rows, options?.runs], [["table", "matrix"], ["all"], 5]);
  },
});

Deno.test({
  name: "parseBenchOptions() leaves out the part that nothing is said about",
  permissions: "none",
  fn() {
    const parts = [["--only=table"], ["--rows=heal"], ["--sizes=1K"], ["--quick"], ["--runs=2"]];
    assertEquals(parts.map((args) => parseBenchOptions(args)?.only.join()), [
      ...["table", "table", "matrix", "matrix", "table,matrix"],
    ]);
    // The table alone is for every day.
    const table = parseBenchOptions(["--only=table"]);
    assertEquals([table?.rows, table?.runs], [undefined, 3]);
    assertThrows(() => parseBenchOptions(["--rows=heal", "--peer=a:1"]), BenchUsageError);
  },
});

Deno.test({
  name: "parseBenchOptions() reads lists, and each value once",
  permissions: "none",
  fn() {
    const options = parseBenchOptions([
      ...["--sizes", "64K,1MiB,65536", "--nodes=1,3", "--clients=1,4,16"],
      ...["--durability=relaxed,fsync", "--paths=other"],
    ]);
    assertEquals(options?.sizes, [65536, 1024 ** 2]);
    assertEquals(options?.nodeCounts, [1, 3]);
    assertEquals(options?.clients, [1, 4, 16]);
    assertEquals(options?.durabilities, ["relaxed", "fsync"]);
    assertEquals(options?.paths, ["other"]);
  },
});

Deno.test({
  name: "parseBenchOptions() --quick leaves out what takes long, unless it is asked for",
  permissions: "none",
  fn() {
    assertEquals(parseBenchOptions(["--quick"])?.sizes, [1024, 1024 ** 2, 64 * 1024 ** 2]);
    assertEquals(parseBenchOptions(["--quick", "--sizes=1"])?.sizes, [1]);
    assertEquals(parseBenchOptions(["--quick", "--runs=9"])?.runs, 9);
  },
});

Deno.test({
  name: "parseBenchOptions() goes to a running ring by the ways that its addresses give",
  permissions: "none",
  fn() {
    assertEquals(parseBenchOptions(["--peer=a:1"])?.paths, ["direct"]);
    assertEquals(parseBenchOptions(["--peer=a:1,b:2"])?.paths, ["direct", "other"]);
  },
});

Deno.test({
  name: "parseBenchOptions() says what does not fit",
  permissions: "none",
  fn() {
    const wrong = [
      ["--sizes=big", "'big' is not a size"],
      ["--nodes=0", "'0' is not 1 to 100 nodes"],
      ["--durability=never", "'never' is not fsync or relaxed"],
      ["--paths=there", "'there' is not direct, other or gateway"],
      ["--peer=nowhere", "'nowhere' is not a HOST:PORT"],
      ["--peer=a:1,b:2,c:3", "--peer takes one node or two"],
      ["--what", "Unknown argument '--what'; see --help"],
      ["what", "Unknown argument 'what'; see --help"],
    ] as const;
    for (const [arg, message] of wrong) {
      assertThrows(() => parseBenchOptions([arg]), BenchUsageError, message);
    }
  },
});

Deno.test({
  name: "parseBenchOptions() refuses a list of nothing",
  permissions: "none",
  fn() {
    assertThrows(() => parseBenchOptions(["--sizes="]), BenchUsageError, "--sizes is empty");
  },
});
