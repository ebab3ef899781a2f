import { scrubRing } from "../client/questions.ts";
import { askRing } from "./ask_ring.ts";
import type { CliContext } from "./cli_context.ts";
import { clientContext } from "./client_context.ts";
import type { ClientOptions } from "./client_options.ts";

/** `ouroboros scrub`: returns when every stored byte was verified. */
export async function scrub(options: ClientOptions, context: CliContext): Promise<number> {
  using client = clientContext(options, context);
  using progress = client.progress("verifying every stored byte");
  const counts = await askRing(client, "scrub the ring", scrubRing);
  progress.clear();
  client.tell(counts.trimEnd());
  return 0;
}
