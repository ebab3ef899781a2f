import { statfs } from "node:fs/promises";

/** The machine that figures were taken on; without it they say little. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly deno: string;
  /** Processes that ran or waited in the last minute before the benchmark. */
  readonly loadBefore: number;
}

/** What a benchmark needs of the machine. */
export interface Needs {
  readonly directory: string;
  readonly diskBytes: number;
  readonly memoryBytes: number;
}

/** Thrown when the machine has too little of something; the message is one line for its user. */
export class NotEnoughError extends Error {
  override readonly name = "NotEnoughError";
}

/** Bytes of the disk that are left alone. */
const diskReserveBytes = 512 * 1024 ** 2;

/** Describes this machine. */
export async function describeMachine(): Promise<Machine> {
  const model = await readMatch("/proc/cpuinfo", /^model name\s*: (.+)$/m);
  return {
    cpu: model ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    memoryBytes: Deno.systemMemoryInfo().total,
    system: `${Deno.build.os} ${Deno.osRelease()}`,
    deno: Deno.version.deno,
    loadBefore: Deno.loadavg()[0] ?? 0,
  };
}

/**
 * Makes sure that the machine has what is needed.
 *
 * @throws {NotEnoughError} Saying what it lacks.
 */
export async function assertEnough({ directory, diskBytes, memoryBytes }: Needs): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const needed = diskBytes + diskReserveBytes;
  if (bavail * bsize < needed) {
    throw new NotEnoughError(
      `Not enough disk in '${directory}': ${showAbout(bavail * bsize)} free, ${
        showAbout(needed)
      } ` +
        "needed; choose smaller --sizes, fewer --runs, or another --dir",
    );
  }
  const { available } = Deno.systemMemoryInfo();
  if (available < memoryBytes) {
    throw new NotEnoughError(
      `Not enough memory: ${showAbout(available)} available, ${
        showAbout(memoryBytes)
      } needed; choose ` +
        "smaller --sizes or fewer --nodes",
    );
  }
}

/** Waits until the disk has all that was written, so that nobody pays for what was before. */
export async function syncDisks(): Promise<void> {
  if (Deno.build.os === "windows") return;
  await new Deno.Command("sync", { stdin: "null", stdout: "null", stderr: "null" }).output();
}

/** Uses so many bytes of memory for files and gives them back, so that the next files get them. */
export async function touchMemory(directory: string, bytes: number): Promise<void> {
  const path = `${directory}/touched`;
  const block = new Uint8Array(1024 ** 2);
  using file = await Deno.open(path, { write: true, create: true });
  try {
    for (let written = 0; written < bytes;) written += await file.write(block);
  } finally {
    await Deno.remove(path);
  }
}

/** A number of bytes, rounded to what one can read. */
function showAbout(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  return mebibytes < 1024 ? `${mebibytes.toFixed(0)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

async function readMatch(path: string, pattern: RegExp): Promise<string | undefined> {
  try {
    return pattern.exec(await Deno.readTextFile(path))?.[1];
  } catch {
    // Only Linux has these files.
    return undefined;
  }
}
