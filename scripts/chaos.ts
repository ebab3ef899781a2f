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

/** Runs it and tells the exit code. Signals, and what nobody catches, are its own from here on. */
export async function main(args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort(new DOMException("interrupted", "AbortError"));
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const { signal } = interrupt;
  const mistakes = catchMistakes((mistake) => interrupt.abort(mistake));
  let seed: number | undefined;
  try {
    const options = parseChaosOptions(args);
    if (options === undefined) {
      console.log(chaosHelp);
      return 0;
    }
    if (Deno.build.os !== "linux") throw new ChaosUsageError("The chaos run needs Linux");
    for (const name of signals) Deno.addSignalListener(name, onSignal);
    seed = options.seed;
    console.error(`seed ${seed}`);
    const began = performance.now();
    const say = (text: string) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.error(`${seconds.padStart(7)} ${text}`);
    };
    const run = await runChaos(options, { signal, say });
    if (mistakes.length > 0) throw mistakes[0];
    console.log(renderResult(run).join("\n"));
    if (run.failure === undefined) return 0;
    console.log(`\nFAILED with seed ${seed}: ${run.failure.message}`);
    console.log(run.failure.lines.join("\n"));
    return 1;
  } catch (error) {
    if (error instanceof ChaosUsageError) {
      console.error(`chaos: ${error.message}`);
      return 2;
    }
    // Who interrupts a run need not read what that broke, but for what could not be cleared up.
    if (mistakes.length === 0 && error === signal.reason) return 130;
    console.error(`\nFAILED with seed ${seed}, by a mistake of the chaos run itself:`);
    for (const mistake of new Set([...mistakes, error])) console.error(mistake);
    return 1;
  }
}

/** Gathers what nobody has caught, which would end the process before anything is cleared up. */
function catchMistakes(onMistake: (mistake: unknown) => void): readonly unknown[] {
  const mistakes: unknown[] = [];
  const caught = (event: Event, mistake: unknown) => {
    event.preventDefault();
    mistakes.push(mistake);
    onMistake(mistake);
  };
  addEventListener("unhandledrejection", (event) => caught(event, event.reason));
  addEventListener("error", (event) => caught(event, event.error));
  return mistakes;
}
