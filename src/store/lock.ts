import { statIfThere } from "./if_there.ts";

/** How long {@linkcode NodeLock.take} waits: a free lock is got in well under 1 ms. */
const lockWaitMs = 150;

/**
 * The right to run the node of a directory: the lock on its file `lock`, which the system takes back
 * when the process ends, however it ends.
 */
export class NodeLock implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #inode: number | null;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
    this.#inode = file.statSync().ino;
  }

  /**
   * Takes the lock of a node's directory, which it makes if it is not there.
   *
   * @param waitMs how long to wait for another holder before `undefined` says that there is one; the
   * runtime's `tryLock` is newer than the oldest runtime that is supported
   */
  static async take(directory: string, waitMs = lockWaitMs): Promise<NodeLock | undefined> {
    await Deno.mkdir(directory, { recursive: true });
    const path = `${directory}/lock`;
    const file = await Deno.open(path, { create: true, read: true, write: true });
    const locked = file.lock(true).then(() => true);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => timer = setTimeout(resolve, waitMs, false));
    try {
      if (await Promise.race([locked, late])) return new NodeLock(path, file);
    } catch (error) {
      file.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    // Nobody can take the request back: once the lock is ours after all, it is let go. That the
    // request fails then means the same.
    locked.then(() => file.close(), () => file.close());
    return undefined;
  }

  /** False once somebody removed the file: another process could take the lock of a new one. */
  isStillThere(): boolean {
    return statIfThere(this.#path)?.ino === this.#inode;
  }

  /** Lets the lock go; the file stays. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
