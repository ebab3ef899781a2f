import { basename, dirname, join } from "node:path";
import { ClientError } from "../client/client_error.ts";
import { randomId } from "../runtime/random.ts";
import { syncDirectory } from "../store/sync.ts";
import { showName } from "./output.ts";
import { isDirectory } from "./push_source.ts";
import { systemReason } from "./report_error.ts";

/**
 * Writes a file under a temporary name beside `path`, and gives it its name when `write` has resolved
 * and all of it is on the disk: `path` is the old file or the new one, never a part of it.
 *
 * @throws {ClientError} When there is no way to write there; whatever `write` throws.
 */
export async function replaceFile<T>(
  path: string,
  write: (file: Deno.FsFile) => Promise<T>,
): Promise<T> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path).slice(0, 100)}.${randomId()}.part`);
  let file: Deno.FsFile | undefined = await create(temporary, path);
  let done = false;
  try {
    const result = await write(file);
    await file.sync();
    // Windows renames no open file.
    file.close();
    file = undefined;
    await Deno.rename(temporary, path);
    done = true;
    await syncDirectory(directory);
    return result;
  } catch (error) {
    if (!(error instanceof ClientError) && await isDirectory(path)) {
      // The error of a rename onto a directory has another class on each system.
      throw new ClientError(`Cannot write ${showName(path)}: it is a directory`, { cause: error });
    }
    const reason = systemReason(error);
    if (reason === undefined) throw error;
    throw new ClientError(`Cannot write ${showName(path)}: ${reason}`, { cause: error });
  } finally {
    file?.close();
    if (!done) await Deno.remove(temporary);
  }
}

async function create(temporary: string, path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(temporary, { createNew: true, write: true });
  } catch (error) {
    const { NotADirectory, NotFound, PermissionDenied } = Deno.errors;
    const why = error instanceof NotFound || error instanceof NotADirectory
      ? "no such directory"
      : error instanceof PermissionDenied
      ? "permission denied"
      : undefined;
    if (why === undefined) throw error;
    throw new ClientError(`Cannot write ${showName(path)}: ${why}`, { cause: error });
  }
}
