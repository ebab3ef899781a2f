import { explain } from "../client/client_error.ts";
import { scrubRing } from "../client/questions.ts";
import type { ClientOptions } from "./args.ts";
import type { CliContext } from "./cli_context.ts";
import { clientContext } from "./client_context.ts";
import { print } from "./output.ts";

/** `ouroboros scrub`: returns when every stored byte was verified. */
export async function scrub(options: ClientOptions, context: CliContext): Promise<number> {
  using client = clientContext(options.target, context);
  using peer = await client.connect();
  try {
    print(await scrubRing(peer));
    return 0;
  } catch (error) {
    throw explain(error, "scrub the ring");
  }
}
