/**
 * What the system says of processes; needs `/proc`.
 *
 * @module
 */

/** The most memory that a process has had resident, in MiB. */
export async function peakMemoryMiB(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const [, kib] = /^VmHWM:\s+([0-9]+) kB$/m.exec(status) ?? [];
  if (kib === undefined) throw new Error(`The system does not tell the memory of process ${pid}`);
  return Number(kib) / 1024;
}

/** How many descriptors a process has open. */
export async function openDescriptors(pid: number): Promise<number> {
  return (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`))).length;
}

/** The command line of a process, an argument an entry; none when it has ended. */
export async function argumentsOf(pid: number): Promise<string[]> {
  try {
    const text = await Deno.readTextFile(`/proc/${pid}/cmdline`);
    return text.split("\0").slice(0, -1);
  } catch (error) {
    // It has ended, before or while its file was read.
    if (error instanceof Deno.errors.NotFound || isNoSuchProcess(error)) return [];
    throw error;
  }
}

/** The environment that a process was started with. */
export async function environmentOf(pid: number): Promise<Map<string, string>> {
  const text = await Deno.readTextFile(`/proc/${pid}/environ`);
  const entries = text.split("\0").slice(0, -1).map((entry): [string, string] => {
    const [name = "", ...value] = entry.split("=");
    return [name, value.join("=")];
  });
  return new Map(entries);
}

/** The processes that run now with an argument in which a text occurs: those of a ring, by its directory. */
export async function processesWith(text: string): Promise<number[]> {
  const pids = (await Array.fromAsync(Deno.readDir("/proc"), ({ name }) => Number(name)))
    .filter((pid) => Number.isInteger(pid) && pid !== Deno.pid);
  const found = await Promise.all(
    pids.map(async (pid) => (await argumentsOf(pid)).some((argument) => argument.includes(text))),
  );
  return pids.filter((_, index) => found[index]);
}

/** Whether somebody listens on a port of 127.0.0.1. */
export async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

function isNoSuchProcess(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ESRCH";
}
