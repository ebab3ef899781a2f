import { assert, assertEquals, assertMatch } from "@std/assert";
import { processesWith } from "../support/system_processes.ts";
import { fileURLToPath } from "node:url";

const linesMax = 30;
const demoMs = 30_000;

Deno.test("the demo tells its story in time, and leaves nothing", async () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const temporary = await Deno.makeTempDir({ prefix: "ouroboros-e2e-" });
  const startMs = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/demo.ts"],
    cwd: root,
    env: { TMPDIR: temporary, NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(90_000),
  }).output();
  const tookMs = Math.round(performance.now() - startMs);
  const story = new TextDecoder().decode(stdout);
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""], story);
  const lines = story.trimEnd().split("\n");
  assert(lines.length <= linesMax, `it has ${lines.length} lines`);
  for (const word of ["README.md", "SIGKILL", "SHA-256", "Alive"]) assertMatch(story, RegExp(word));
  assertEquals(await processesWith(temporary), []);
  // Fails when something is left in it.
  await Deno.remove(temporary);
  console.log(`The demo took ${tookMs} ms; ${demoMs} are its bound.`);
  assert(tookMs < demoMs, `it took ${tookMs} ms`);
});
