import { assert, assertEquals } from "@std/assert";
import { hooksFile, pausedFile, type PushStage } from "../../src/node/test_hooks.ts";
import type { TestHookValues } from "../../src/node/test_hooks.ts";
import { absent, type ChangeOutcome, FileModel } from "./file_model.ts";
import { bytesOf } from "./line_client.ts";
import {
  ask,
  askText,
  freePorts,
  type LiveRing,
  liveRing,
  type LiveRingOptions,
  sha256,
} from "./live_ring.ts";
import { waitUntil } from "./program.ts";
import { randomBytes } from "./real_file.ts";
import { stagedFiles } from "./ring_disk.ts";
import { Download } from "./wire_client.ts";

/** How thorough a test is. */
export interface Pace {
  /** All cases, and waits as long as nodes in use have them: minutes where the quick ones take seconds. */
  readonly isLong: boolean;
}

/** How long the ring may take to be whole again, in ms: generous, as machines that test are slow. */
const healMs = 45_000;

/** How long a push may take, in ms: its node may be stopped meanwhile. */
const answerMs = 180_000;

/** A push or a delete that is under way. */
export interface Attempt {
  readonly outcome: Promise<ChangeOutcome>;
  /** What the node has answered; of meaning once the outcome is there. */
  answer(): string;
}

/** What a client asks for. */
interface Change {
  readonly name: string;
  /** What the file is to read as then. */
  readonly sum: string;
  readonly request: Uint8Array;
}

/** Where there is little time the nodes look after their directories more often. */
const hooksInHaste: TestHookValues = { upkeepMs: 400, stagedAgeMs: 800 };

/** How a {@linkcode FaultRing} is started; its nodes make haste unless the pace is long. */
export type FaultRingOptions = LiveRingOptions & Partial<Pace>;

/** Starts a {@linkcode FaultRing}. */
export async function faultRing(nodes: number, options: FaultRingOptions = {}): Promise<FaultRing> {
  const hooks = options.isLong === true ? {} : hooksInHaste;
  const basePort = options.basePort ?? freePorts(nodes + 1);
  const dataDir = options.dataDir ?? await Deno.makeTempDir({ prefix: "ouroboros-faults-" });
  for (let port = basePort; port < basePort + nodes; port++) {
    await writeHooks(`${dataDir}/${port}`, hooks);
  }
  const args = ["--test-hooks", ...options.args ?? []];
  const ring = await liveRing(nodes, { gateway: false, ...options, basePort, dataDir, args });
  return new FaultRing(ring, { ownsDirectory: options.dataDir === undefined, hooks });
}

/** For the steps of a test that has a ring: what runs on between them is not theirs. */
export const steps = { sanitizeOps: false, sanitizeResources: false } as const;

async function writeHooks(directory: string, values: TestHookValues): Promise<void> {
  const path = `${directory}/${hooksFile}`;
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(`${path}.new`, JSON.stringify(values));
  await Deno.rename(`${path}.new`, path);
}

/**
 * A ring that a test breaks, and a model of what its nodes have acknowledged, which stays right
 * whatever breaks: a name reads as what was acknowledged last, or as one of those that were under
 * way without an answer since.
 */
export class FaultRing implements AsyncDisposable {
  /** The one that runs now, and before it those that it goes on from, in the same directory. */
  readonly #rings: LiveRing[];
  readonly #model = new FileModel();
  /** Nodes that hold pushes. */
  readonly #holders = new Set<number>();
  /** Processes that are stopped. */
  readonly #stopped = new Set<number>();

  readonly #ownsDirectory: boolean;
  /** What the nodes have from the start. */
  readonly #hooks: TestHookValues;

  /** @param ownsDirectory Whether dispose deletes what the nodes stored. */
  constructor(
    ring: LiveRing,
    { ownsDirectory, hooks }: { ownsDirectory: boolean; hooks: TestHookValues },
  ) {
    this.#rings = [ring];
    this.#ownsDirectory = ownsDirectory;
    this.#hooks = hooks;
  }

  get ring(): LiveRing {
    const [ring] = this.#rings;
    if (ring === undefined) throw new Error("There is no ring");
    return ring;
  }

  get ports(): readonly number[] {
    return this.ring.ports;
  }

  /** A node by its place. */
  port(index: number): number {
    return this.ring.port(index);
  }

  /** The directory of a node. */
  directory(port: number): string {
    return `${this.ring.dataDir}/${port}`;
  }

  /** Pushes random bytes, which must be acknowledged. */
  async push(port: number, name: string, bytes = 100_000): Promise<void> {
    const attempt = this.attempt(port, name, randomBytes(bytes));
    assertEquals(await attempt.outcome, "acknowledged", attempt.answer());
  }

  /** Pushes bytes that nothing else has, whatever becomes of it. */
  attempt(port: number, name: string, bytes: Uint8Array): Attempt {
    const request = bytesOf(`FILE PUSH ${bytes.length} ${name}\n`, bytes);
    return this.#change(port, { name, sum: sha256(bytes), request });
  }

  /** Deletes a file, which must be acknowledged. */
  async delete(port: number, name: string): Promise<void> {
    const attempt = this.attemptDelete(port, name);
    assertEquals(await attempt.outcome, "acknowledged", attempt.answer());
  }

  /** Deletes a file, whatever becomes of it. */
  attemptDelete(port: number, name: string): Attempt {
    return this.#change(port, { name, sum: absent, request: bytesOf(`FILE DELETE ${name}\n`) });
  }

  #change(port: number, { name, sum, request }: Change): Attempt {
    const change = this.#model.begin(name, sum);
    let answer = "";
    const run = async (): Promise<ChangeOutcome> => {
      try {
        answer = new TextDecoder().decode(await ask(port, request, answerMs));
      } catch (error) {
        // Refused, reset, or no answer in time.
        if (!(error instanceof Error)) throw error;
        answer ||= String(error);
      }
      const outcome = outcomeOf(answer);
      this.#model.end(name, { change, outcome });
      return outcome;
    };
    return { outcome: run(), answer: () => answer };
  }

  /**
   * Compares every file with the model, through some nodes: what each lists, and every byte. A file
   * whose fate is open must only be one of what it may be, and pullable if it is listed.
   */
  async check(ports: readonly number[] = this.ports): Promise<void> {
    await Promise.all(ports.map((port) => this.#checkAt(port)));
  }

  async #checkAt(port: number): Promise<void> {
    const before = this.#model.files();
    const listed = await listedNames(port);
    for (const name of listed) {
      assert(this.#model.allowed(name) !== undefined, `${port} lists '${name}'`);
    }
    for (const [name, allowed] of before) {
      const found = await readSum(port, name);
      // A push may have been answered meanwhile.
      const now = this.#model.allowed(name) ?? allowed;
      assert(allowed.has(found) || now.has(found), `'${name}' through ${port} reads as ${found}`);
      if (now.size > 1 || now !== allowed) continue;
      assertEquals(listed.has(name), found !== absent, `'${name}' in the list of ${port}`);
    }
  }

  /**
   * Waits until the ring is whole: all nodes Alive with the same catalog, and every copy of every file
   * in its place. Then all nodes must agree on every file, and that is what it reads as from here on.
   */
  async settle(): Promise<void> {
    await this.ring.waitAllAlive(healMs);
    let reason = "";
    await waitUntil(() => `the ring is whole: ${reason}`, healMs, async () => {
      reason = await this.#whatIsOpen();
      return reason === "";
    });
    await this.check();
    for (const name of this.#model.files().keys()) {
      const sums = await Promise.all(this.ports.map((port) => readSum(port, name)));
      assertEquals(new Set(sums).size, 1, `the nodes disagree on '${name}': ${sums}`);
      this.#model.settle(name, sums);
    }
  }

  /** Waits until no node has anything staged: who is asked what became of a push has answered. */
  async stagingIsClean(timeoutMs = healMs): Promise<void> {
    let left: string[] = [];
    await waitUntil(() => `staging is clean: ${left}`, timeoutMs, async () => {
      left = [];
      for (const port of this.ports) {
        for (const name of await stagedFiles(this.ring.dataDir, port)) {
          left.push(`${port}: ${name}`);
        }
      }
      return left.length === 0;
    });
  }

  /** Ends some nodes by SIGKILL, at once. */
  async kill(...ports: number[]): Promise<void> {
    await Promise.all(ports.map((port) => this.ring.kill(port)));
  }

  /** Deletes the directory of a node. */
  async wipe(port: number): Promise<void> {
    // The node may be writing to it.
    for (let attempt = 1;; attempt++) {
      try {
        return await Deno.remove(this.directory(port), { recursive: true });
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return;
        if (attempt === 20) throw error;
      }
    }
  }

  /**
   * Ends a node, and leaves it no directory that it could start with, so that nobody brings it back.
   *
   * @returns Undoes that.
   */
  async breakDirectory(port: number): Promise<() => Promise<void>> {
    const directory = this.directory(port);
    const aside = `${directory}.aside`;
    await this.kill(port);
    for (;;) {
      try {
        await Deno.rename(directory, aside);
        await Deno.writeTextFile(directory, "no directory", { createNew: true });
        break;
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
        // A respawn was faster.
        await this.kill(port);
        await this.wipe(port);
        await Deno.rename(aside, directory);
      }
    }
    return async () => {
      await Deno.remove(directory);
      await Deno.rename(aside, directory);
    };
  }

  /** Stops a node's process without ending it; gives its id. */
  async stop(port: number): Promise<number> {
    const pid = await this.ring.pid(port);
    Deno.kill(pid, "SIGSTOP");
    this.#stopped.add(pid);
    return pid;
  }

  /** Ends a stopped process by SIGKILL: it cannot be asked who it is. */
  endStopped(pid: number): void {
    this.#stopped.delete(pid);
    Deno.kill(pid, "SIGKILL");
  }

  /** Lets a stopped process go on. */
  resume(pid: number): void {
    this.#stopped.delete(pid);
    Deno.kill(pid, "SIGCONT");
  }

  /** Has a node do something for this test from now on, see `TestHooks`; nothing by default. */
  async setHooks(port: number, values: TestHookValues = {}): Promise<void> {
    if (values.pauseAt === undefined) this.#holders.delete(port);
    else this.#holders.add(port);
    await writeHooks(this.directory(port), { ...this.#hooks, ...values });
  }

  /** Waits until a push is held at a stage at a node. */
  async heldAt(port: number, stage: PushStage): Promise<void> {
    const path = `${this.directory(port)}/${pausedFile}`;
    await waitUntil(`a push is held at ${port}: ${stage}`, 10_000, async () => {
      try {
        return await Deno.readTextFile(path) === stage;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw error;
      }
    });
  }

  /** A number that a node tells of itself. */
  async count(port: number, key: string): Promise<number> {
    return Number((await this.ring.info(port)).get(key));
  }

  /** Ends every process by SIGKILL. */
  async killAll(): Promise<void> {
    this.ring.supervisor.signal("SIGKILL");
    await this.ring.supervisor.exited;
    const gateway = this.ring.gatewayPort === 0 ? [] : [this.ring.gatewayPort];
    await this.kill(...this.ports, ...gateway);
  }

  /** Starts a new supervisor on the ring's directory, after the old one has ended. */
  async startAgain(options: LiveRingOptions = {}): Promise<void> {
    const { dataDir, ports, gatewayPort } = this.ring;
    const args = ["--test-hooks", ...options.args ?? []];
    const same = { dataDir, basePort: this.port(0), gateway: gatewayPort !== 0 };
    this.#rings.unshift(await liveRing(ports.length, { ...options, ...same, args }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of this.#stopped) {
      try {
        this.resume(pid);
      } catch (error) {
        // It was ended while it was stopped.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    for (const port of this.#holders) await this.setHooks(port);
    for (const ring of this.#rings) await ring[Symbol.asyncDispose]();
    if (this.#ownsDirectory) await Deno.remove(this.ring.dataDir, { recursive: true });
  }

  /** Why the ring is not whole yet; empty when it is. */
  async #whatIsOpen(): Promise<string> {
    const [asked = 0] = this.ports;
    const catalogs = new Set<string | undefined>();
    for (const port of this.ports) {
      const info = await this.ring.info(port);
      catalogs.add(info.get("catalog"));
    }
    if (catalogs.size > 1) return "the catalogs differ";
    for (const name of await listedNames(asked)) {
      const stat = await askText(asked, `FILE STAT ${name}\n`);
      if (/ (missing|damaged|unknown)/.test(stat) || !stat.endsWith("OK\n")) return stat;
    }
    return "";
  }
}

/** The SHA-256 of a whole file that a node serves, or `absent`. */
export async function readSum(port: number, name: string): Promise<string> {
  try {
    using file = await Download.open(port, name);
    const { bytes, sha256 } = await file.rest();
    assertEquals(bytes, file.size, `'${name}' through ${port} ended early`);
    assertEquals(sha256, file.sha256, `'${name}' through ${port} is not what its header says`);
    return sha256;
  } catch (error) {
    if (error instanceof Error && error.message.includes("ERR file not found")) return absent;
    throw error;
  }
}

/** The names that a node lists; those of tests need no quotes. */
export async function listedNames(port: number): Promise<Set<string>> {
  const [head, ...rows] = (await askText(port, "FILE LIST\n")).split("\n");
  assertEquals(head, "name,start,size", `the list of ${port}`);
  return new Set(rows.filter((row) => row !== "").map((row) => row.slice(0, row.indexOf(","))));
}

function outcomeOf(answer: string): ChangeOutcome {
  if (/(^|\n)OK\n$/.test(answer)) return "acknowledged";
  if (/^ERR outcome unknown/.test(answer)) return "unknown";
  return /^ERR [^\n]+\n$/.test(answer) ? "refused" : "broken";
}

/** The version of a file that a node serves. */
export async function versionOf(port: number, name: string): Promise<string> {
  const stat = await askText(port, `FILE STAT ${name}\n`);
  const version = /^version: (\S+)$/m.exec(stat)?.[1];
  if (version === undefined) throw new Error(`'${name}' through ${port} has no version: ${stat}`);
  return version;
}
