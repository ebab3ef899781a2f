import { explain } from "../client/client_error.ts";
import { deleteStoredFile } from "../client/questions.ts";
import type { NameOptions } from "./args.ts";
import type { CliContext } from "./cli_context.ts";
import { clientContext } from "./client_context.ts";
import { print } from "./output.ts";

/** `ouroboros delete`: returns when the delete is durable. */
export async function deleteFile(options: NameOptions, context: CliContext): Promise<number> {
  using client = clientContext(options.target, context);
  using peer = await client.connect();
  try {
    await deleteStoredFile(peer, options.name);
    print(`Deleted '${options.name}'\n`);
    return 0;
  } catch (error) {
    throw explain(error, `delete '${options.name}'`);
  }
}
