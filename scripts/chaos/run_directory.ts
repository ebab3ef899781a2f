import { fileURLToPath } from "node:url";
import { processStart } from "../bench/process_usage.ts";
import { clearRun } from "./leftovers.ts";

/** What the directories of all runs are called, up to here. */
const prefix = "ouroboros-chaos-";

/** Says in such a directory whose it is. */
const ownerFile = "owner.json";

/** Who runs in a directory. */
interface Owner {
  /** The run's process, and the guard's. */
  readonly pid: number;
  readonly guard: number;
  /** When the run's process was started, as /proc tells it: another one may get its id. */
  readonly started: string;
}

/**
 * The directory where a run has everything: data, logs, mounts, and by it the processes are found. However
 * the run ends, nothing of it is left:
 *
 * 1. Dispose ends, unmounts and deletes it all.
 * 2. If this process is killed, its guard does: a process of its own, whose input then ends.
 * 3. If both are killed, the next run finds the directory, and nobody who owns it.
 */
export class RunDirectory implements AsyncDisposable {
  readonly path: string;
  readonly #guard: Deno.ChildProcess;
  readonly #words: WritableStreamDefaultWriter<Uint8Array>;
  #isKept = false;

  private constructor(path: string, guard: Deno.ChildProcess) {
    this.path = path;
    this.#guard = guard;
    this.#words = guard.stdin.getWriter();
  }

  /** Makes one, with its guard. */
  static async make(): Promise<RunDirectory> {
    const path = await Deno.makeTempDir({ prefix });
    // The path is not among the guard's arguments, by which the processes of a run are known.
    const guard = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", `--config=${here("../../deno.json")}`, here("guard.ts")],
      stdin: "piped",
      stdout: "null",
      stderr: "inherit",
      // Ctrl-C is for the run, which then clears up by itself.
      detached: true,
    }).spawn();
    const directory = new RunDirectory(path, guard);
    await directory.#say(path);
    const started = await processStart(Deno.pid) ?? "";
    const owner: Owner = { pid: Deno.pid, guard: guard.pid, started };
    await Deno.writeTextFile(`${path}/${ownerFile}`, JSON.stringify(owner));
    return directory;
  }

  /** Leaves on disk what is there, for somebody to look at it. */
  keep(): void {
    this.#isKept = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isKept) await Deno.remove(`${this.path}/${ownerFile}`);
    else await clearRun(this.path);
    await this.#say("done");
    await this.#words.close();
    await this.#guard.status;
  }

  async #say(line: string): Promise<void> {
    await this.#words.write(new TextEncoder().encode(`${line}\n`));
  }
}

/**
 * Clears away the runs of which nobody is left, of those that have their directories in this one.
 *
 * @returns their directories
 */
export async function clearAbandoned(root: string): Promise<string[]> {
  const cleared: string[] = [];
  for (const { name, isDirectory } of await Array.fromAsync(Deno.readDir(root))) {
    if (!isDirectory || !name.startsWith(prefix)) continue;
    const path = `${root}/${name}`;
    if (!await isAbandoned(path)) continue;
    await clearRun(path);
    cleared.push(path);
  }
  return cleared;
}

/** Whether a run was here, and neither its process nor its guard is left. */
async function isAbandoned(path: string): Promise<boolean> {
  try {
    const owner: Owner = JSON.parse(await Deno.readTextFile(`${path}/${ownerFile}`));
    // The guard may be at it; it needs less than that again.
    return await processStart(owner.pid) !== owner.started &&
      await processStart(owner.guard) === undefined;
  } catch (error) {
    // It is kept for somebody, or just begins, or is none of ours.
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return false;
    throw error;
  }
}

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
