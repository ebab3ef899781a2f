/** A process of a ring, found by its command line. */
export interface RingProcess {
  readonly pid: number;
  readonly role: "supervisor" | "gateway" | "node";
  /** `host:port` of a node; empty for the others. */
  readonly address: string;
}

/** What a process has used so far. */
export interface Usage {
  /** Seconds of all its threads, of the program and of the kernel for it. */
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** The most memory it had resident since it started, or since {@linkcode resetPeak}. */
  readonly peakBytes: number;
}

/** Ticks of a CPU time in /proc a second; what Linux tells programs, whatever the kernel does itself. */
const ticksPerSecond = 100;

const roles = new Map<string, RingProcess["role"]>([
  ["run", "node"],
  ["gateway", "gateway"],
  ["set-network", "supervisor"],
]);

/**
 * Finds the processes that have a directory in their command line, as those of a ring have the one they
 * keep their files in. Whoever started them: a respawned node is found as well. None where there is no
 * /proc.
 */
export async function findProcesses(directory: string): Promise<RingProcess[]> {
  const found: RingProcess[] = [];
  for (const name of await listProcesses()) {
    const args = (await readIfThere(`/proc/${name}/cmdline`) ?? "").split("\0");
    if (!args.some((arg) => arg.includes(directory))) continue;
    // `deno run main.ts run …` has the word of the runtime before the program's own.
    const script = args.findIndex((arg) => arg.endsWith("main.ts"));
    const role = roles.get(args[script === -1 ? 1 : script + 1] ?? "");
    if (role === undefined) continue;
    const address = args.find((arg) => arg.startsWith("--addr="))?.slice("--addr=".length) ?? "";
    found.push({ pid: Number(name), role, address });
  }
  return found;
}

/** What a process has used; `undefined` when it is gone. */
export async function readUsage(pid: number): Promise<Usage | undefined> {
  const [stat, status] = await Promise.all([
    readIfThere(`/proc/${pid}/stat`),
    readIfThere(`/proc/${pid}/status`),
  ]);
  if (stat === undefined || status === undefined) return undefined;
  // The name in parentheses may have anything in it, so the fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const peak = /^VmHWM:\s+([0-9]+) kB$/m.exec(status);
  return {
    userSeconds: Number(fields[11]) / ticksPerSecond,
    systemSeconds: Number(fields[12]) / ticksPerSecond,
    peakBytes: Number(peak?.[1] ?? 0) * 1024,
  };
}

/** Milliseconds since a process was started, to the tick; `undefined` when it is gone. */
export async function processAgeMs(pid: number): Promise<number | undefined> {
  const [startTicks, uptime] = await Promise.all([processStart(pid), readIfThere("/proc/uptime")]);
  if (startTicks === undefined || uptime === undefined) return undefined;
  return (Number(uptime.split(" ")[0]) - Number(startTicks) / ticksPerSecond) * 1000;
}

/**
 * When a process was started, in ticks since the machine was; `undefined` when it is gone, or only waits
 * to be reaped.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  return state === "Z" || state === "X" ? undefined : fields[18];
}

/** Makes the peak of a process what it has resident now; `false` where the system does not let us. */
export async function resetPeak(pid: number): Promise<boolean> {
  try {
    await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5", { create: false });
    return true;
  } catch {
    // The process is gone, or the system has none of this: then peaks are those since the start.
    return false;
  }
}

async function listProcesses(): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir("/proc"), ({ name }) => name);
    return entries.filter((name) => /^[0-9]+$/.test(name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    // A process may end at any moment, between two reads and within one.
    return undefined;
  }
}
