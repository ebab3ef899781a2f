import { basename } from "node:path";
import { ClientError } from "../client/client_error.ts";
import { pushFile } from "../client/push.ts";
import type { PushOptions } from "./args.ts";
import type { CliContext } from "./cli_context.ts";
import { clientContext } from "./client_context.ts";
import { print, showBytes, showName } from "./output.ts";

/** `ouroboros push FILE`. */
export async function push(options: PushOptions, context: CliContext): Promise<number> {
  const { file, as } = options;
  using source = file === "-" ? await spoolStdin() : await openSource(file);
  using client = clientContext(options.target, context);
  using peer = await client.connect();
  const { size, name } = source;
  const stored = await pushFile(peer, {
    name: as ?? name,
    size,
    read: (buffer) => source.file.read(buffer),
  });
  print(`Stored ${showName(stored.name)}: ${showBytes(size)}\n`);
  return 0;
}

/** An open file of known size. */
interface Source extends Disposable {
  readonly file: Deno.FsFile;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

async function openSource(path: string): Promise<Source> {
  const cannot = (why: string, cause?: unknown) =>
    new ClientError(`Cannot push ${showName(path)}: ${why}`, { cause });
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw cannot("no such file", error);
    if (error instanceof Deno.errors.IsADirectory) throw cannot("it is a directory", error);
    if (error instanceof Deno.errors.PermissionDenied) throw cannot("permission denied", error);
    throw error;
  }
  const { isFile, isDirectory, size } = await file.stat();
  if (isFile) return { file, name: basename(path), size, [Symbol.dispose]: () => file.close() };
  file.close();
  if (isDirectory) throw cannot("it is a directory");
  throw cannot("its size is not known; push it as standard input: push - --as NAME");
}

/** A push says its size first, so standard input goes through a temporary file. */
async function spoolStdin(): Promise<Source> {
  const path = await Deno.makeTempFile({ prefix: "ouroboros-push-" });
  const file = await Deno.open(path, { read: true, write: true });
  try {
    await Deno.stdin.readable.pipeTo(file.writable, { preventClose: true });
    const { size } = await file.stat();
    await file.seek(0, Deno.SeekMode.Start);
    return { file, name: "-", size, [Symbol.dispose]: () => remove(file, path) };
  } catch (error) {
    remove(file, path);
    throw error;
  }
}

function remove(file: Deno.FsFile, path: string): void {
  file.close();
  Deno.removeSync(path);
}
