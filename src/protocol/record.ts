import type { NodeAddress } from "./address.ts";

/**
 * What the catalog keeps of one name: the last committed push of it, or its delete.
 *
 * 1. Between two records of a name the one with the higher `version` wins, on every node.
 * 2. `pushId` names the bytes, `version` orders them. A coordinator that commits again above a
 *    version it had missed keeps the push id, so the chunks need not move.
 * 3. The placement is written down: `placement[i].nodes[0]` holds part i (from 0), `nodes[k]` is
 *    its k-th backup holder. A ring that changes still finds old files.
 */
export type FileRecord = StoredFile | Tombstone;

/** A file that can be pulled. */
export interface StoredFile {
  readonly kind: "file";
  /** The name after `normalizeName`. */
  readonly name: string;
  /** A ULID, above every version of the name that its coordinator had seen. */
  readonly version: string;
  /** A ULID made when the push began; names the staged and stored bytes. */
  readonly pushId: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex; empty for a file that an original node's push brought (`foreign`). */
  readonly sha256: string;
  /** The coordinator, which holds part 1. */
  readonly start: NodeAddress;
  /** When it was committed, in ms since the epoch, by the coordinator's clock. For people only. */
  readonly timeMs: number;
  /** True when an original node coordinated the push: no checksums, chunks found by chunk name. */
  readonly foreign: boolean;
  /** A part each; its length is the number of parts. */
  readonly placement: readonly PartPlacement[];
}

/** Where one part of a file lies and what its bytes sum to. */
export interface PartPlacement {
  /** The holder, then the backup holders, nearest predecessor first. */
  readonly nodes: readonly NodeAddress[];
  /** Bytes. */
  readonly length: number;
  /**
   * CRC-32 of each block of {@linkcode blockBytes} bytes (the last may be shorter), 8 lower-case hex
   * digits each, joined. Empty in a foreign record.
   */
  readonly checksums: string;
}

/** The record of a delete. */
export interface Tombstone {
  readonly kind: "tombstone";
  readonly name: string;
  readonly version: string;
  readonly pushId: string;
  readonly timeMs: number;
}

/** The context of a push, which the token of `FILE RELAY-STREAM` and `FILE STAGE` carries. */
export interface PushTicket {
  readonly pushId: string;
  readonly coordinator: NodeAddress;
  /** The coordinator's incarnation: a new one means that its directory was lost. */
  readonly incarnation: string;
  /** The placement's ring order; the coordinator is first. */
  readonly nodes: readonly NodeAddress[];
  /** Parts of the file, 1 to `nodes.length`: part i (from 0) belongs to the i-th node. */
  readonly parts: number;
  /** Copies of each part, the holder's included; at most `nodes.length`. */
  readonly copies: number;
}
