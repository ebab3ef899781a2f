import { assert, assertEquals } from "@std/assert";
import { NodeLock } from "../../src/store/lock.ts";

const lockUrl = new URL("../../src/store/lock.ts", import.meta.url).href;

/** A process that takes the lock, says what came of it, and waits for the end of its input. */
function spawnTaker(directory: string): Deno.ChildProcess {
  const code = `import { NodeLock } from ${JSON.stringify(lockUrl)};
    const lock = await NodeLock.take(${JSON.stringify(directory)});
    console.log(lock === undefined ? "held" : "taken");
    await Deno.stdin.read(new Uint8Array(1));
    Deno.exit(0);`;
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", code],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

async function firstLine(child: Deno.ChildProcess): Promise<string> {
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader.cancel();
  return text.trim();
}

async function end(child: Deno.ChildProcess): Promise<void> {
  await child.stdin.close();
  await child.status;
}

Deno.test("NodeLock.take() takes a lock once", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const holder = spawnTaker(`${directory}/7000`);
    assertEquals(await firstLine(holder), "taken");
    const second = spawnTaker(`${directory}/7000`);
    assertEquals(await firstLine(second), "held");
    await end(second);
    holder.kill("SIGKILL");
    await holder.status;
    await holder.stdin.close();
    const lock = await NodeLock.take(`${directory}/7000`, 5_000);
    assert(lock !== undefined);
    lock[Symbol.dispose]();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("NodeLock.isStillThere() notices that the file was removed or replaced", async () => {
  const directory = await Deno.makeTempDir();
  try {
    using lock = await NodeLock.take(directory, 5_000);
    assert(lock?.isStillThere());
    await Deno.remove(`${directory}/lock`);
    assertEquals(lock?.isStillThere(), false);
    using next = await NodeLock.take(directory, 5_000);
    assert(next?.isStillThere());
    assertEquals(lock?.isStillThere(), false);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
