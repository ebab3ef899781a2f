import { join } from "node:path";
import { ClientError } from "../client/client_error.ts";
import { pullFile } from "../client/pull.ts";
import { writeAll } from "../net/write_all.ts";
import { normalizeName } from "../protocol/names.ts";
import type { CliContext } from "./cli_context.ts";
import { type ClientContext, clientContext } from "./client_context.ts";
import type { PullOptions } from "./client_options.ts";
import { eachFile } from "./each_file.ts";
import { expandNames } from "./expand_names.ts";
import { UsageError } from "./flag.ts";
import { showBytes, showName } from "./output.ts";
import { noProgress } from "./progress.ts";
import { isDirectory } from "./push_source.ts";
import { replaceFile } from "./replace_file.ts";

/** `ouroboros pull NAME…`. */
export async function pull(options: PullOptions, context: CliContext): Promise<number> {
  const { output } = options;
  using client = clientContext(options, context);
  const names = await expandNames(client, options.names);
  if (output === "-") return await pullToStdout(client, names);
  const intoDirectory = output !== undefined && await isDirectory(output);
  if (names.length > 1 && output !== undefined && !intoDirectory) {
    throw new UsageError(
      `-o ${showName(output)} is no directory, and there are ${names.length} files`,
    );
  }
  return await eachFile(client, {
    items: names,
    done: "fetched",
    run(name) {
      const path = intoDirectory ? join(output, name) : output ?? name;
      return pullToFile(client, name, path);
    },
  });
}

async function pullToStdout(client: ClientContext, names: readonly string[]): Promise<number> {
  const [name, ...others] = names;
  if (name === undefined || others.length > 0) {
    throw new UsageError(`-o - takes one file, and there are ${names.length}`);
  }
  // On a terminal, the file's own text is what moves.
  using progress = Deno.stdout.isTerminal() ? noProgress : client.progress(name);
  let bytes = 0;
  await client.attempt(() =>
    pullFile(client.connect, name, {
      begin: (size) => progress.setTotal(size),
      write(piece) {
        bytes += piece.length;
        progress.set(bytes);
        return writeAll(Deno.stdout, piece);
      },
    })
  );
  return 0;
}

/** Fetches a file, under another name until it is complete. Gives its size. */
async function pullToFile(client: ClientContext, name: string, path: string): Promise<number> {
  const normal = normalizeName(name);
  if (!normal.ok) throw new ClientError(`Cannot pull ${showName(name)}: ${normal.error}`);
  using progress = client.progress(normal.name, "checking");
  const { size, verified } = await replaceFile(path, (file) => {
    let bytes = 0;
    return client.attempt(() =>
      pullFile(client.connect, normal.name, {
        begin: (size) => progress.setTotal(size),
        write(piece) {
          bytes += piece.length;
          progress.set(bytes);
          return writeAll(file, piece);
        },
      })
    );
  });
  progress.clear();
  const checked = verified ? ", SHA-256 verified" : "";
  client.tell(
    `Fetched ${showName(normal.name)} to ${showName(path)}: ${showBytes(size)}${checked}`,
  );
  return size;
}
