import { explain } from "../client/client_error.ts";
import { listFilesText } from "../client/list.ts";
import type { ClientOptions } from "./args.ts";
import type { CliContext } from "./cli_context.ts";
import { clientContext } from "./client_context.ts";
import { print } from "./output.ts";

/** `ouroboros list`: the CSV as the ring answers it. */
export async function list(options: ClientOptions, context: CliContext): Promise<number> {
  using client = clientContext(options.target, context);
  using peer = await client.connect();
  try {
    print(await listFilesText(peer));
    return 0;
  } catch (error) {
    throw explain(error, "list the files");
  }
}
