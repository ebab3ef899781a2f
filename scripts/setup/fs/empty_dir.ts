/**
 * Stand-in for `@std/fs/empty-dir`.
 *
 * @module
 */

/** Removes what is in a directory; makes the directory if it is missing. */
export async function emptyDir(dir: string | URL): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  const path = await Deno.realPath(dir);
  const names = await Array.fromAsync(Deno.readDir(path), (entry) => entry.name);
  await Promise.all(names.map((name) => Deno.remove(`${path}/${name}`, { recursive: true })));
}
