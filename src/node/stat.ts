import type { NodeAddress } from "../protocol/address.ts";
import { errors } from "../protocol/errors.ts";
import { type CopyStat, type CopyState, fileStatReply } from "../protocol/file_replies.ts";
import type { StoredFile } from "../protocol/record.ts";
import type { NodeContext } from "./context.ts";

/** How long a node may take to say whether it has a copy, in ms. */
const statDeadlineMs = 3_000;

/** Parts whose copies are asked for at the same time. */
const statPartsMax = 16;

/** The answer to `FILE STAT`: what the record says, and whether each copy is where it should be. */
export async function statFile(context: NodeContext, name: string): Promise<string> {
  const record = context.catalog.record(name);
  if (record?.kind !== "file") throw new Error(errors.fileNotFound);
  const parts = new Array<CopyStat[]>(record.placement.length);
  let next = 0;
  const worker = async () => {
    for (let part = next++; part < parts.length; part = next++) {
      parts[part] = await statPart(context, record, part);
    }
  };
  await Promise.all(Array.from({ length: Math.min(statPartsMax, parts.length) }, worker));
  return fileStatReply({ ...record, parts });
}

function statPart(context: NodeContext, record: StoredFile, part: number): Promise<CopyStat[]> {
  const nodes = record.placement[part]?.nodes ?? [];
  return Promise.all(nodes.map(async (address) => ({
    address,
    state: await copyState(context, { record, part, address }),
  })));
}

async function copyState(
  context: NodeContext,
  { record, part, address }: { record: StoredFile; part: number; address: NodeAddress },
): Promise<CopyState> {
  try {
    if (address === context.self) {
      using reader = await context.chunks.open(record.pushId, part);
      return reader === undefined ? "missing" : "ok";
    }
    const { pushId, name } = record;
    await context.peers.request(address, { kind: "file-open", pushId, part, name }, {
      deadlineMs: statDeadlineMs,
      idempotent: true,
    });
    return "ok";
  } catch (error) {
    return error instanceof Error && error.message === errors.chunkNotFound ? "missing" : "unknown";
  }
}
