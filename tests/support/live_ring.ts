import { createHash } from "node:crypto";
import { Program, runProgram, waitUntil } from "./program.ts";

/** How {@linkcode liveRing} starts a ring. */
export interface LiveRingOptions {
  /** Further arguments of `set-network`. */
  readonly args?: readonly string[];
  /** Milliseconds between two looks at a neighbour. Default: 500. */
  readonly waitTimeMs?: number;
  /** Whether there is a gateway. Default: yes. */
  readonly gateway?: boolean;
  /** A data directory that outlives the ring; by default a temporary one. */
  readonly dataDir?: string;
  /** The first port, to start a ring again in its directory; by default any free block. */
  readonly basePort?: number;
  /** `fsync` or `relaxed`. Default: relaxed, as tests do not cut the power. */
  readonly durability?: "fsync" | "relaxed";
}

/** A ring of real processes; dispose ends all of them and deletes what they stored. */
export class LiveRing implements AsyncDisposable {
  readonly ports: readonly number[];
  /** 0 without a gateway. */
  readonly gatewayPort: number;
  readonly dataDir: string;
  readonly supervisor: Program;
  readonly #deleteDataDir: boolean;

  constructor(parts: LiveRingParts) {
    this.ports = parts.ports;
    this.gatewayPort = parts.gatewayPort;
    this.dataDir = parts.dataDir;
    this.supervisor = parts.supervisor;
    this.#deleteDataDir = parts.deleteDataDir;
  }

  /** The port of a node by its place in the ring; negative counts from the last. */
  port(index: number): number {
    const port = this.ports.at(index);
    if (port === undefined) throw new RangeError(`The ring has no node ${index}`);
    return port;
  }

  /** What a node tells of itself; fails when it does not answer. */
  async info(port: number): Promise<Map<string, string>> {
    return parseInfo(await askText(port, "NODE INFO\n"));
  }

  /** The process of a node, or of the gateway. */
  async pid(port: number): Promise<number> {
    const isGateway = port === this.gatewayPort;
    const info = parseInfo(await askText(port, isGateway ? "GATEWAY INFO\n" : "NODE INFO\n"));
    const pid = Number(info.get("pid"));
    if (!Number.isInteger(pid) || pid < 2) throw new Error(`${port} told the pid ${pid}`);
    return pid;
  }

  /** Ends a node, or the gateway, by SIGKILL; resolves when its port is free. Gives its pid. */
  async kill(port: number): Promise<number> {
    const pid = await this.pid(port);
    Deno.kill(pid, "SIGKILL");
    await waitUntil(`process ${pid} has ended`, 5_000, () => !isRunning(pid));
    return pid;
  }

  /** Waits until every node has all nodes as Alive and is ready. */
  async waitAllAlive(timeoutMs = 30_000): Promise<void> {
    const expected = this.ports.map((port) => `${port}=Alive\n`).join("") + "OK\n";
    await waitUntil("all nodes have each other as Alive", timeoutMs, async () => {
      for (const port of this.ports) {
        try {
          if (await askText(port, "NETMAP GET\n") !== expected) return false;
          if ((await this.info(port)).get("state") !== "ready") return false;
        } catch {
          // It does not answer yet.
          return false;
        }
      }
      return true;
    });
  }

  /** Types `quit` and waits until the supervisor has ended; its exit code. */
  async quit(): Promise<number> {
    await this.supervisor.type("quit\n");
    return await this.supervisor.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.supervisor.ended) {
      this.supervisor.signal("SIGTERM");
      const late = setTimeout(() => this.supervisor.signal("SIGKILL"), 8_000);
      await this.supervisor.exited;
      clearTimeout(late);
    }
    await this.supervisor[Symbol.asyncDispose]();
    // Does nothing after a supervisor that kept its promise.
    await runProgram(["stop", "--data-dir", this.dataDir], { timeoutMs: 10_000 });
    if (this.#deleteDataDir) await Deno.remove(this.dataDir, { recursive: true });
  }
}

interface LiveRingParts {
  readonly ports: readonly number[];
  readonly gatewayPort: number;
  readonly dataDir: string;
  readonly supervisor: Program;
  readonly deleteDataDir: boolean;
}

/**
 * Starts a ring of real processes and waits until it is ready.
 *
 * @param nodes How many.
 */
export async function liveRing(nodes: number, options: LiveRingOptions = {}): Promise<LiveRing> {
  const basePort = options.basePort ?? freePorts(nodes + 1);
  const gatewayPort = options.gateway === false ? 0 : basePort + nodes;
  const dataDir = options.dataDir ?? await Deno.makeTempDir({ prefix: "ouroboros-ring-" });
  const supervisor = new Program([
    "set-network",
    `--nodes=${nodes}`,
    `--base-port=${basePort}`,
    `--data-dir=${dataDir}`,
    `--wait-time=${options.waitTimeMs ?? 500}`,
    `--durability=${options.durability ?? "relaxed"}`,
    ...(gatewayPort === 0 ? [] : [`--dns-port=${gatewayPort}`, "--dns-poll=250"]),
    ...options.args ?? [],
  ]);
  const ports = Array.from({ length: nodes }, (_, index) => basePort + index);
  const deleteDataDir = options.dataDir === undefined;
  const ring = new LiveRing({ ports, gatewayPort, dataDir, supervisor, deleteDataDir });
  try {
    await supervisor.printed("The ring is ready");
    return ring;
  } catch (error) {
    await ring[Symbol.asyncDispose]();
    throw error;
  }
}

/** Sends bytes on a connection of its own, ends the sending side, and gives all that comes back. */
export async function ask(
  port: number,
  request: string | Uint8Array,
  timeoutMs = 30_000,
): Promise<Uint8Array<ArrayBuffer>> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const late = setTimeout(() => conn.close(), timeoutMs);
  try {
    const sent = send(conn, request);
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for (;;) {
      const buffer = new Uint8Array(64 * 1024);
      const count = await conn.read(buffer);
      if (count === null) break;
      pieces.push(buffer.subarray(0, count));
      bytes += count;
    }
    await sent;
    const all = new Uint8Array(bytes);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  } finally {
    clearTimeout(late);
  }
}

/** {@linkcode ask}, with the answer as text. */
export async function askText(port: number, request: string | Uint8Array): Promise<string> {
  return new TextDecoder().decode(await ask(port, request));
}

/** The lower-case hex SHA-256 of some bytes. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * The first of so many ports in a row that are free now. They lie below the ports that systems give
 * to outgoing connections, and are drawn at random, as other tests run at the same time.
 */
export function freePorts(count: number): number {
  for (let attempt = 0; attempt < 200; attempt++) {
    const first = 12_000 + Math.floor(Math.random() * (20_000 - count));
    if (Array.from({ length: count }, (_, index) => first + index).every(isFree)) return first;
  }
  throw new Error(`No ${count} free ports in a row`);
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    // In use, or not for us.
    return false;
  }
}

/**
 * Whether a process of this id exists and is not only waiting to be reaped. Its first thread may be
 * gone while another one still holds the sockets.
 */
function isRunning(pid: number): boolean {
  try {
    const threads = [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
    return threads.some((thread) => {
      return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/task/${thread}/status`));
    });
  } catch {
    // It has gone; without /proc the port decides.
    return false;
  }
}

async function send(conn: Deno.TcpConn, request: string | Uint8Array): Promise<void> {
  const bytes = typeof request === "string" ? new TextEncoder().encode(request) : request;
  try {
    for (let written = 0; written < bytes.length;) {
      written += await conn.write(bytes.subarray(written));
    }
    await conn.closeWrite();
  } catch {
    // The other side ended first; what it has answered tells why.
  }
}

function parseInfo(text: string): Map<string, string> {
  if (!text.endsWith("OK\n")) throw new Error(`No answer to INFO: '${text.slice(0, 100)}'`);
  const pairs = text.split("\n").filter((line) => line.includes(": ")).map((line) => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)] as const;
  });
  return new Map(pairs);
}
