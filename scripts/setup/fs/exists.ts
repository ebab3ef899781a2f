/**
 * Stand-in for `@std/fs/exists`.
 *
 * @module
 */

/** What else has to be true of the path. */
export interface ExistsOptions {
  /** Whether it has to be readable by this user. */
  isReadable?: boolean;
  /** Whether it has to be a directory; not together with `isFile`. */
  isDirectory?: boolean;
  /** Whether it has to be a file; not together with `isDirectory`. */
  isFile?: boolean;
}

/**
 * Tells whether something is at a path. Acting and catching `NotFound` is the safer way, as another
 * process may change the answer.
 */
export async function exists(path: string | URL, options?: ExistsOptions): Promise<boolean> {
  if (options?.isDirectory && options.isFile) {
    throw new TypeError("Cannot ask for a directory and a file: isDirectory and isFile are set");
  }
  try {
    const info = await Deno.stat(path);
    if (options?.isDirectory && !info.isDirectory) return false;
    if (options?.isFile && !info.isFile) return false;
    if (options?.isReadable && info.isFile) (await Deno.open(path)).close();
    if (options?.isReadable && info.isDirectory) {
      await Deno.readDir(path)[Symbol.asyncIterator]().next();
    }
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.PermissionDenied) return !options?.isReadable;
    throw error;
  }
}
