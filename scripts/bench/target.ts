import type { Path } from "./options.ts";
import type { RingProcess } from "./process_usage.ts";
import type { Ring } from "./ring.ts";

/** What the clients are pointed at. */
export interface Target {
  /** `host:port` for a way to the files. */
  addressOf(path: Path): string;
  /** The processes that serve them; none of a ring that somebody else runs. */
  processes(): Promise<RingProcess[]>;
  /** The ring behind it, if the benchmark started it. */
  readonly ring: Ring | undefined;
}

/** A ring that the benchmark started. */
export function ringTarget(ring: Ring): Target {
  return {
    addressOf: (path) => ring.addressOf(path),
    processes: () => ring.processes(),
    ring,
  };
}

/**
 * A ring that runs already, of whatever program that speaks the line protocol.
 *
 * @param addresses The node that takes the files, then perhaps another one to pull from.
 */
export function peerTarget(addresses: readonly string[]): Target {
  const [direct, other] = addresses;
  return {
    addressOf(path) {
      const address = path === "other" ? other : direct;
      if (address === undefined) throw new Error(`there is no address for '${path}'`);
      return address;
    },
    processes: () => Promise.resolve([]),
    ring: undefined,
  };
}
