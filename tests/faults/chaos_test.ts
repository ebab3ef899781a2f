/**
 * A short chaos run, as a quick case: clients work on a ring of real processes while it is being broken,
 * and everything they read is right. `deno task chaos --minutes 10` is the long one.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";

/** How long it takes, in minutes. */
const minutes = 0.2;

/** Faults that are injected in that time at least: one kind after the other. */
const injectedMin = 3;

/** A process that is killed, one that loses its disk, and chunks that are damaged. */
const faults = "kill-node,kill-gateway,wipe-dead-node,flip-chunks,truncate-chunks,net-cut";

Deno.test({
  name: "nothing acknowledged is lost or wrong in a short chaos run",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const [chaos, config] = ["../../scripts/chaos.ts", "../../deno.json"]
      .map((path) => fileURLToPath(new URL(path, import.meta.url)));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "-A",
        `--config=${config}`,
        `${chaos}`,
        `--minutes=${minutes}`,
        "--seed=1",
        "--nodes=4",
        "--clients=4",
        "--proxies=1",
        "--durability=relaxed",
        `--faults=${faults}`,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const result = new TextDecoder().decode(stdout);
    assertEquals(code, 0, `${new TextDecoder().decode(stderr)}\n${result}`);
    assert(/^lost +0$/m.test(result) && /^wrong +0$/m.test(result), result);
    const injected = Number(/^faults injected +([0-9]+)$/m.exec(result)?.[1]);
    assert(injected >= injectedMin, result);
  },
});
