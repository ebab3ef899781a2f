import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { parseReport } from "../../scripts/bench/compare.ts";
import { findProcesses } from "../../scripts/bench/process_usage.ts";

const script = fileURLToPath(new URL("../../scripts/bench.ts", import.meta.url));

/** The benchmark with these arguments; its files go below the directory. */
function bench(directory: string, ...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", script, `--dir=${directory}`, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function withDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
    assertEquals(await findProcesses(directory), []);
    assertEquals(await Array.fromAsync(Deno.readDir(directory)), []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("bench measures a ring, tells it as JSON, and leaves nothing behind", async () => {
  await withDirectory(async (directory) => {
    const args = ["--sizes=1KiB", "--clients=2", "--runs=1", "--length=20", "--heals=1", "--json"];
    const ring = ["--nodes=3", "--durability=fsync", "--paths=direct,gateway"];
    const { code, stdout, stderr } = await bench(directory, ...ring, ...args).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    const [measured] = parseReport(new TextDecoder().decode(stdout)).rings;
    assert(measured !== undefined);
    assertEquals([measured.nodes, measured.durability, measured.rounds], [3, "fsync", 1]);
    assertEquals(measured.cells.map(({ kind, path }) => `${kind} ${path}`), [
      ...["measured floor", "measured direct", "measured gateway"],
      ...["measured floor", "measured direct", "measured gateway"],
      ...["measured floor", "measured direct", "measured gateway"],
    ]);
    assert(measured.startMs !== undefined && measured.startMs > 0);
    if (Deno.build.os !== "linux") return;
    assert(measured.healMs !== undefined && measured.healMs.min > 0);
    const roles = measured.processes.map(({ role }) => role);
    assertEquals(roles, ["gateway", "node", "node", "node", "supervisor"]);
    assert(measured.processes.every(({ peakBytes }) => peakBytes > 1024 ** 2));
  });
});

Deno.test("bench measures rows of the table", async () => {
  await withDirectory(async (directory) => {
    const args = ["--rows=pull-16-gateway,heal", "--runs=1", "--length=5", "--json"];
    const { stdout } = await bench(directory, ...args).output();
    const { rings, table } = parseReport(new TextDecoder().decode(stdout));
    assertEquals(rings, []);
    assertEquals(table.map(({ id, kind }) => `${id} ${kind}`), [
      ...["pull-16-gateway measured", "heal measured"],
    ]);
  });
});

Deno.test({
  name: "bench ends on SIGINT with everything that it started",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await withDirectory(async (directory) => {
      const child = bench(directory, "--sizes=1KiB").spawn();
      const deadline = AbortSignal.timeout(20_000);
      while ((await findProcesses(directory)).length < 3) {
        deadline.throwIfAborted();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      child.kill("SIGINT");
      const { code, stdout } = await child.output();
      assertEquals([code, stdout.length], [130, 0]);
    });
  },
});

Deno.test("bench says what it cannot do", async () => {
  await withDirectory(async (directory) => {
    const cases = [
      [["--sizes=100GiB"], 1, "Not enough disk in"],
      [["--speed=high"], 2, "Unknown argument '--speed=high'"],
      [["--rows=heal,x"], 2, "There is no row 'x'"],
      [["--peer=127.0.0.1:1", "--quick"], 1, "cannot connect to 127.0.0.1:1"],
    ] as const;
    for (const [args, exitCode, message] of cases) {
      const { code, stderr } = await bench(directory, ...args).output();
      assertEquals(code, exitCode);
      assertStringIncludes(new TextDecoder().decode(stderr), message);
    }
  });
});
