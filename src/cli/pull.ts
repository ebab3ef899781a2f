import { basename, dirname, join } from "node:path";
import { ClientError } from "../client/client_error.ts";
import { pullFile, type PullReceipt, type PullSink } from "../client/pull.ts";
import { writeAll } from "../net/write_all.ts";
import { normalizeName } from "../protocol/names.ts";
import { randomId } from "../runtime/random.ts";
import type { PullOptions } from "./args.ts";
import type { CliContext } from "./cli_context.ts";
import { clientContext } from "./client_context.ts";
import { print, showBytes, showName } from "./output.ts";

/** `ouroboros pull NAME`. */
export async function pull(options: PullOptions, context: CliContext): Promise<number> {
  const { name, output } = options;
  using client = clientContext(options.target, context);
  const pullInto = (sink: PullSink) => pullFile(client.connect, name, sink);
  if (output === "-") {
    await pullInto((bytes) => writeAll(Deno.stdout, bytes));
    return 0;
  }
  const normal = normalizeName(name);
  if (!normal.ok) throw new ClientError(`Cannot pull ${showName(name)}: ${normal.error}`);
  const path = output ?? normal.name;
  const { size, verified } = await pullToFile(path, pullInto);
  const checked = verified ? ", SHA-256 verified" : "";
  print(`Fetched ${showName(normal.name)} to ${showName(path)}: ${showBytes(size)}${checked}\n`);
  return 0;
}

/** Under a temporary name first, so that `path` is never a part of a file, nor a wrong one. */
async function pullToFile(
  path: string,
  pullInto: (sink: PullSink) => Promise<PullReceipt>,
): Promise<PullReceipt> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomId()}.part`);
  const file = await create(temporary, path);
  let done = false;
  try {
    const receipt = await pullInto((bytes) => writeAll(file, bytes));
    await file.sync();
    await Deno.rename(temporary, path);
    done = true;
    return receipt;
  } catch (error) {
    if (!(error instanceof ClientError) && await isDirectory(path)) {
      throw new ClientError(`Cannot write ${showName(path)}: it is a directory`, { cause: error });
    }
    throw error;
  } finally {
    file.close();
    if (!done) await Deno.remove(temporary);
  }
}

/** The error of a rename onto a directory has another class on each system. */
async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    // What cannot be looked at is no reason for another message.
    return false;
  }
}

async function create(temporary: string, path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(temporary, { createNew: true, write: true });
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "no such directory"
      : error instanceof Deno.errors.PermissionDenied
      ? "permission denied"
      : undefined;
    if (why === undefined) throw error;
    throw new ClientError(`Cannot write ${showName(path)}: ${why}`, { cause: error });
  }
}
