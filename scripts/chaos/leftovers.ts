import { findProcesses } from "../bench/process_usage.ts";
import { unmount } from "./own_disk.ts";

/** How long killed processes may take to end, in ms: a stopped one in the middle of a sync needs it. */
const killedMs = 20_000;

/** The pause between two looks at what still runs, in ms. */
const lookMs = 20;

/** Attempts to delete a directory into which a process that ends still writes. */
const removeAttemptsMax = 20;

/**
 * Ends every process that keeps its files below a directory by SIGKILL, whoever started it, supervisors
 * first.
 *
 * @throws {Error} when some do not end in time
 */
export async function endProcesses(directory: string): Promise<void> {
  const endMs = performance.now() + killedMs;
  for (;;) {
    const processes = await findProcesses(`${directory}/`);
    if (processes.length === 0) return;
    if (performance.now() > endMs) throw new Error(`${processes.length} processes do not end`);
    const supervisors = processes.filter(({ role }) => role === "supervisor");
    // A supervisor that lives would start others meanwhile.
    for (const { pid } of supervisors.length > 0 ? supervisors : processes) {
      signalIfThere(pid, "SIGKILL");
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** Sends a signal to a process; false when it has ended meanwhile. */
export function signalIfThere(pid: number, signal: Deno.Signal): boolean {
  try {
    Deno.kill(pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Ends, unmounts and deletes all that a run has in its directory; also what is only left in part. */
export async function clearRun(directory: string): Promise<void> {
  await endProcesses(directory);
  for (const path of await mountsBelow(directory)) await unmount(path);
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.remove(directory, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (attempt === removeAttemptsMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }
}

/** The places below a directory where something is mounted, the innermost first. */
export async function mountsBelow(directory: string): Promise<string[]> {
  try {
    const lines = (await Deno.readTextFile("/proc/self/mounts")).split("\n");
    const paths = lines.map((line) => (line.split(" ")[1] ?? "").replaceAll("\\040", " "));
    return paths.filter((path) => path.startsWith(`${directory}/`)).reverse();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
