import { statfsSync } from "node:fs";
import { parentOf } from "./paths.ts";

/**
 * The bytes that the user of this process may still write on the disk of a file or directory, which
 * need not exist yet; `undefined` where the system does not tell or the permission
 * `--allow-sys=statfs` was not given. Asks the system, not the disk.
 */
export function freeBytes(path: string): number | undefined {
  for (let at = path;; at = parentOf(at)) {
    try {
      const { bavail, bsize } = statfsSync(at);
      return bavail * bsize;
    } catch (error) {
      // Not there yet: its parent is on the same disk. Anything else: nobody can tell.
      const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!missing || at === "." || at === "/") return undefined;
    }
  }
}
