import { pushFile } from "../client/push.ts";
import { askPing } from "../client/questions.ts";
import type { CliContext } from "./cli_context.ts";
import { type ClientContext, clientContext } from "./client_context.ts";
import { explainHarmless } from "./ask_ring.ts";
import type { PushOptions } from "./client_options.ts";
import { eachFile } from "./each_file.ts";
import { expandFiles } from "./expand_files.ts";
import { UsageError } from "./flag.ts";
import { showBytes, showName } from "./output.ts";
import { openPath, type Source, spoolStdin } from "./push_source.ts";
import { basename } from "node:path";
import { normalizeName } from "../protocol/names.ts";

/** `ouroboros push FILE…`. */
export async function push(options: PushOptions, context: CliContext): Promise<number> {
  const { as } = options;
  const files = await expandFiles(options.files);
  if (as !== undefined && files.length > 1) {
    throw new UsageError(`--as names one file, and there are ${files.length}`);
  }
  checkNames(files);
  using client = clientContext(options, context);
  return await eachFile(client, {
    items: files,
    done: "stored",
    async run(file) {
      using source = file === "-" ? await spoolStdin(client) : await openPath(file);
      await pushSource(client, source, as ?? source.name);
      return source.size;
    },
  });
}

/** Two files of one name would be one file in the ring. */
function checkNames(files: readonly string[]): void {
  const paths = new Map<string, string>();
  for (const file of files) {
    const name = normalizeName(basename(file));
    if (!name.ok) continue;
    const other = paths.get(name.name);
    if (other !== undefined) {
      throw new UsageError(
        `${showName(other)} and ${showName(file)} would both be stored as ${showName(name.name)}`,
      );
    }
    paths.set(name.name, file);
  }
}

async function pushSource(client: ClientContext, source: Source, name: string): Promise<void> {
  const { size } = source;
  using progress = client.progress(name, "storing");
  progress.setTotal(size);
  const stored = await client.attempt(async () => {
    await source.rewind();
    using peer = await client.connect();
    try {
      await askPing(peer);
    } catch (error) {
      // Nothing is sent before somebody answers, so that a dead node is found while it is safe.
      throw explainHarmless(error, `push ${showName(name)}`);
    }
    return await pushFile(peer, {
      name,
      size,
      read: (buffer) => source.file.read(buffer),
      sent: (bytes) => progress.set(bytes),
    });
  });
  progress.clear();
  client.tell(`Stored ${showName(stored.name)}: ${showBytes(size)}`);
}
