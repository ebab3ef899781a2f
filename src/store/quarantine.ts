import type { Logger } from "../runtime/log.ts";
import { isNotFound } from "./errors.ts";
import type { Failpoint } from "./failpoint.ts";
import type { StorePaths } from "./paths.ts";

/**
 * Damaged files that are kept for people to look at. Of more than these the next ones are deleted: a
 * dying disk must not fill what is left of it.
 */
const quarantineFilesMax = 256;

/** How a {@linkcode Quarantine} works. */
export interface QuarantineOptions {
  readonly paths: StorePaths;
  readonly log: Logger;
  readonly failpoint: Failpoint;
}

/** The directory into which files go that are not what they should be. */
export class Quarantine {
  readonly #options: QuarantineOptions;

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /** How many files are in it. */
  count(): number {
    return this.#names().length;
  }

  /**
   * Moves a file into quarantine under a name that begins with `label`; whether it was there.
   *
   * @param reason what is wrong with it, for the log
   */
  take(path: string, label: string, reason: string): boolean {
    const { paths, log, failpoint } = this.#options;
    const names = this.#names();
    try {
      if (names.length >= quarantineFilesMax) {
        Deno.removeSync(path);
        log.warn("damaged file deleted as quarantine is full", { file: label, reason });
        return true;
      }
      let name = label;
      for (let number = 2; names.includes(name); number++) name = `${label}-${number}`;
      Deno.renameSync(path, `${paths.quarantine}/${name}`);
      failpoint("quarantine: file moved");
      log.warn("file quarantined", { file: name, reason });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  #names(): string[] {
    try {
      return [...Deno.readDirSync(this.#options.paths.quarantine)].map((entry) => entry.name);
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  }
}
