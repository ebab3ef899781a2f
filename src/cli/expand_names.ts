import { ClientError } from "../client/client_error.ts";
import { listFiles } from "../client/list.ts";
import type { FileListRow } from "../protocol/file_list.ts";
import { normalizeName } from "../protocol/names.ts";
import { askRing } from "./ask_ring.ts";
import type { ClientContext } from "./client_context.ts";
import { globMatcher, isPattern } from "./glob.ts";
import { showName } from "./output.ts";

/**
 * Puts the stored names that a pattern stands for in its place, each name once. A name that is stored
 * exactly so is no pattern, whatever signs it has; without a pattern, the ring is not asked.
 *
 * @throws {ClientError} When a pattern stands for nothing.
 */
export async function expandNames(
  client: ClientContext,
  names: readonly string[],
): Promise<string[]> {
  if (!names.some(isPattern)) return [...new Set(names)];
  const rows = await askRing(client, "list the files", listFiles);
  const expanded = names.flatMap((name) => {
    if (!isPattern(name)) return [name];
    const found = selectFiles(rows, [name]).map((row) => row.name);
    if (found.length > 0) return found;
    throw new ClientError(`Cannot pull ${showName(name)}: no stored file has such a name`, {
      kind: "not-found",
    });
  });
  return [...new Set(expanded)];
}

/** The rows that names or patterns stand for, in the order of the list; all for none. */
export function selectFiles(
  rows: readonly FileListRow[],
  names: readonly string[],
): FileListRow[] {
  // What a node lists as a name becomes a path here, so it has to be one that is stored.
  const files = rows.filter(({ name }) => {
    const normal = normalizeName(name);
    return normal.ok && normal.name === name;
  });
  if (names.length === 0) return files;
  const stored = new Set(files.map(({ name }) => name));
  const tests = names.map((name) =>
    stored.has(name) || !isPattern(name) ? (other: string) => other === name : globMatcher(name)
  );
  return files.filter(({ name }) => tests.some((test) => test(name)));
}
