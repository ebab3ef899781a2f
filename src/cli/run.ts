import type { NodeOptions } from "../node/options.ts";
import { runNode } from "../node/run.ts";
import { portOf } from "../protocol/address.ts";
import { logCrashes } from "../runtime/crash_log.ts";
import { createLogger } from "../runtime/log.ts";
import type { CliContext } from "./cli_context.ts";

/** `ouroboros run`: this process is a node until it is told to stop. */
export async function run(node: NodeOptions, context: CliContext): Promise<number> {
  const { logLevel, logJson, logFile } = node;
  using log = createLogger({
    level: logLevel,
    json: logJson,
    name: `node ${portOf(node.address)}`,
    ...(logFile !== undefined && { file: logFile }),
  });
  using _crashes = logCrashes(log);
  return await runNode(node, { signal: context.signal, log });
}
