import { quote } from "../protocol/names.ts";

/**
 * This machine cannot store or read something, for a reason that is not the caller's mistake. The
 * message needs no more explanation and names no path: it may follow `ERR `.
 */
export class StoreError extends Error {
  override readonly name: string = "StoreError";
}

/** The disk has no room. */
export class DiskFullError extends StoreError {
  override readonly name = "DiskFullError";
  /** Bytes that are free, or `undefined` if nobody could tell. */
  readonly freeBytes: number | undefined;
  /** Bytes that were to be written. */
  readonly neededBytes: number;

  constructor(what: string, room: DiskRoom, options?: ErrorOptions) {
    const free = room.freeBytes === undefined ? "" : `${formatBytes(room.freeBytes)} free, `;
    const needed = formatBytes(room.neededBytes);
    super(`Cannot store ${what} as the disk is full: ${free}${needed} needed`, options);
    this.freeBytes = room.freeBytes;
    this.neededBytes = room.neededBytes;
  }
}

/** What a full disk had and what it lacked. */
export interface DiskRoom {
  /** Bytes, `undefined` if nobody could tell. */
  readonly freeBytes: number | undefined;
  /** Bytes. */
  readonly neededBytes: number;
}

/**
 * A chunk's bytes are not those that were stored. Its file is in `quarantine/` already and the store
 * knows it no more: read the other copy, and repair this one.
 */
export class DamagedChunkError extends StoreError {
  override readonly name = "DamagedChunkError";
  readonly pushId: string;
  /** Counted from 0. */
  readonly part: number;

  constructor(pushId: string, part: number, reason: string, options?: ErrorOptions) {
    super(`Part ${part + 1} of push ${pushId} is damaged: ${reason}`, options);
    this.pushId = pushId;
    this.part = part;
  }
}

/**
 * The catalog's database cannot be read or written any more. `ChunkStore.inspect` replaces it; until
 * then everything that needs it fails with this.
 */
export class CatalogDamagedError extends StoreError {
  override readonly name = "CatalogDamagedError";
}

/** Whether an error says that a file or directory is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound;
}

/** Whether an error says that the disk, or the user's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOSPC" || code === "EDQUOT";
}

/** Puts an operating system's error in words that a client may read, and keeps it as the cause. */
export function storeError(doing: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError(`Cannot ${doing}: ${reasonOf(error)}`, { cause: error });
}

/** A count of bytes for people: `12 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${bytes >= 10 ? Math.floor(bytes) : Number(bytes.toFixed(1))} ${units[unit]}`;
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case "EMFILE":
    case "ENFILE":
      return "too many files are open";
    case "EIO":
      return "the disk fails";
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return "the directory of the node does not allow it";
    default:
      if (isNotFound(error)) return "the directory of the node is gone";
      return code ?? (error instanceof Error ? error.name : quote(String(error)));
  }
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
