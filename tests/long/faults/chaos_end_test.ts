/**
 * Whatever ends a chaos run, no process, mount or directory of it is left.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { toText } from "@std/streams/to-text";
import { fileURLToPath } from "node:url";
import { clearRun, mountsBelow } from "../../../scripts/chaos/leftovers.ts";
import { findProcesses, processStart } from "../../../scripts/bench/process_usage.ts";
import { waitUntil } from "../../support/program.ts";
import { temporaryDirectory } from "../../support/real_file.ts";

const chaosUrl = new URL("../../../scripts/chaos.ts", import.meta.url);

const isLinux = Deno.build.os === "linux";

/** How long it may take to clear up, in ms, on a busy machine. */
const clearMs = 30_000;

/** A chaos run in a directory of temporary files that only runs of one test use. */
class ChaosProcess implements AsyncDisposable {
  readonly #root: string;
  readonly #child: Deno.ChildProcess;
  readonly #heard: Promise<void>;
  readonly stdout: Promise<string>;
  stderr = "";
  #directory: string | undefined;

  /**
   * @param faults Those that are injected.
   * @param script What is run instead of the chaos run's own script.
   */
  constructor(root: string, { faults, script }: { faults: string; script?: string }) {
    this.#root = root;
    const config = fileURLToPath(new URL("../../../deno.json", import.meta.url));
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "-A", `--config=${config}`],
        ...[
          script ?? fileURLToPath(chaosUrl),
          "--minutes=5",
          "--seed=7",
          "--nodes=3",
          "--clients=2",
          "--proxies=1",
        ],
        ...["--durability=relaxed", `--faults=${faults}`],
      ],
      env: { TMPDIR: root, NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.stdout = toText(this.#child.stdout);
    this.#heard = this.#hear();
  }

  async #hear(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.stderr += text;
    }
  }

  /** Waits until it says something; gives the directory of the run. */
  async says(text: string): Promise<string> {
    await waitUntil(() => `it says '${text}': ${this.stderr}`, 60_000, () => {
      return this.stderr.includes(text);
    });
    const [name, more] = await runsIn(this.#root);
    assertEquals(more, undefined);
    return this.#directory = `${this.#root}/${name}`;
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** The exit code; its output is whole then. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#heard;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.signal("SIGTERM");
    } catch {
      // It has ended, as it should have.
    }
    await this.ended();
    await this.stdout;
    // A test that has failed may have left something.
    if (this.#directory !== undefined) await clearRun(this.#directory);
  }
}

/** Whether there is something for a run to leave behind. */
async function assertRuns(directory: string): Promise<void> {
  // A supervisor, a gateway and three nodes, of which one may have just been killed.
  assert((await findProcesses(directory)).length >= 4, "the ring runs");
  // Only root mounts something.
  assertEquals((await mountsBelow(directory)).length, Deno.uid() === 0 ? 1 : 0);
}

/** The names of the directories of runs. */
async function runsIn(root: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(root), ({ name }) => name);
  return names.filter((name) => name.startsWith("ouroboros-chaos-"));
}

/** Waits until nothing is left of a run. */
async function assertCleared(root: string, directory: string): Promise<void> {
  let left: unknown;
  await waitUntil(() => `nothing is left: ${JSON.stringify(left)}`, clearMs, async () => {
    const processes = await findProcesses(directory);
    left = [processes, await mountsBelow(root), await runsIn(root)];
    return JSON.stringify(left) === "[[],[],[]]";
  });
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test({
    name: `a chaos run leaves nothing after ${signal}`,
    ignore: !isLinux,
    async fn() {
      await using root = await temporaryDirectory();
      await using chaos = new ChaosProcess(root.path, { faults: "full-disk,kill-node" });
      const directory = await chaos.says("healed in");
      await assertRuns(directory);
      chaos.signal(signal);
      assertEquals(await chaos.ended(), 130);
      await assertCleared(root.path, directory);
      assertStringIncludes(chaos.stderr, "seed 7\n");
      assertEquals(chaos.stderr.includes("FAILED"), false);
    },
  });
}

for (
  const [what, mistake] of [
    ["a rejection that nobody handles", `Promise.reject(new Error("a mistake"))`],
    ["an error that nobody catches", `setTimeout(() => { throw new Error("a mistake"); })`],
  ]
) {
  Deno.test({
    name: `a chaos run leaves nothing after ${what}`,
    ignore: !isLinux,
    async fn() {
      await using root = await temporaryDirectory();
      const script = `${root.path}/chaos.js`;
      await Deno.writeTextFile(
        script,
        `import { main } from "${chaosUrl}";
        const timer = setInterval(() => {
          try {
            Deno.statSync("${root.path}/now");
          } catch {
            return;
          }
          clearInterval(timer);
          ${mistake};
        }, 20);
        Deno.exit(await main(Deno.args));`,
      );
      await using chaos = new ChaosProcess(root.path, { faults: "full-disk,kill-node", script });
      const directory = await chaos.says("ring of 3 nodes");
      await assertRuns(directory);
      await Deno.writeTextFile(`${root.path}/now`, "");
      assertEquals(await chaos.ended(), 1);
      await assertCleared(root.path, directory);
      assertMatch(chaos.stderr, /\nFAILED with seed 7, .*\nError: a mistake\n/);
    },
  });
}

Deno.test({
  name: "a chaos run leaves nothing after SIGKILL, as its guard clears up",
  ignore: !isLinux,
  async fn() {
    await using root = await temporaryDirectory();
    // A stopped node has to go as well.
    await using chaos = new ChaosProcess(root.path, { faults: "full-disk,stop-node" });
    const directory = await chaos.says("healed in");
    await assertRuns(directory);
    chaos.signal("SIGKILL");
    await assertCleared(root.path, directory);
    await chaos.ended();
  },
});

Deno.test({
  name: "what a chaos run has left that was killed with its guard is cleared by the next",
  ignore: !isLinux,
  async fn() {
    await using root = await temporaryDirectory();
    await using chaos = new ChaosProcess(root.path, { faults: "full-disk,kill-node" });
    const directory = await chaos.says("ring of 3 nodes");
    const { guard } = JSON.parse(await Deno.readTextFile(`${directory}/owner.json`));
    Deno.kill(guard, "SIGKILL");
    chaos.signal("SIGKILL");
    await waitUntil("it has ended", 10_000, async () => {
      return await processStart(guard) === undefined;
    });
    await assertRuns(directory);
    // Whose owner lives is left alone, and what was kept for somebody.
    const kept = `${root.path}/ouroboros-chaos-kept`;
    await Deno.mkdir(kept);
    await using next = new ChaosProcess(root.path, { faults: "kill-node" });
    await waitUntil(() => `it clears up: ${next.stderr}`, clearMs, () => {
      return next.stderr.includes(`cleared what a killed run has left: ${directory}`);
    });
    assertEquals(await findProcesses(directory), []);
    await Deno.remove(kept);
    const mine = await next.says("ring of 3 nodes");
    await using third = new ChaosProcess(root.path, { faults: "kill-node" });
    await waitUntil(() => third.stderr, 60_000, () => {
      return third.stderr.includes("ring of 3 nodes");
    });
    assertEquals(third.stderr.includes("cleared"), false);
    assert((await findProcesses(mine)).length >= 4, "the other run goes on");
  },
});
