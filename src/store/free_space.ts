import { statfsSync } from "node:fs";
import { parentOf } from "./paths.ts";

/** The room on a disk, in bytes. */
export interface DiskSpace {
  /** What the user of this process may still write. */
  readonly freeBytes: number;
  readonly sizeBytes: number;
}

/** The {@linkcode DiskSpace.freeBytes} of {@linkcode diskSpace}. */
export function freeBytes(path: string): number | undefined {
  return diskSpace(path)?.freeBytes;
}

/**
 * The room on the disk of a file or directory, which need not exist yet; `undefined` where the system
 * does not tell or the permission `--allow-sys=statfs` was not given. Asks the system, not the disk.
 */
export function diskSpace(path: string): DiskSpace | undefined {
  for (let at = path;; at = parentOf(at)) {
    try {
      const { bavail, blocks, bsize } = statfsSync(at);
      return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
    } catch (error) {
      // Not there yet: its parent is on the same disk. Anything else: nobody can tell.
      const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!missing || at === "." || at === "/") return undefined;
    }
  }
}
