import { explain } from "../client/client_error.ts";
import { askStat } from "../client/questions.ts";
import type { NameOptions } from "./args.ts";
import type { CliContext } from "./cli_context.ts";
import { clientContext } from "./client_context.ts";
import { print } from "./output.ts";

/** `ouroboros stat`: the record of a file and the state of every copy. */
export async function stat(options: NameOptions, context: CliContext): Promise<number> {
  using client = clientContext(options.target, context);
  using peer = await client.connect();
  try {
    print(await askStat(peer, options.name));
    return 0;
  } catch (error) {
    throw explain(error, `show '${options.name}'`);
  }
}
