/**
 * The story of OuroborosFS in half a minute: a ring on free ports in a temporary directory, real
 * files, a node killed in the middle of it, and the same SHA-256 all the way.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { connectRing } from "../src/client/connect.ts";
import { pullFile } from "../src/client/pull.ts";
import { pushFile } from "../src/client/push.ts";
import { askInfo, askNetmap } from "../src/client/questions.ts";
import type { PeerConnection } from "../src/net/peer_connection.ts";
import { PeerError, PeerUnreachable } from "../src/net/peer_errors.ts";
import { TcpTransport } from "../src/net/tcp_transport.ts";
import { Watchdog } from "../src/net/watchdog.ts";
import { formatAddress } from "../src/protocol/address.ts";
import { chunkName } from "../src/protocol/names.ts";
import { SystemClock } from "../src/runtime/clock.ts";
import { selfCommand } from "../src/runtime/self.ts";
import { ShutdownSignal } from "../src/runtime/shutdown.ts";

const nodeCount = 5;
/** Long enough for a pull while the killed node is still missing. */
const gossipIntervalMs = 2_000;
/** The whole demo; when something hangs it fails visibly. */
const demoMsMax = 60_000;
const bigFileBytes = 100 * 1024 * 1024;

const clock = new SystemClock();
const startMs = clock.nowMs();

async function demo(): Promise<number> {
  const directory = await Deno.makeTempDir({ prefix: "ouroboros-demo-" });
  using shutdown = new ShutdownSignal();
  using watchdog = new Watchdog(clock);
  const stop = AbortSignal.any([shutdown.signal, AbortSignal.timeout(demoMsMax)]);
  try {
    await using ring = await DemoRing.start(directory, watchdog);
    await unlessAborted(stop, tellStory(ring, directory));
    tell("The end: stopping every process, deleting the directory.");
    return 0;
  } catch (error) {
    tell(`That should not have happened: ${error instanceof Error ? error.message : error}`);
    return 1;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function tellStory(ring: DemoRing, directory: string): Promise<void> {
  tell(`A ring of ${nodeCount} nodes is ready, a process each, ports ${ring.portsShown}.`);
  const readme = await firstThatExists(["README.md", "main.ts"]);
  const files = [
    { name: "README.md", path: readme },
    { name: "hundred.bin", path: await makeBigFile(directory) },
  ];
  const sums = new Map<string, string>();
  for (const { name, path } of files) {
    const { size, sha256 } = await ring.push(name, path);
    sums.set(name, sha256);
    tell(`Pushed ${name}: ${megabytes(size)}, SHA-256 ${sha256.slice(0, 12)}…`);
  }
  tell("Where the parts of hundred.bin lie, each on its holder and on the node before it:");
  for (const line of await ring.whereParts(directory, "hundred.bin")) tell(`  ${line}`);

  const pull = async (name: string, when: string, through: number) => {
    const beganMs = clock.nowMs();
    const sha256 = await ring.pull(name, through);
    if (sha256 !== sums.get(name)) throw new Error(`${name} came back as ${sha256}`);
    const seconds = ((clock.nowMs() - beganMs) / 1000).toFixed(1);
    tell(`Pulled ${name} ${when}: same SHA-256, ${seconds} s.`);
  };
  await pull("README.md", "through the last node", nodeCount - 1);
  await pull("hundred.bin", "through the last node", nodeCount - 1);

  const victim = 2;
  const { pid, port } = await ring.kill(victim);
  const killedMs = clock.nowMs();
  tell(`Killed the node on port ${port} (pid ${pid}) with SIGKILL.`);
  await pull("README.md", "during the outage", 0);
  tell(`The netmap now says: ${await ring.netmapShown()}`);
  await pull("hundred.bin", "during the outage", 0);

  const reborn = await ring.untilBack(victim, pid);
  const seconds = ((clock.nowMs() - killedMs) / 1000).toFixed(1);
  tell(`Its neighbour has started it again: pid ${reborn}, ${seconds} s after the kill.`);
  tell(`The netmap now says: ${await ring.netmapShown()}`);
  await pull("README.md", "through the healed node", victim);
  await pull("hundred.bin", "through the healed node", victim);
}

/** The ring of the demo, run by the program itself as a user would. */
class DemoRing implements AsyncDisposable {
  readonly #watchdog: Watchdog;
  readonly #basePort: number;
  readonly #supervisor: Deno.ChildProcess;

  private constructor(watchdog: Watchdog, basePort: number, supervisor: Deno.ChildProcess) {
    this.#watchdog = watchdog;
    this.#basePort = basePort;
    this.#supervisor = supervisor;
  }

  static async start(directory: string, watchdog: Watchdog): Promise<DemoRing> {
    const basePort = freePorts(nodeCount + 1);
    const { command, args } = selfCommand([
      ...["set-network", `--nodes=${nodeCount}`, `--base-port=${basePort}`],
      ...[`--dns-port=${basePort + nodeCount}`, `--data-dir=${directory}/nodes`],
      ...[`--wait-time=${gossipIntervalMs}`, "--log-level=error"],
    ]);
    const streams = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
    const supervisor = new Deno.Command(command, { args, ...streams }).spawn();
    const ring = new DemoRing(watchdog, basePort, supervisor);
    for await (const text of supervisor.stdout.pipeThrough(new TextDecoderStream())) {
      if (text.includes("The ring is ready")) return ring;
    }
    throw new Error("the ring did not start");
  }

  get portsShown(): string {
    return `${this.#basePort} to ${this.#basePort + nodeCount - 1}`;
  }

  async push(name: string, path: string): Promise<{ size: number; sha256: string }> {
    using file = await Deno.open(path);
    const { size } = await file.stat();
    const hash = createHash("sha256");
    using peer = await this.#connect(nodeCount);
    await pushFile(peer, {
      name,
      size,
      read: async (buffer) => {
        const count = await file.read(buffer);
        hash.update(buffer.subarray(0, count ?? 0));
        return count;
      },
    });
    return { size, sha256: hash.digest("hex") };
  }

  /** Pulls and gives the SHA-256 of what came. */
  async pull(name: string, through: number): Promise<string> {
    const { sha256 } = await pullFile(
      () => this.#connect(through),
      name,
      { write: () => Promise.resolve() },
    );
    return sha256;
  }

  /** A line a part, from what is on the disks. */
  async whereParts(directory: string, name: string): Promise<string[]> {
    const lines: string[] = [];
    for (let part = 0; part < nodeCount; part++) {
      const chunk = chunkName(name, part, nodeCount);
      const places: string[] = [];
      let size = 0;
      for (const kind of ["content", "backup"]) {
        for (let node = 0; node < nodeCount; node++) {
          const port = this.#basePort + node;
          const found = await sizeOf(`${directory}/nodes/${port}/${kind}/${chunk}`);
          if (found === undefined) continue;
          size = found;
          places.push(`${port}/${kind}`);
        }
      }
      lines.push(`${chunk}  ${megabytes(size)}  ${places.join("  ")}`);
    }
    return lines;
  }

  async kill(node: number): Promise<{ pid: number; port: number }> {
    const pid = await this.#pid(node);
    Deno.kill(pid, "SIGKILL");
    return { pid, port: this.#basePort + node };
  }

  /** Waits until a node has a new process, and all others have it as Alive; the new pid. */
  async untilBack(node: number, oldPid: number): Promise<number> {
    for (;;) {
      try {
        const pid = await this.#pid(node);
        const alive = (await this.netmapShown()).match(/Alive/g)?.length;
        if (pid !== oldPid && alive === nodeCount) return pid;
      } catch (error) {
        if (!(error instanceof PeerUnreachable) && !(error instanceof PeerError)) throw error;
      }
      await clock.sleep(50);
    }
  }

  async netmapShown(): Promise<string> {
    using peer = await this.#connect(0);
    const entries = await askNetmap(peer);
    return entries.map(({ address, status }) => `${address.split(":").at(-1)} ${status}`).join(
      ", ",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const typing = this.#supervisor.stdin.getWriter();
    await typing.write(new TextEncoder().encode("quit\n")).catch(() => {/* it has ended */});
    await this.#supervisor.status;
    await typing.close().catch(() => {/* its reader is gone */});
  }

  async #pid(node: number): Promise<number> {
    using peer = await this.#connect(node);
    const info = await askInfo(peer);
    if (info.get("state") !== "ready") throw new PeerError(peer.address, "not ready yet");
    return Number(info.get("pid"));
  }

  /** Connects to a node by its place in the ring, or to the gateway behind the last one. */
  async #connect(node: number): Promise<PeerConnection> {
    const dependencies = { transport: new TcpTransport(), watchdog: this.#watchdog };
    const address = formatAddress("127.0.0.1", this.#basePort + node);
    try {
      return await connectRing(dependencies, [address]);
    } catch (error) {
      if (error instanceof Error && error.cause instanceof PeerUnreachable) throw error.cause;
      throw error;
    }
  }
}

/** Waits for the story, but no longer than the signal lets it. */
async function unlessAborted(signal: AbortSignal, story: Promise<void>): Promise<void> {
  const aborted = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  await Promise.race([story, aborted]);
}

function tell(line: string): void {
  const seconds = ((clock.nowMs() - startMs) / 1000).toFixed(1).padStart(4);
  console.log(`${seconds} s  ${line}`);
}

function megabytes(bytes: number): string {
  return bytes < 100_000 ? `${bytes} bytes` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Bytes that do not repeat, so that a mixed-up part could not go unnoticed. */
async function makeBigFile(directory: string): Promise<string> {
  const path = `${directory}/hundred.bin`;
  using file = await Deno.open(path, { create: true, write: true });
  const block = new Uint8Array(64 * 1024);
  for (let written = 0; written < bigFileBytes;) {
    crypto.getRandomValues(block);
    written += await file.write(block);
  }
  return path;
}

async function firstThatExists(names: readonly string[]): Promise<string> {
  for (const name of names) {
    const path = fileURLToPath(new URL(`../${name}`, import.meta.url));
    if (await sizeOf(path) !== undefined) return path;
  }
  throw new Error(`none of ${names.join(", ")} is there`);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The first of so many ports in a row that nobody has. */
function freePorts(count: number): number {
  for (let first = 7_000; first < 30_000; first += count) {
    try {
      for (let port = first; port < first + count; port++) {
        Deno.listen({ hostname: "127.0.0.1", port }).close();
      }
      return first;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`No ${count} free ports in a row`);
}

if (import.meta.main) Deno.exit(await demo());
