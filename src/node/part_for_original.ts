import { parseChunkName } from "../protocol/names.ts";
import type { NodeContext } from "./context.ts";
import { PartBody } from "./part_body.ts";
import { openPart, PartUnavailableError } from "./part_source.ts";

/**
 * Opens a part that an original asks for by its chunk's name where the part is not: an original knows
 * no placement (`original_reach.ts`), and would take an error for a dead node. The part comes from where
 * the record says.
 *
 * A file that an original coordinated is where originals look for it, and our nodes ask each other for it
 * by the same names: they must not ask in a circle.
 *
 * @returns `undefined` in a ring without originals, and when no copy of such a part can be had
 */
export async function openForOriginal(
  context: NodeContext,
  chunk: string,
): Promise<PartBody | undefined> {
  const parsed = parseChunkName(chunk);
  const record = parsed && context.catalog.record(parsed.name);
  if (parsed === undefined || record?.kind !== "file" || record.foreign) return undefined;
  if (!context.ring.members().some(({ program }) => program === "original")) return undefined;
  const { part, parts } = parsed;
  const length = record.placement[part]?.length;
  if (length === undefined || parts !== record.placement.length) return undefined;
  try {
    const open = await openPart(context, { record, part, offset: 0 });
    return new PartBody(context, { record, part, range: { begin: 0, end: length } }, open);
  } catch (error) {
    if (error instanceof PartUnavailableError) return undefined;
    throw error;
  }
}
