import { basename } from "node:path";
import { ClientError } from "../client/client_error.ts";
import { writeAll } from "../net/write_all.ts";
import { blockBytes } from "../protocol/limits.ts";
import type { ClientContext } from "./client_context.ts";
import { showName } from "./output.ts";
import { systemReason } from "./report_error.ts";

/** An open file of known size; dispose closes it. */
export interface Source extends Disposable {
  readonly file: Deno.FsFile;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Back to the first byte, for another try. */
  rewind(): Promise<unknown>;
}

/** Opens a file to push. */
export async function openPath(path: string): Promise<Source> {
  const cannot = (why: string, cause?: unknown) =>
    new ClientError(`Cannot push ${showName(path)}: ${why}`, { cause });
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw cannot("no such file", error);
    if (error instanceof Deno.errors.IsADirectory) throw cannot(isDirectoryText, error);
    if (error instanceof Deno.errors.PermissionDenied) {
      // Windows refuses to open a directory.
      throw cannot(await isDirectory(path) ? isDirectoryText : "permission denied", error);
    }
    throw error;
  }
  const { isFile, isDirectory: isFolder, size } = await file.stat();
  if (isFile) return sourceOf(file, { name: basename(path), size });
  file.close();
  if (isFolder) throw cannot(isDirectoryText);
  throw cannot("its size is not known; push it as standard input: push - --as NAME");
}

const isDirectoryText = "it is a directory";

/**
 * Reads standard input to its end: a push says its size first, so it goes through a temporary file,
 * which needs as much room.
 */
export async function spoolStdin({ progress, signal }: ClientContext): Promise<Source> {
  const path = await Deno.makeTempFile({ prefix: "ouroboros-push-" });
  const file = await Deno.open(path, { read: true, write: true });
  let isRemoved = false;
  const remove = () => {
    if (!isRemoved) Deno.removeSync(path);
    isRemoved = true;
  };
  // An open file needs no name, and one without a name is never left behind. Windows needs it.
  if (Deno.build.os !== "windows") remove();
  const discard = () => {
    file.close();
    remove();
  };
  try {
    using shown = progress("standard input, to its end");
    const size = await copyStdin(file, { signal, tell: (bytes) => shown.set(bytes) });
    return { ...sourceOf(file, { name: "-", size }), [Symbol.dispose]: discard };
  } catch (error) {
    discard();
    throw error;
  }
}

/** How {@linkcode copyStdin} copies. */
interface CopyOptions {
  readonly signal: AbortSignal;
  readonly tell: (bytes: number) => void;
}

/** Copies standard input to its end; gives the count of bytes. */
async function copyStdin(file: Deno.FsFile, { signal, tell }: CopyOptions): Promise<number> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    // A read of a terminal ends only when somebody types, so nobody waits for it.
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  const buffer = new Uint8Array(blockBytes);
  for (let bytes = 0;;) {
    const count = await Promise.race([Deno.stdin.read(buffer), aborted]);
    if (count === null) return bytes;
    await writeAll(file, buffer.subarray(0, count)).catch((cause) => {
      const reason = systemReason(cause) ?? String(cause);
      throw new ClientError(`Cannot keep standard input in a temporary file: ${reason}`, { cause });
    });
    bytes += count;
    tell(bytes);
  }
}

function sourceOf(file: Deno.FsFile, { name, size }: Pick<Source, "name" | "size">): Source {
  return {
    file,
    name,
    size,
    rewind: () => file.seek(0, Deno.SeekMode.Start),
    [Symbol.dispose]: () => file.close(),
  };
}

/** Whether a path is that of a directory, as far as it can be looked at. */
export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    // What cannot be looked at is no reason for another message.
    return false;
  }
}
