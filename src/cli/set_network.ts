import { logCrashes } from "../runtime/crash_log.ts";
import { createLogger, type Logger } from "../runtime/log.ts";
import { selfCommand } from "../runtime/self.ts";
import { NetworkError } from "../supervisor/network_error.ts";
import { networkArgs, type NetworkOptions } from "../supervisor/options.ts";
import { planNetwork } from "../supervisor/plan.ts";
import { type ReadyRing, runSupervisor } from "../supervisor/run.ts";
import type { SetNetworkOptions } from "./args.ts";
import type { CliContext } from "./cli_context.ts";
import { print, printNotice } from "./output.ts";
import { quitTyped } from "./quit_typed.ts";
import { readySummary } from "./ready_summary.ts";

/** `ouroboros set-network`. */
export async function setNetwork(
  options: SetNetworkOptions,
  context: CliContext,
): Promise<number> {
  if (options.reportReady) return await superviseDetached(options.network, context);
  if (options.detach) return await startDetached(options.network, context);
  return await superviseHere(options.network, context);
}

/** The ring lives as long as this process: until `quit`, a signal, or `ouroboros stop`. */
async function superviseHere(network: NetworkOptions, context: CliContext): Promise<number> {
  using log = supervisorLog(network);
  const quit = new AbortController();
  const signal = AbortSignal.any([context.signal, quit.signal]);
  quitTyped(signal).then((typed) => {
    if (typed) quit.abort();
  });
  signal.addEventListener("abort", () => printNotice("Stopping …\n"), { once: true });
  const onReady = (ring: ReadyRing) =>
    printNotice(readySummary(ring, "type quit, or press Ctrl-C"));
  await runSupervisor(network, { signal, log, onReady });
  printNotice("Stopped: nothing of the ring is left running.\n");
  return 0;
}

/** What a detached supervisor tells the process that waits for it: one line of JSON. */
type Report =
  | { readonly kind: "ready"; readonly summary: string }
  | { readonly kind: "failed"; readonly message: string; readonly exitCode: number };

/** This process is the supervisor that `--no-block` leaves behind. */
async function superviseDetached(network: NetworkOptions, context: CliContext): Promise<number> {
  using log = supervisorLog(network, `${planNetwork(network).ringDirectory}/supervisor.log`);
  using _crashes = logCrashes(log);
  let reported = false;
  const report = (report: Report) => {
    if (!reported) printNotice(JSON.stringify(report) + "\n");
    reported = true;
  };
  try {
    const onReady = (ring: ReadyRing) =>
      report({ kind: "ready", summary: readySummary(ring, "stop") });
    await runSupervisor(network, { signal: context.signal, log, onReady });
    report({ kind: "failed", message: "The ring was stopped before it was ready", exitCode: 1 });
    return 0;
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    log.error("failed", { error });
    report({ kind: "failed", message: error.message, exitCode: error.exitCode });
    return error.exitCode;
  }
}

/** Starts that supervisor, and returns when its ring is ready. */
async function startDetached(network: NetworkOptions, context: CliContext): Promise<number> {
  const self = selfCommand([...networkArgs(network), "--report-ready"]);
  const child = new Deno.Command(self.command, {
    args: self.args,
    env: self.env,
    detached: true,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  child.unref();
  // Whoever gives up waiting does not want the ring either.
  const giveUp = () => child.kill("SIGTERM");
  context.signal.addEventListener("abort", giveUp, { once: true });
  const report = await readReport(child.stdout);
  context.signal.removeEventListener("abort", giveUp);
  if (report === undefined) {
    const log = `${planNetwork(network).ringDirectory}/supervisor.log`;
    throw new NetworkError(`The supervisor ended before the ring was ready; see '${log}'`);
  }
  if (report.kind === "failed") {
    throw new NetworkError(report.message, { exitCode: report.exitCode === 2 ? 2 : 1 });
  }
  print(report.summary);
  return 0;
}

async function readReport(stdout: ReadableStream<Uint8Array>): Promise<Report | undefined> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of stdout) {
    text += decoder.decode(bytes, { stream: true });
    if (text.includes("\n")) break;
  }
  return text.includes("\n") ? JSON.parse(text) as Report : undefined;
}

function supervisorLog(network: NetworkOptions, file?: string): Logger & Disposable {
  const { logLevel, logJson } = network.node;
  const name = `supervisor ${network.basePort}`;
  return createLogger({
    level: logLevel,
    json: logJson,
    name,
    ...(file !== undefined && { file }),
  });
}
