/**
 * Stand-in for `@std/fs/ensure-dir`.
 *
 * @module
 */

/**
 * Makes a directory, and those above it, unless it is there.
 *
 * @throws {Error} If something else has that name.
 */
export async function ensureDir(dir: string | URL): Promise<void> {
  try {
    await Deno.mkdir(dir, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new Error(`Cannot make the directory '${dir}' as a file has that name`, { cause: error });
  }
}
