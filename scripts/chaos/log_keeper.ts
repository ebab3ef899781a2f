import { pause } from "./pause.ts";

/** How often the logs are read, in ms: a process that is killed has written its lines. */
const readEveryMs = 300;

/** What is read at a time, in bytes. */
const pieceBytes = 256 * 1024;

/**
 * Copies logs while they are written, as they are rotated, and removed together with a node's directory:
 * what a node said early in a long run is kept as well.
 */
export class LogKeeper implements AsyncDisposable {
  readonly #followed: readonly Followed[];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  /** @param copies The path of each log, to where it is copied. */
  constructor(copies: ReadonlyMap<string, string>) {
    this.#followed = [...copies].map(([path, copy]) => new Followed(path, copy));
    this.#running = this.#run();
  }

  /** Copies what has been written until now. */
  async catchUp(): Promise<void> {
    for (const followed of this.#followed) await followed.copy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("The logs are no longer kept"));
    await this.#running;
    for (const followed of this.#followed) followed[Symbol.dispose]();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.catchUp();
      await pause(readEveryMs, signal).catch(() => {/* the loop looks at the signal */});
    }
  }
}

/** One log that is copied, whichever file has its name. */
class Followed implements Disposable {
  readonly #path: string;
  readonly #copy: string;
  #file: Deno.FsFile | undefined;
  #inode: number | null = null;
  #copying: Promise<void> | undefined;

  constructor(path: string, copy: string) {
    this.#path = path;
    this.#copy = copy;
  }

  /** Copies what is new; one copy at a time. */
  copy(): Promise<void> {
    this.#copying ??= this.#copyNew().finally(() => this.#copying = undefined);
    return this.#copying;
  }

  async #copyNew(): Promise<void> {
    await this.#drain();
    const inode = await Deno.stat(this.#path).then(({ ino }) => ino, () => null);
    if (inode === null || inode === this.#inode) return;
    this.#file?.close();
    // It may be gone again.
    this.#file = await Deno.open(this.#path).catch(() => undefined);
    this.#inode = this.#file === undefined ? null : (await this.#file.stat()).ino;
    await this.#drain();
  }

  async #drain(): Promise<void> {
    if (this.#file === undefined) return;
    const buffer = new Uint8Array(pieceBytes);
    for (;;) {
      const count = await this.#file.read(buffer);
      if (count === null) return;
      await Deno.writeFile(this.#copy, buffer.subarray(0, count), { append: true, create: true });
    }
  }

  [Symbol.dispose](): void {
    this.#file?.close();
  }
}
