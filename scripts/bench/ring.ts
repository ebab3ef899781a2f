import { walk } from "@std/fs/walk";
import { selfCommand } from "../../src/runtime/self.ts";
import { readLines } from "./line_reader.ts";
import type { Durability, Path } from "./options.ts";
import { findProcesses, processAgeMs, type RingProcess } from "./process_usage.ts";
import { ask, RingError, until } from "./ring_questions.ts";

/** The ring to be started. */
export interface RingOptions {
  /** Its files go here; no other process has this path in its command line. */
  readonly directory: string;
  readonly nodeCount: number;
  readonly durability: Durability;
  readonly gossipIntervalMs: number;
  readonly signal: AbortSignal;
  /** Further flags of `set-network`. */
  readonly flags?: readonly string[];
  /** Of a directory that has files already: nodes are known by their ports. By default free ones. */
  readonly basePort?: number;
}

/** How long a ring may take to be ready, and a killed node to be back, in ms. */
const readyMs = 60_000;

/** How long a ring may take to stop when it is asked to, in ms. */
const stopMs = 15_000;

/** Lines of logs that are told, at most. */
const logLinesMax = 20;

/** A ring in processes of its own, as a user starts it. */
export class Ring implements AsyncDisposable {
  readonly #supervisor: Deno.ChildProcess;
  readonly #options: RingOptions;
  /** The port of the first node; the others follow, then the gateway. */
  readonly basePort: number;
  readonly #drained: Promise<unknown>;
  /** Milliseconds from the start of the supervisor to its word that the ring is ready. */
  readonly startMs: number;

  private constructor(started: StartedRing, options: RingOptions) {
    this.#supervisor = started.supervisor;
    this.#drained = started.drained;
    this.basePort = started.basePort;
    this.startMs = started.startMs;
    this.#options = options;
  }

  /**
   * Starts a ring on free ports and waits until it is ready.
   *
   * @throws {RingError} When it does not get ready; nothing of it is left.
   */
  static async start(options: RingOptions): Promise<Ring> {
    try {
      return new Ring(await startRing(options), options);
    } catch (error) {
      await killAll(options.directory);
      throw error;
    }
  }

  /** `host:port` for a way to the files. */
  addressOf(path: Path): string {
    const { nodeCount } = this.#options;
    const index = { direct: 0, other: Math.floor(nodeCount / 2), gateway: nodeCount }[path];
    return `127.0.0.1:${this.basePort + index}`;
  }

  /** Where its nodes keep their files. */
  get nodeDirectories(): string[] {
    const { directory, nodeCount } = this.#options;
    return Array.from({ length: nodeCount }, (_, node) => `${directory}/${this.basePort + node}`);
  }

  /** The processes it has now. */
  async processes(): Promise<RingProcess[]> {
    return await findProcesses(this.#options.directory);
  }

  /** What its processes have logged so far, the last lines of it: warnings and errors only. */
  async logLines(): Promise<string[]> {
    const lines: string[] = [];
    for await (const { path } of walk(this.#options.directory, { maxDepth: 2, exts: [".log"] })) {
      lines.push(...(await Deno.readTextFile(path)).trimEnd().split("\n"));
    }
    return lines.filter((line) => line !== "").slice(-logLinesMax);
  }

  /**
   * Kills a node and waits until it is a member again, as every node sees it.
   *
   * @param index Which one, from 0, in ring order.
   * @returns Milliseconds from the kill; `undefined` where processes cannot be told apart.
   */
  async heal(index: number): Promise<number | undefined> {
    const { nodeCount, signal } = this.#options;
    const ports = Array.from({ length: nodeCount }, (_, node) => this.basePort + node);
    const address = `127.0.0.1:${ports[index]}`;
    const victim = (await this.processes()).find((process) => process.address === address);
    if (victim === undefined) return undefined;
    Deno.kill(victim.pid, "SIGKILL");
    const killed = performance.now();
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(readyMs)]);
    await until(deadline, async () => {
      const info = await ask(address, "NODE INFO");
      return /^state: ready$/m.test(info) && !info.includes(`\npid: ${victim.pid}\n`);
    });
    const isAlive = new RegExp(`^(127\\.0\\.0\\.1:)?${ports[index]}=Alive$`, "m");
    for (const port of nodeCount === 1 ? [] : ports) {
      const isSeen = async () => isAlive.test(await ask(`127.0.0.1:${port}`, "NETMAP GET"));
      await until(deadline, isSeen);
    }
    return performance.now() - killed;
  }

  /**
   * Kills a node and measures the start of the one that takes its place: from the start of its process
   * until it serves with the catalog that the others have.
   *
   * @param isWiped Whether its directory is gone by then.
   * @returns Milliseconds; `undefined` where processes cannot be told apart.
   */
  async restart(index: number, isWiped: boolean): Promise<number | undefined> {
    const address = `127.0.0.1:${this.basePort + index}`;
    const victim = (await this.processes()).find((process) => process.address === address);
    const directory = this.nodeDirectories[index];
    if (victim === undefined || directory === undefined) return undefined;
    const catalog = /^catalog: .*$/m.exec(await ask(address, "NODE INFO"))?.[0] ?? "";
    Deno.kill(victim.pid, "SIGKILL");
    // Deleting takes so long that the next process would be there before its end.
    if (isWiped) await Deno.rename(directory, `${directory}-wiped-${victim.pid}`);
    const deadline = AbortSignal.any([this.#options.signal, AbortSignal.timeout(readyMs)]);
    let startMs: number | undefined;
    await until(deadline, async () => {
      const info = await ask(address, "NODE INFO");
      const pid = Number(/^pid: ([0-9]+)$/m.exec(info)?.[1]);
      if (pid === victim.pid || !/^state: ready$/m.test(info) || !info.includes(catalog)) {
        return false;
      }
      startMs = await processAgeMs(pid);
      return true;
    });
    return startMs;
  }

  /**
   * Stops it.
   *
   * @throws {RingError} When something of it had to be killed.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const killing = setTimeout(() => kill(this.#supervisor.pid), stopMs);
    try {
      this.#supervisor.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    const { signal } = await this.#supervisor.status;
    clearTimeout(killing);
    await this.#drained;
    const left = await killAll(this.#options.directory);
    // After Ctrl-C the supervisor stops by itself, and what it leaves is of no interest.
    if (this.#options.signal.aborted) return;
    if (signal === "SIGKILL") throw new RingError(`The ring did not stop within ${stopMs} ms`);
    if (left > 0) throw new RingError(`The ring left ${left} processes behind`);
  }
}

interface StartedRing {
  readonly supervisor: Deno.ChildProcess;
  readonly basePort: number;
  readonly startMs: number;
  /** Resolves when the supervisor writes no more. */
  readonly drained: Promise<unknown>;
}

async function startRing(options: RingOptions): Promise<StartedRing> {
  const { nodeCount, durability, directory, gossipIntervalMs } = options;
  const basePort = options.basePort ?? freePorts(nodeCount + 1);
  const { command, args } = programCommand([
    "set-network",
    `--nodes=${nodeCount}`,
    `--base-port=${basePort}`,
    `--dns-port=${basePort + nodeCount}`,
    `--data-dir=${directory}`,
    `--durability=${durability}`,
    `--wait-time=${gossipIntervalMs}`,
    "--file-size=0",
    "--log-level=warn",
    ...(options.flags ?? []),
  ]);
  const began = performance.now();
  const supervisor = new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = readLines(supervisor.stdout);
  const errors = collect(supervisor.stderr);
  const ready = lines.next();
  const deadline = AbortSignal.any([options.signal, AbortSignal.timeout(readyMs)]);
  const first = await Promise.race([ready, aborted(deadline)]).catch((error) => {
    options.signal.throwIfAborted();
    throw new RingError(`The ring is not ready after ${readyMs} ms`, { cause: error });
  });
  if (first === undefined) throw new RingError(`The ring did not start: ${await errors}`);
  const startMs = performance.now() - began;
  const draining = (async () => {
    while (await lines.next() !== undefined);
  })();
  return { supervisor, basePort, startMs, drained: Promise.all([draining, errors]) };
}

/** Whether the program knows a flag of `set-network`, so that an older one can be measured too. */
export async function knowsFlag(flag: string): Promise<boolean> {
  const { command, args } = programCommand(["set-network", "--help"]);
  const { stdout } = await new Deno.Command(command, { args, stdin: "null" }).output();
  return new RegExp(`${flag}\\b`).test(new TextDecoder().decode(stdout));
}

/** How the program is started: the compiled one, if there is one to be measured. */
function programCommand(args: readonly string[]): { command: string; args: string[] } {
  const binary = Deno.env.get("OUROBOROS_BIN");
  return binary ? { command: binary, args: [...args] } : selfCommand(args);
}

/** Finds free ports in a row; below those that systems give to clients. */
function freePorts(count: number): number {
  const tries = 100;
  for (let attempt = 0; attempt < tries; attempt++) {
    const base = 20_000 + Math.floor(Math.random() * (10_000 - count));
    if (Array.from({ length: count }, (_, index) => base + index).every(isFree)) return base;
  }
  throw new RingError(`There are no ${count} free ports in a row`);
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** Kills what is left of a ring, and tells how many processes that were. */
async function killAll(directory: string): Promise<number> {
  let killed = 0;
  // A supervisor that lives may start another one meanwhile.
  for (let pass = 0; pass < 5; pass++) {
    const left = await findProcesses(directory);
    if (left.length === 0) break;
    killed += left.length;
    for (const { pid } of left.toSorted(supervisorFirst)) kill(pid);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return killed;
}

function supervisorFirst(a: RingProcess, b: RingProcess): number {
  return Number(b.role === "supervisor") - Number(a.role === "supervisor");
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** Rejects when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** The last of what a stream says. */
async function collect(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const lastChars = 2_000;
  for await (const chunk of stream.pipeThrough(new TextDecoderStream() as TransformStream)) {
    text = (text + chunk).slice(-lastChars);
  }
  return text.trim();
}
