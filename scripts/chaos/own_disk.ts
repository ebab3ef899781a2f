import { statfsSync } from "node:fs";

/** The disk has so many bytes while it is not full: memory that is used only when it is written. */
const diskBytes = 2 * 1024 ** 3;

/** Attempts to make the disk just as large as what is on it, which grows meanwhile. */
const fillAttemptsMax = 20;

/** A small disk in memory, mounted where one node keeps everything. Needs root. */
export class OwnDisk implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * Mounts one.
   *
   * @returns `undefined` where that is not allowed.
   */
  static async mount(directory: string): Promise<OwnDisk | undefined> {
    if (Deno.build.os !== "linux" || Deno.uid() !== 0) return undefined;
    await Deno.mkdir(directory, { recursive: true });
    const size = `size=${diskBytes}`;
    const isMounted = await run("mount", ["-t", "tmpfs", "-o", size, "ouroboros-chaos", directory]);
    return isMounted ? new OwnDisk(directory) : undefined;
  }

  /** Leaves so many bytes free, or fewer. */
  async fill(freeBytes: number): Promise<void> {
    for (let attempt = 1; attempt <= fillAttemptsMax; attempt++) {
      const { bsize, blocks, bfree } = statfsSync(this.directory);
      if (await this.#resize(bsize * (blocks - bfree) + freeBytes + attempt * bsize)) return;
    }
    throw new Error(`The disk at '${this.directory}' cannot be made smaller`);
  }

  /** Has space again. */
  async empty(): Promise<void> {
    if (!await this.#resize(diskBytes)) {
      throw new Error(`'${this.directory}' cannot be made larger`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await unmount(this.directory);
  }

  #resize(bytes: number): Promise<boolean> {
    return run("mount", ["-o", `remount,size=${bytes}`, this.directory]);
  }
}

/** Unmounts what is mounted at a directory; what is still in use goes with its last user. */
export async function unmount(directory: string): Promise<void> {
  if (await run("umount", [directory])) return;
  await run("umount", ["--lazy", directory]);
}

async function run(command: string, args: readonly string[]): Promise<boolean> {
  try {
    const child = new Deno.Command(command, { args: [...args], stdout: "null", stderr: "null" });
    return (await child.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
