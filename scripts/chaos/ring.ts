import { findProcesses, readUsage, type RingProcess } from "../bench/process_usage.ts";
import { askLines, readFields } from "./line_client.ts";
import type { ChaosOptions } from "./options.ts";
import { endProcesses, signalIfThere } from "./leftovers.ts";
import { LogKeeper } from "./log_keeper.ts";
import { isSoWithin, pause } from "./pause.ts";
import { makeProxiedProgram, movePorts, programCommand } from "./proxied_program.ts";
import { Proxy } from "./proxy.ts";

/** What {@linkcode ChaosRing} is made of. */
export interface ChaosRingOptions {
  readonly options: ChaosOptions;
  /** Everything of the run is in there. */
  readonly directory: string;
  /** By their place in the ring: the nodes that are behind a proxy. */
  readonly proxied: readonly number[];
  readonly signal: AbortSignal;
}

/** Thrown when the ring does not start, heal or stop; the message says what is known. */
export class RingFailure extends Error {
  override readonly name = "RingFailure";
}

/** How long a ring may take to be ready, and to stop, in ms. */
const readyMs = 90_000;
const stopMs = 20_000;

/** How often a ring is started that gives up while it starts. */
const startAttemptsMax = 3;

/** How long a killed process may take to end, in ms: a stopped one in the middle of a sync needs it. */
const killedMs = 20_000;

/** How long one question to a node may take, in ms. */
const askMs = 2_000;

/** Characters that are kept of what the supervisor says. */
const saidChars = 20_000;

/** A node's port for others is so far from the one where it listens behind a proxy. */
const behindOffset = 40;

/** The ring under test: real processes, as a user starts them, and the proxies before some of them. */
export class ChaosRing implements AsyncDisposable {
  /** The nodes' ports as the ring and its clients know them, in ring order. */
  readonly ports: readonly number[];
  readonly gatewayPort: number;
  readonly dataDir: string;
  /** Where copies of all logs are. */
  readonly logDirectory: string;
  readonly proxies = new Map<number, Proxy>();
  /** The most memory that any node had, in bytes. */
  peakBytes = 0;
  readonly #given: ChaosRingOptions;
  readonly #behind = new Map<number, number>();
  #supervisor: Deno.ChildProcess | undefined;
  #draining: Promise<unknown> = Promise.resolve();
  #said = "";
  #logs: LogKeeper | undefined;

  constructor(given: ChaosRingOptions) {
    const { options, directory, proxied } = given;
    this.#given = given;
    const first = freePorts(options.nodes + 1);
    this.ports = Array.from({ length: options.nodes }, (_, index) => first + index);
    this.gatewayPort = first + options.nodes;
    this.dataDir = `${directory}/nodes`;
    this.logDirectory = `${directory}/logs`;
    for (const index of proxied) {
      const port = this.port(index);
      this.#behind.set(port, port + behindOffset);
    }
  }

  /** The port of a node by its place in the ring; any number goes round. */
  port(index: number): number {
    const { length } = this.ports;
    return this.ports[((index % length) + length) % length] ?? 0;
  }

  /** A port where the node is reached without its proxy. */
  directPort(port: number): number {
    return this.#behind.get(port) ?? port;
  }

  /** Where a node keeps everything. */
  nodeDirectory(port: number): string {
    return `${this.dataDir}/${port}`;
  }

  /** Has everything in {@linkcode logDirectory} that was logged until now. */
  async copyLogs(): Promise<void> {
    await this.#logs?.catchUp();
  }

  /** What the supervisor has said, the last of it. */
  get said(): string {
    return this.#said;
  }

  /**
   * Starts the supervisor and waits until the ring is ready; also after {@linkcode killEverything}.
   *
   * @throws {RingFailure} When it does not get ready.
   */
  async start(): Promise<void> {
    const program = await this.#prepare();
    for (let attempt = 1;; attempt++) {
      const supervisor = this.#spawn(program);
      let exitCode: number | undefined;
      supervisor.status.then(({ code }) => exitCode = code);
      const isReady = () => this.#said.includes("The ring is ready");
      await isSoWithin(
        readyMs,
        this.#given.signal,
        () => Promise.resolve(isReady() || exitCode !== undefined),
      );
      if (isReady()) return;
      // A supervisor gives up when a fault hits a node that it is starting: a user tries again.
      if (exitCode !== undefined && attempt < startAttemptsMax) continue;
      throw new RingFailure(`The ring was not ready within ${readyMs} ms:\n${this.#said}`);
    }
  }

  /** The processes of the ring, whoever started them. */
  async processes(): Promise<RingProcess[]> {
    const processes = await findProcesses(this.dataDir);
    for (const { pid, role } of processes) {
      const usage = role === "node" ? await readUsage(pid) : undefined;
      this.peakBytes = Math.max(this.peakBytes, usage?.peakBytes ?? 0);
    }
    return processes;
  }

  /** The processes of a node: one, while none dies or is started. */
  async pidsOf(port: number): Promise<number[]> {
    const processes = await this.processes();
    const address = `127.0.0.1:${port}`;
    return processes.filter((process) =>
      port === this.gatewayPort ? process.role === "gateway" : process.address === address
    ).map(({ pid }) => pid);
  }

  /** Sends a signal to the processes of some ports; the pids. */
  async signal(ports: readonly number[], signal: Deno.Signal): Promise<number[]> {
    const pids = (await Promise.all(ports.map((port) => this.pidsOf(port)))).flat();
    return pids.filter((pid) => signalIfThere(pid, signal));
  }

  /** Ends the processes of some ports by SIGKILL; resolves when they are gone. */
  async kill(ports: readonly number[]): Promise<void> {
    await this.#ended(await this.signal(ports, "SIGKILL"));
  }

  /** Ends every process by SIGKILL, the supervisor first. */
  async killEverything(): Promise<void> {
    await endProcesses(this.#given.directory).catch((error) => {
      throw new RingFailure(error.message);
    });
    await this.#supervisor?.status;
  }

  /** What a node tells of itself; fails when it does not answer. */
  async info(port: number): Promise<Map<string, string>> {
    return readFields(await this.#ask(port, "NODE INFO"));
  }

  /** Why the ring is not yet as it should be: all nodes Alive and ready for all; nothing when it is. */
  async unhealed(): Promise<string | undefined> {
    const expected = this.ports.map((port) => `${port}=Alive`).join(" ");
    for (const port of this.ports) {
      try {
        const netmap = (await this.#ask(port, "NETMAP GET")).join(" ");
        if (netmap !== expected) return `${port} has the netmap ${netmap}`;
        const state = (await this.info(port)).get("state");
        if (state !== "ready") return `${port} is ${state}`;
      } catch (error) {
        this.#given.signal.throwIfAborted();
        return `${port} does not answer (${error instanceof Error ? error.message : error})`;
      }
    }
    try {
      // Through the gateway, to any node.
      const answer = await this.#ask(this.gatewayPort, "NETMAP GET");
      return answer.join(" ") === expected ? undefined : `the gateway answers ${answer.join(" ")}`;
    } catch (error) {
      return `the gateway does not answer (${error instanceof Error ? error.message : error})`;
    }
  }

  /**
   * Waits until the ring is healed.
   *
   * @returns Milliseconds since `sinceMs` of `performance.now()`.
   * @throws {RingFailure} When it takes too long.
   */
  async healed(sinceMs: number, timeoutMs: number): Promise<number> {
    let why: string | undefined;
    const isHealed = await isSoWithin(
      timeoutMs,
      this.#given.signal,
      async () => (why = await this.unhealed()) === undefined,
    );
    if (!isHealed) throw new RingFailure(`The ring did not heal within ${timeoutMs} ms: ${why}`);
    return performance.now() - sinceMs;
  }

  /**
   * Stops the ring as Ctrl-C does.
   *
   * @throws {RingFailure} When something of it is left.
   */
  async stop(): Promise<void> {
    const supervisor = this.#supervisor;
    if (supervisor === undefined) return;
    await this.processes();
    signalIfThere(supervisor.pid, "SIGTERM");
    const ended = supervisor.status.then(() => true);
    const isLate = pause(stopMs, this.#given.signal).then(() => false);
    if (!await Promise.race([ended, isLate])) {
      throw new RingFailure(`The ring did not stop within ${stopMs} ms:\n${this.#said}`);
    }
    isLate.catch(() => {/* the run ends */});
    const left = await findProcesses(this.dataDir);
    if (left.length > 0) throw new RingFailure(`Left running: ${left.map(nameProcess).join(", ")}`);
    // A proxy listens only while its node does.
    const held = await isSoWithin(
      2_000,
      this.#given.signal,
      () => Promise.resolve([...this.ports, this.gatewayPort].every(isFree)),
    );
    if (!held) throw new RingFailure("A port is still held after the ring has stopped");
  }

  /** Ends whatever is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.killEverything();
    await this.#draining;
    await this.#logs?.[Symbol.asyncDispose]();
    await Promise.all([...this.proxies.values()].map((proxy) => proxy[Symbol.asyncDispose]()));
  }

  #args(): string[] {
    const { options } = this.#given;
    return [
      "set-network",
      `--nodes=${options.nodes}`,
      `--base-port=${this.ports[0]}`,
      `--dns-port=${this.gatewayPort}`,
      "--dns-poll=250",
      `--data-dir=${this.dataDir}`,
      `--wait-time=${options.waitTimeMs}`,
      `--durability=${options.durability}`,
      `--log-level=${options.logLevel}`,
    ];
  }

  /** Makes what the ring is run with; the directory of the program, if it is a changed one. */
  async #prepare(): Promise<string | undefined> {
    await Deno.mkdir(this.logDirectory, { recursive: true });
    this.#logs ??= new LogKeeper(this.#logCopies());
    await Deno.mkdir(this.#cwd, { recursive: true });
    await movePorts(this.#cwd, this.#behind);
    for (const [port, behind] of this.#behind) {
      if (!this.proxies.has(port)) this.proxies.set(port, new Proxy(port, behind));
    }
    return this.#behind.size > 0 ? await makeProxiedProgram() : undefined;
  }

  #spawn(program: string | undefined): Deno.ChildProcess {
    const { command, args } = programCommand(program, { args: this.#args(), cwd: this.#cwd });
    this.#said = "";
    const supervisor = new Deno.Command(command, {
      args: [...args],
      cwd: this.#cwd,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#supervisor = supervisor;
    const hear = (text: string) => this.#said = (this.#said + text).slice(-saidChars);
    this.#draining = Promise.all([
      this.#draining,
      collect(supervisor.stdout, hear),
      collect(supervisor.stderr, hear),
    ]);
    return supervisor;
  }

  get #cwd(): string {
    return `${this.#given.directory}/cwd`;
  }

  #logCopies(): Map<string, string> {
    const gateway = `${this.dataDir}/ring-${this.ports[0]}/gateway.log`;
    return new Map([
      [gateway, `${this.logDirectory}/gateway.log`],
      ...this.ports.map((port) =>
        [`${this.nodeDirectory(port)}/node.log`, `${this.logDirectory}/${port}.log`] as const
      ),
    ]);
  }

  async #ask(port: number, line: string): Promise<string[]> {
    const { signal } = this.#given;
    const lines = await askLines(this.directPort(port), line, { stallMs: askMs, signal });
    const error = lines.find((each) => each.startsWith("ERR"));
    if (error !== undefined) throw new RingFailure(`${port} answered '${error}' to ${line}`);
    return lines;
  }

  async #ended(pids: readonly number[]): Promise<void> {
    const isGone = await isSoWithin(
      killedMs,
      this.#given.signal,
      async () => !(await Promise.all(pids.map(isRunning))).includes(true),
    );
    if (!isGone) throw new RingFailure(`A killed process does not end: ${pids.join(", ")}`);
  }
}

function nameProcess({ role, address, pid }: RingProcess): string {
  return `${role} ${address} (pid ${pid})`;
}

/** Whether a process is there and not only waiting to be reaped. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    return !/^State:\s+[ZX]/m.test(await Deno.readTextFile(`/proc/${pid}/status`));
  } catch {
    // It has gone.
    return false;
  }
}

/** Ports in a row that are free, and those behind the proxies with them. */
function freePorts(count: number): number {
  for (let attempt = 0; attempt < 500; attempt++) {
    // Below the ports that systems give to clients.
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ([...ports, ...ports.map((port) => port + behindOffset)].every(isFree)) return first;
  }
  throw new RingFailure(`There are no ${count} free ports in a row`);
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

async function collect(
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) take(decoder.decode(bytes, { stream: true }));
}
