import { selfCommand } from "../../src/runtime/self.ts";

/** How {@linkcode runProgram} runs. */
export interface RunProgramOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** What it reads from standard input; nothing by default. */
  readonly stdin?: string | Uint8Array;
  /** It is killed after this, in ms. Default: 60 s. */
  readonly timeoutMs?: number;
}

/** What a run of the program left. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stdoutBytes: Uint8Array;
  readonly stderr: string;
}

/**
 * The program under test with these arguments: the binary that `OUROBOROS_BIN` names, else `main.ts`
 * under this Deno with the permissions that users give it.
 */
export function programCommand(args: readonly string[]): { command: string; args: string[] } {
  const binary = Deno.env.get("OUROBOROS_BIN");
  return binary === undefined || binary === ""
    ? selfCommand(args)
    : { command: binary, args: [...args] };
}

/** Runs the program to its end. */
export async function runProgram(
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<Ran> {
  const { command, args: argv } = programCommand(args);
  const child = new Deno.Command(command, {
    args: argv,
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { NO_COLOR: "1", ...options.env },
  }).spawn();
  const late = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 60_000);
  if (options.stdin !== undefined) {
    const { stdin } = options;
    const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
    const writer = child.stdin.getWriter();
    // A program that does not read to the end is the test's to judge by its exit code.
    await writer.write(bytes).then(() => writer.close()).catch(() => {});
  }
  const { code, stdout, stderr } = await child.output();
  clearTimeout(late);
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stdoutBytes: stdout,
    stderr: decoder.decode(stderr),
  };
}

/** A running program whose output is collected; dispose kills it if it still runs. */
export class Program implements AsyncDisposable {
  /** All it has printed so far. */
  stdout = "";
  stderr = "";
  /** Its exit code, once it has ended. */
  readonly exited: Promise<number>;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;
  readonly #collected: Promise<unknown>;
  #ended = false;

  constructor(args: readonly string[], options: Omit<RunProgramOptions, "timeoutMs"> = {}) {
    const { command, args: argv } = programCommand(args);
    this.#child = new Deno.Command(command, {
      args: argv,
      stdin: options.stdin === undefined ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      env: { NO_COLOR: "1", ...options.env },
    }).spawn();
    this.#stdin = options.stdin === undefined ? this.#child.stdin.getWriter() : undefined;
    this.#collected = Promise.all([
      collect(this.#child.stdout, (text) => this.stdout += text),
      collect(this.#child.stderr, (text) => this.stderr += text),
    ]);
    this.exited = this.#child.status.then(({ code }) => {
      this.#ended = true;
      return code;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Writes to its standard input. */
  async type(text: string): Promise<void> {
    await this.#stdin?.write(new TextEncoder().encode(text));
  }

  /** Ends its standard input. */
  async closeStdin(): Promise<void> {
    await this.#stdin?.close();
  }

  /** Sends it a signal. */
  signal(signal: Deno.Signal): void {
    if (!this.#ended) this.#child.kill(signal);
  }

  /** Waits until its standard output has a text in it. */
  async printed(text: string, timeoutMs = 60_000): Promise<void> {
    await waitUntil(`it prints '${text}'`, timeoutMs, () => {
      if (this.stdout.includes(text)) return true;
      if (this.#ended) throw new Error(`It ended before '${text}':\n${this.stdout}${this.stderr}`);
      return false;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.exited;
    await this.#stdin?.close().catch(() => {/* closed already, or its reader is gone */});
    await this.#collected;
  }
}

/** Waits until something is so, looking every 25 ms; fails after `timeoutMs`. */
export async function waitUntil(
  what: string | (() => string),
  timeoutMs: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!await isSo()) {
    if (Date.now() > endMs) {
      const said = typeof what === "string" ? what : what();
      throw new Error(`Waited ${timeoutMs} ms in vain until ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) take(decoder.decode(bytes, { stream: true }));
}
