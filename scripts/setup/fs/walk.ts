/**
 * Stand-in for `@std/fs/walk`.
 *
 * @module
 */

/** What {@linkcode walk} yields and where it goes. */
export interface WalkOptions {
  /** How many levels below the root it goes; unlimited by default. */
  maxDepth?: number;
  /** Whether files are yielded; true by default. */
  includeFiles?: boolean;
  /** Whether directories are yielded, the root included; true by default. */
  includeDirs?: boolean;
  /** Whether symbolic links are yielded; true by default. They are never followed. */
  includeSymlinks?: boolean;
  /** Yields only paths with one of these endings. */
  exts?: string[];
  /** Yields only paths that match one of these. */
  match?: RegExp[];
  /** Neither yields nor enters paths that match one of these. */
  skip?: RegExp[];
}

/** One file, directory or symbolic link. */
export interface WalkEntry extends Deno.DirEntry {
  /** The root, a slash and the names that lead here. */
  path: string;
}

/** Yields a directory and what is below it, a directory before its contents. */
export async function* walk(
  root: string | URL,
  options: WalkOptions = {},
): AsyncIterableIterator<WalkEntry> {
  const path = root instanceof URL ? decodeURIComponent(root.pathname) : root;
  const { isFile, isDirectory, isSymlink } = await Deno.lstat(path);
  const name = path.split("/").findLast((part) => part !== "") ?? path;
  yield* walkEntry({ path, name, isFile, isDirectory, isSymlink }, options, 0);
}

/** Yields an entry, if it is wanted, and what is below it. */
async function* walkEntry(
  entry: WalkEntry,
  options: WalkOptions,
  depth: number,
): AsyncIterableIterator<WalkEntry> {
  const { path } = entry;
  if (depth > (options.maxDepth ?? Infinity)) return;
  if (options.skip?.some((pattern) => pattern.test(path))) return;
  if (isWanted(entry, options)) yield entry;
  if (!entry.isDirectory) return;
  for await (const child of Deno.readDir(path)) {
    const childPath = path.endsWith("/") ? `${path}${child.name}` : `${path}/${child.name}`;
    yield* walkEntry({ ...child, path: childPath }, options, depth + 1);
  }
}

/** Tells whether the options let an entry be yielded. */
function isWanted(entry: WalkEntry, options: WalkOptions): boolean {
  const { includeFiles = true, includeDirs = true, includeSymlinks = true, exts, match } = options;
  if (entry.isFile && !includeFiles) return false;
  if (entry.isDirectory && !includeDirs) return false;
  if (entry.isSymlink && !includeSymlinks) return false;
  if (exts !== undefined && !exts.some((ending) => entry.path.endsWith(ending))) return false;
  return match === undefined || match.some((pattern) => pattern.test(entry.path));
}
