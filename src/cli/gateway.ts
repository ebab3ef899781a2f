import type { GatewayOptions } from "../gateway/options.ts";
import { portHeldExitCode, runGateway } from "../gateway/run.ts";
import { portOf } from "../protocol/address.ts";
import { logCrashes } from "../runtime/crash_log.ts";
import { createLogger } from "../runtime/log.ts";
import type { CliContext } from "./cli_context.ts";
import { printError } from "./output.ts";

/** `ouroboros gateway`: this process is a gateway until it is told to stop. */
export async function gateway(options: GatewayOptions, context: CliContext): Promise<number> {
  const { logLevel, logJson, logFile } = options;
  using log = createLogger({
    level: logLevel,
    json: logJson,
    name: `gateway ${portOf(options.address)}`,
    ...(logFile !== undefined && { file: logFile }),
  });
  using _crashes = logCrashes(log);
  const exitCode = await runGateway(options, { signal: context.signal, log });
  if (exitCode !== portHeldExitCode || logFile !== undefined) return exitCode;
  printError(`error: Port ${portOf(options.address)} is in use; choose another --port`);
  return 1;
}
