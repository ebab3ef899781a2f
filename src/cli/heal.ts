import { askNetmap, healRing } from "../client/questions.ts";
import { askRing } from "./ask_ring.ts";
import type { CliContext } from "./cli_context.ts";
import { clientContext } from "./client_context.ts";
import type { ClientOptions } from "./client_options.ts";
import { netmapSummary } from "./ring_report.ts";

/** `ouroboros heal`: returns when the whole ring was checked. */
export async function heal(options: ClientOptions, context: CliContext): Promise<number> {
  const doing = "heal the ring";
  using client = clientContext(options, context);
  using progress = client.progress("checking every node");
  await askRing(client, doing, healRing);
  const entries = await askRing(client, doing, askNetmap);
  progress.clear();
  client.tell(`Healed: ${netmapSummary(entries)}`);
  return 0;
}
