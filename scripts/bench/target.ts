import type { Path } from "./options.ts";
import type { RingProcess } from "./process_usage.ts";
import type { Ring } from "./ring.ts";

/** What the clients are pointed at. */
export interface Target {
  /** `host:port` for a way to the files. */
  addressOf(path: Path): string;
  /** Where the nodes keep their files: one directory a node; none where nobody knows. */
  readonly nodeDirectories: readonly string[];
  /** The processes that serve them; none of a ring that somebody else runs. */
  processes(): Promise<RingProcess[]>;
  /** The ring behind it, if the benchmark started it. */
  readonly ring: Ring | undefined;
}

/** A ring that the benchmark started. */
export function ringTarget(ring: Ring): Target {
  return {
    addressOf: (path) => ring.addressOf(path),
    nodeDirectories: ring.nodeDirectories,
    processes: () => ring.processes(),
    ring,
  };
}

/**
 * A ring that runs already, of whatever program that speaks the line protocol.
 *
 * @param addresses The node that takes the files, then perhaps another one to pull from.
 * @param directory The one that has a directory for each node, if it can be read.
 */
export async function peerTarget(
  addresses: readonly string[],
  directory: string | undefined,
): Promise<Target> {
  const [direct, other] = addresses;
  const nodeDirectories = directory === undefined ? [] : await findNodes(directory);
  return {
    addressOf(path) {
      const address = path === "other" ? other : direct;
      if (address === undefined) throw new Error(`there is no address for '${path}'`);
      return address;
    },
    nodeDirectories,
    processes: () => Promise.resolve([]),
    ring: undefined,
  };
}

/** The directories of nodes, which are named by their ports. */
async function findNodes(directory: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  return names.filter((name) => /^[0-9]+$/.test(name)).map((name) => `${directory}/${name}`);
}
