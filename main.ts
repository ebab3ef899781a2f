/**
 * The composition root of OuroborosFS: the command line decides whether this process is a node, a
 * supervisor, a gateway or a client. Each role's code is loaded only by that role.
 *
 * @module
 */
import { type Invocation, parseInvocation } from "./src/cli/args.ts";
import type { CliContext } from "./src/cli/cli_context.ts";
import { readConfigFile } from "./src/cli/config_file.ts";
import { exitCodes } from "./src/cli/exit_codes.ts";
import { reportError } from "./src/cli/report_error.ts";
import { ShutdownSignal } from "./src/runtime/shutdown.ts";

async function main(argv: readonly string[]): Promise<number> {
  try {
    const invocation = parseInvocation(argv, {
      env: (name) => Deno.env.get(name),
      readConfig: readConfigFile,
    });
    using shutdown = new ShutdownSignal();
    const { signal } = shutdown;
    try {
      return await dispatch(invocation, { signal });
    } catch (error) {
      // Whatever a client was doing, it was told to stop.
      if (signal.aborted) return exitCodes.interrupted;
      throw error;
    }
  } catch (error) {
    return reportError(error);
  }
}

async function dispatch(invocation: Invocation, context: CliContext): Promise<number> {
  switch (invocation.kind) {
    case "help":
      return (await import("./src/cli/help.ts")).help(invocation);
    case "version":
      return (await import("./src/cli/help.ts")).version();
    case "run":
      return await (await import("./src/cli/run.ts")).run(invocation.options, context);
    case "set-network":
      return await (await import("./src/cli/set_network.ts")).setNetwork(
        invocation.options,
        context,
      );
    case "gateway":
      return await (await import("./src/cli/gateway.ts")).gateway(invocation.options, context);
    case "push":
      return await (await import("./src/cli/push.ts")).push(invocation.options, context);
    case "pull":
      return await (await import("./src/cli/pull.ts")).pull(invocation.options, context);
    case "list":
      return await (await import("./src/cli/list.ts")).list(invocation.options, context);
    case "status":
      return await (await import("./src/cli/status.ts")).status(invocation.options, context);
    case "stat":
      return await (await import("./src/cli/stat.ts")).stat(invocation.options, context);
    case "delete":
      return await (await import("./src/cli/delete.ts")).deleteFile(invocation.options, context);
    case "scrub":
      return await (await import("./src/cli/scrub.ts")).scrub(invocation.options, context);
    case "heal":
      return await (await import("./src/cli/heal.ts")).heal(invocation.options, context);
    case "stop":
      return await (await import("./src/cli/stop.ts")).stop(invocation.options);
    case "completions":
      return (await import("./src/cli/completions.ts")).completions(invocation.options);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
