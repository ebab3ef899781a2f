import { explain } from "../client/client_error.ts";
import { askNetmap, healRing } from "../client/questions.ts";
import type { ClientOptions } from "./args.ts";
import type { CliContext } from "./cli_context.ts";
import { clientContext } from "./client_context.ts";
import { print } from "./output.ts";
import { netmapSummary } from "./status.ts";

/** `ouroboros heal`: returns when the whole ring was checked. */
export async function heal(options: ClientOptions, context: CliContext): Promise<number> {
  using client = clientContext(options.target, context);
  try {
    using walk = await client.connect();
    await healRing(walk);
    using question = await client.connect();
    print(`Healed: ${netmapSummary(await askNetmap(question))}\n`);
    return 0;
  } catch (error) {
    throw explain(error, "heal the ring");
  }
}
