import { type NodeAddress, parseAddress } from "../protocol/address.ts";
import { writeFileDurably } from "../store/sync.ts";

/** Where the supervisor of a ring can be told to stop. */
export interface ControlFile {
  readonly address: NodeAddress;
  /** Tells this supervisor from whoever has its port later. */
  readonly id: string;
  readonly pid: number;
  /** The ring's gateway, which nothing else in the directory tells. */
  readonly gateway: NodeAddress | undefined;
}

const fileName = "supervisor.json";

/** Writes it into the ring's directory. */
export async function writeControlFile(ringDirectory: string, control: ControlFile): Promise<void> {
  await writeFileDurably(`${ringDirectory}/${fileName}`, JSON.stringify(control) + "\n");
}

/** Reads it; `undefined` when there is none. A supervisor that was killed leaves its own behind. */
export async function readControlFile(ringDirectory: string): Promise<ControlFile | undefined> {
  try {
    const parsed: unknown = JSON.parse(await Deno.readTextFile(`${ringDirectory}/${fileName}`));
    return asControlFile(parsed);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Removes it. */
export async function removeControlFile(ringDirectory: string): Promise<void> {
  try {
    await Deno.remove(`${ringDirectory}/${fileName}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function asControlFile(value: unknown): ControlFile | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { address, id, pid, gateway } = value as Partial<Record<keyof ControlFile, unknown>>;
  const parsed = typeof address === "string" ? parseAddress(address) : undefined;
  if (parsed === undefined || typeof id !== "string" || typeof pid !== "number") return undefined;
  const door = typeof gateway === "string" ? parseAddress(gateway) : undefined;
  return { address: parsed, id, pid, gateway: door };
}
