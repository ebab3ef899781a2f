import { ClientError } from "../client/client_error.ts";
import type { CliContext } from "./cli_context.ts";
import { type ClientContext, clientContext } from "./client_context.ts";
import type { StatusOptions } from "./client_options.ts";
import { UsageError } from "./flag.ts";
import { print } from "./output.ts";
import { netmapSummary, reportLines, reportRing } from "./ring_report.ts";
import { ringScreen } from "./ring_screen.ts";
import { type Terminal, terminalOf } from "./terminal.ts";

/** How often `--watch` looks, in ms. */
const watchMs = 1_000;

/** `ouroboros status`: the ring drawn on a terminal; elsewhere the netmap, a line a node. */
export async function status(options: StatusOptions, context: CliContext): Promise<number> {
  const { json, watch } = options;
  const stdout = terminalOf("stdout");
  if (watch && !stdout.isTerminal) {
    throw new UsageError("status --watch draws on a terminal, and standard output is none");
  }
  using client = clientContext(options, context);
  if (watch) return await watchRing(client, stdout);
  const reports = await reportRing(client);
  if (json) {
    print(JSON.stringify({ summary: netmapSummary(reports), nodes: reports }, null, 2) + "\n");
  } else {
    const lines = stdout.isTerminal ? ringScreen(reports, stdout) : reportLines(reports);
    print(lines.join("\n") + "\n");
  }
  return 0;
}

/** Draws over what it drew before, until Ctrl-C, which is no failure here. */
async function watchRing(client: ClientContext, stdout: Terminal): Promise<number> {
  let drawn = 0;
  print(hideCursor);
  try {
    while (!client.signal.aborted) {
      const lines = await frame(client, stdout);
      // Up to the first line of the last frame, each line over the old one, nothing below.
      const up = drawn > 0 ? `\x1b[${drawn}A` : "";
      print(`${up}\r${lines.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J`);
      drawn = lines.length;
      await client.clock.sleep(watchMs, client.signal);
    }
  } catch (error) {
    if (!client.signal.aborted) throw error;
  } finally {
    print(showCursor);
  }
  return 0;
}

async function frame(client: ClientContext, stdout: Terminal): Promise<string[]> {
  const rows = Math.max(2, stdout.rows() - 2);
  const foot = stdout.paint("dim", `${new Date().toTimeString().slice(0, 8)}, Ctrl-C ends`);
  try {
    const lines = ringScreen(await reportRing(client), stdout, rows);
    return [...lines.slice(0, rows), foot];
  } catch (error) {
    if (client.signal.aborted || !(error instanceof ClientError)) throw error;
    // The ring may come back: the next look tells.
    return [stdout.paint("red", error.message.slice(0, stdout.columns() - 1)), foot];
  }
}

const hideCursor = "\x1b[?25l";
const showCursor = "\x1b[?25h";
