import type { PeerConnection } from "../net/peer_connection.ts";
import { PeerError } from "../net/peer_errors.ts";
import { parseRangeHeader, type RangeHeader } from "../protocol/transfer_replies.ts";
import { transferStallMs } from "./deadlines.ts";

/** Which bytes of which version of a file are wanted. */
export interface RangeWish {
  /** Normalized. */
  readonly name: string;
  /** 0 by default. */
  readonly offset?: number;
  /** All that is left by default; 0 asks about the file only. */
  readonly count?: number;
  /** The current one by default. */
  readonly version?: string;
}

/**
 * Asks for bytes of a file and gives what comes before them: `count` bytes follow on the connection,
 * which are the caller's to read.
 *
 * @throws {PeerError} `file not found`, or `version gone` when another version is current.
 */
export async function openRange(peer: PeerConnection, wish: RangeWish): Promise<RangeHeader> {
  const { name, offset = 0, count, version } = wish;
  peer.setStall(transferStallMs);
  const line = await peer.request({ kind: "file-range", offset, count, version, name }, {
    deadlineMs: transferStallMs,
  });
  const header = parseRangeHeader(line);
  if (header !== undefined && header.count <= (count ?? Infinity)) return header;
  throw new PeerError(peer.address, `unexpected answer to FILE RANGE: '${line.slice(0, 80)}'`);
}
