/**
 * The chaos run: clients work on a ring of real processes while it is being broken, and everything they
 * read is compared with what was acknowledged. `deno task chaos --help` tells the options; see
 * scripts/chaos/.
 *
 * @module
 */
import { chaosHelp, ChaosUsageError, parseChaosOptions } from "./chaos/options.ts";
import { renderResult } from "./chaos/report.ts";
import { runChaos } from "./chaos/run.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs it and tells the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort(new DOMException("interrupted", "AbortError"));
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const { signal } = interrupt;
  try {
    const options = parseChaosOptions(args);
    if (options === undefined) {
      console.log(chaosHelp);
      return 0;
    }
    if (Deno.build.os !== "linux") throw new ChaosUsageError("The chaos run needs Linux");
    for (const name of signals) Deno.addSignalListener(name, onSignal);
    console.error(`seed ${options.seed}`);
    const began = performance.now();
    const say = (text: string) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.error(`${seconds.padStart(7)} ${text}`);
    };
    const run = await runChaos(options, { signal, say });
    console.log(renderResult(run).join("\n"));
    if (run.failure === undefined) return 0;
    console.log(`\nFAILED with seed ${options.seed}: ${run.failure.message}`);
    console.log(run.failure.lines.join("\n"));
    return 1;
  } catch (error) {
    if (signal.aborted) return 130;
    if (!(error instanceof ChaosUsageError)) throw error;
    console.error(`chaos: ${error.message}`);
    return 2;
  }
}
