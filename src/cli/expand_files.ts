import { join } from "node:path";
import { ClientError } from "../client/client_error.ts";
import { globMatcher, isPattern } from "./glob.ts";
import { showName } from "./output.ts";

/** Files that one pattern may stand for; a command line of a shell takes fewer. */
const expandedMax = 100_000;

/**
 * Puts the files that a pattern stands for in its place, sorted: for a shell that does not, or a
 * pattern in quotes. A path that exists is no pattern, whatever signs it has.
 *
 * @throws {ClientError} When a pattern stands for nothing, or for too much.
 */
export async function expandFiles(paths: readonly string[]): Promise<string[]> {
  const expanded: string[] = [];
  for (const path of paths) {
    if (path === "-" || !isPattern(path) || await exists(path)) expanded.push(path);
    else expanded.push(...await expand(path));
  }
  return expanded;
}

async function expand(pattern: string): Promise<string[]> {
  const separator = Deno.build.os === "windows" ? /[\\/]+/ : /\/+/;
  const [first = "", ...rest] = pattern.split(separator);
  // What stands before the first separator is a root ("", "C:"), or the first segment.
  const isRoot = rest.length > 0 && (first === "" || /^[A-Za-z]:$/.test(first));
  let found = [isRoot ? `${first}/` : ""];
  const segments = (isRoot ? rest : [first, ...rest]).filter((segment) => segment !== "");
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    const next: string[] = [];
    for (const directory of found) {
      next.push(...await matchesIn(directory, segment, isLast));
      if (next.length > expandedMax) {
        throw new ClientError(
          `Cannot push ${showName(pattern)}: it stands for more than ${expandedMax} files`,
        );
      }
    }
    found = next;
  }
  if (found.length === 0) throw new ClientError(`Cannot push ${showName(pattern)}: no such files`);
  return found.sort();
}

/** What a segment stands for in a directory: files at the end of a pattern, directories before it. */
async function matchesIn(directory: string, segment: string, isLast: boolean): Promise<string[]> {
  if (!isPattern(segment)) {
    const path = join(directory, segment);
    return await exists(path) ? [path] : [];
  }
  const matches = globMatcher(segment);
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(directory === "" ? "." : directory)) {
      const isWanted = entry.isSymlink || (isLast ? entry.isFile : entry.isDirectory);
      // As in a shell, hidden files are meant only by a pattern that begins with a dot.
      const isHidden = entry.name.startsWith(".") && !segment.startsWith(".");
      if (isWanted && !isHidden && matches(entry.name)) found.push(join(directory, entry.name));
    }
  } catch (error) {
    // A directory that cannot be read, or a link to a file, has nothing in it for a pattern.
    if (!isUnreadable(error)) throw error;
  }
  return found;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (isUnreadable(error)) return false;
    throw error;
  }
}

function isUnreadable(error: unknown): boolean {
  const { NotFound, NotADirectory, PermissionDenied } = Deno.errors;
  return [NotFound, NotADirectory, PermissionDenied].some((kind) => error instanceof kind);
}
