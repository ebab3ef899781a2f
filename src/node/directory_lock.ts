import { NodeLock } from "../store/lock.ts";

/**
 * The lock of a node's directory, kept for as long as the node runs: whoever removes the directory
 * under a running node removes the lock's file too, and a second process could take a new one.
 */
export class DirectoryLock implements Disposable {
  readonly #directory: string;
  #lock: NodeLock;

  private constructor(directory: string, lock: NodeLock) {
    this.#directory = directory;
    this.#lock = lock;
  }

  /** Takes the lock; `undefined` when another process holds it. */
  static async take(directory: string): Promise<DirectoryLock | undefined> {
    const lock = await NodeLock.take(directory);
    return lock && new DirectoryLock(directory, lock);
  }

  /** Takes the lock again if its file is gone; false when another process was faster. */
  async keep(): Promise<boolean> {
    if (this.#lock.isStillThere()) return true;
    const lock = await NodeLock.take(this.#directory);
    if (lock === undefined) return false;
    this.#lock[Symbol.dispose]();
    this.#lock = lock;
    return true;
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}
