import { parentOf } from "./paths.ts";

/**
 * Lets many callers share one sync. Who waits while a sync runs gets the next one, as the running one
 * may have begun before that caller's bytes were written.
 */
export class GroupSync {
  readonly #sync: () => Promise<void>;
  #running = false;
  #next: PromiseWithResolvers<void> | undefined;

  /** `sync` is never called while a call of it runs. */
  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /**
   * Resolves once a sync that began after this call has ended.
   *
   * @throws what that sync throws.
   */
  wait(): Promise<void> {
    if (!this.#running) return this.#start();
    this.#next ??= Promise.withResolvers();
    return this.#next.promise;
  }

  async #start(): Promise<void> {
    this.#running = true;
    try {
      await this.#sync();
    } finally {
      this.#running = false;
      const next = this.#next;
      this.#next = undefined;
      if (next !== undefined) this.#start().then(next.resolve, next.reject);
    }
  }
}

/**
 * Makes the names in a directory durable. Windows has no such call, and needs none: a rename there is
 * in the journal of the file system.
 */
export async function syncDirectory(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using directory = openDirectory(path);
  await directory.sync();
}

/** At once: who waits for a sync need not wait for another thread before. */
function openDirectory(path: string): Deno.FsFile {
  return Deno.openSync(path);
}

/** Writes a small file so that after a crash the old or the new text is there, never a part. */
export async function writeFileDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  {
    using file = await Deno.open(temporary, { create: true, write: true, truncate: true });
    let rest = new TextEncoder().encode(text);
    while (rest.length > 0) rest = rest.subarray(await file.write(rest));
    await file.sync();
  }
  await Deno.rename(temporary, path);
  await syncDirectory(parentOf(path));
}
