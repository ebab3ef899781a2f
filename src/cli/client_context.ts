import { type Connect, connectRing } from "../client/connect.ts";
import { retrying } from "../client/retry.ts";
import type { PeerDependencies } from "../net/peer_connection.ts";
import { TcpTransport } from "../net/tcp_transport.ts";
import { Watchdog } from "../net/watchdog.ts";
import { type Clock, SystemClock } from "../runtime/clock.ts";
import type { CliContext } from "./cli_context.ts";
import type { ClientOptions } from "./client_options.ts";
import { print, printError, writeStderr } from "./output.ts";
import { noProgress, type Progress, TerminalProgress } from "./progress.ts";
import { terminalOf } from "./terminal.ts";

/** What a client subcommand works with; dispose ends it. */
export interface ClientContext extends Disposable {
  readonly dependencies: PeerDependencies;
  readonly clock: Clock;
  /** Aborts on Ctrl-C and the like. */
  readonly signal: AbortSignal;
  /** Connects to the ring that the command line names. */
  readonly connect: Connect;
  /** Does something, again and again while it fails in a way that may pass and has done nothing. */
  attempt<T>(action: () => Promise<T>): Promise<T>;
  /**
   * Shows on a terminal how far something is.
   *
   * @param atEnd What still goes on when all bytes have moved.
   */
  progress(name: string, atEnd?: string): Progress;
  /** Prints a result, unless the user wants to hear of errors only. */
  tell(line: string): void;
  /** Says something beside the results, unless the user wants to hear of errors only. */
  note(line: string): void;
}

/** Real sockets, real time, and the ring at the options' target. */
export function clientContext(options: ClientOptions, { signal }: CliContext): ClientContext {
  const { target, guessed, retryMs, quiet } = options;
  const clock = new SystemClock();
  const watchdog = new Watchdog(clock);
  const dependencies = { transport: new TcpTransport(), watchdog };
  const stderr = terminalOf("stderr");
  let hasAnswered = false;
  let shown = noProgress;
  const note = (line: string) => {
    if (quiet) return;
    shown.clear();
    printError(line);
  };
  return {
    dependencies,
    clock,
    signal,
    note,
    tell(line) {
      if (!quiet) print(`${line}\n`);
    },
    async connect() {
      const peer = await connectRing(dependencies, target, signal);
      hasAnswered = true;
      return peer;
    },
    attempt(action) {
      let told = false;
      return retrying(action, {
        clock,
        signal,
        // Nobody said that there is a ring at the usual places.
        forMs: () => guessed && !hasAnswered ? 0 : retryMs,
        onRetry(error) {
          // The advice behind the semicolon is for whoever has to do something.
          const [what = ""] = error.message.split("; ");
          if (!told) note(`note: ${what}; trying again for ${retryMs / 1_000} s`);
          told = true;
        },
      });
    },
    progress(name, atEnd = "") {
      if (quiet || !stderr.isTerminal) return noProgress;
      const { columns } = stderr;
      shown = new TerminalProgress({ clock, name, atEnd, columns, write: writeStderr });
      return shown;
    },
    [Symbol.dispose]: () => watchdog.close(),
  };
}
