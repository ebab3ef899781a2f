import type { PushTicket } from "../protocol/record.ts";
import type { StagedChunk } from "../store/staging_writer.ts";

/** What the chunk store is told of a copy that a push brings. */
export function stagedChunk(
  { ticket, name }: { readonly ticket: PushTicket; readonly name: string },
  copy: Pick<StagedChunk, "part" | "copy" | "length">,
): StagedChunk {
  const { pushId, coordinator, incarnation, parts } = ticket;
  return { pushId, name, parts, ...copy, coordinator, incarnation };
}
