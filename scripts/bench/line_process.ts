import { fileURLToPath } from "node:url";
import { type LineReader, readLines } from "./line_reader.ts";

/** How a {@linkcode LineProcess} is started. */
export interface LineProcessOptions {
  /** The script, beside this one. */
  readonly script: string;
  readonly args?: readonly string[];
}

/** How long a process of the benchmark may take to end by itself, in ms, before it is killed. */
const endMs = 2_000;

/**
 * A process of the benchmark's own that is spoken to in lines: what it reads and writes is one line at a
 * time. It ends when its standard input does, also when this process is killed.
 */
export class LineProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: LineReader;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor({ script, args = [] }: LineProcessOptions) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-config", "--no-lock", "--cached-only", "-A"],
        ...[fileURLToPath(new URL(script, import.meta.url)), ...args],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = readLines(this.#child.stdout);
    this.#input = this.#child.stdin.getWriter();
  }

  /** Of the operating system. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Sends a line. */
  async say(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /**
   * Waits for the next line.
   *
   * @throws {DOMException} When the signal is aborted first.
   * @throws {Error} When the process ends first.
   */
  async hear(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    try {
      const line = await Promise.race([this.#lines.next(), promise]);
      if (line === undefined) throw new Error("a process of the benchmark ended unasked");
      return line;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    const killing = setTimeout(() => this.#child.kill("SIGKILL"), endMs);
    // It fails where the process has ended, which is what is wanted.
    await this.#input.close().catch(() => {});
    await this.#child.status;
    clearTimeout(killing);
  }
}
