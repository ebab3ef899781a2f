import { dirname } from "node:path";
import { SeededRandom } from "../../tests/support/seeded_random.ts";
import { Checks } from "./checks.ts";
import { makeContent } from "./content.ts";
import { gatherEvidence } from "./evidence.ts";
import { type FaultContext, inject } from "./faults.ts";
import { FileClient } from "./file_client.ts";
import { Load } from "./load.ts";
import { Model } from "./model.ts";
import type { ChaosOptions } from "./options.ts";
import { OwnDisk } from "./own_disk.ts";
import { pause } from "./pause.ts";
import {
  chooseNodes,
  destructiveKinds,
  type Fault,
  hiddenKinds,
  planRounds,
  type Round,
} from "./plan.ts";
import type { ChaosResult } from "./report.ts";
import { ChaosRing, RingFailure } from "./ring.ts";
import { clearAbandoned, RunDirectory } from "./run_directory.ts";
import { Tally } from "./tally.ts";
import { Violation } from "./violation.ts";

/** How a run ended. */
export interface ChaosRun extends ChaosResult {
  /** Why it failed, and what is known of it; undefined when everything was as promised. */
  readonly failure: { readonly message: string; readonly lines: readonly string[] } | undefined;
}

/** What a run needs besides its options. */
export interface ChaosContext {
  readonly signal: AbortSignal;
  /** Says what happens. */
  readonly say: (text: string) => void;
}

/** How long a ring may take to heal, in ms, on a busy machine. */
const healMs = 90_000;

/** Everything is compared after so many rounds. */
const roundsPerCheck = 4;

/** What is kept of the time for the last look at everything, in ms, before one was measured. */
const lastCheckMs = 8_000;

/** Files that are there before the first fault. */
const firstFiles = 12;

/** Runs chaos once; whatever happens, nothing of it is left running, mounted or on disk. */
export async function runChaos(options: ChaosOptions, context: ChaosContext): Promise<ChaosRun> {
  const { say } = context;
  await using directory = await RunDirectory.make();
  for (const path of await clearAbandoned(dirname(directory.path))) {
    say(`cleared what a killed run has left: ${path}`);
  }
  const run = await new Chaos(options, { ...context, directory: directory.path }).run();
  if (options.keep && run.failure !== undefined) {
    directory.keep();
    say(`kept: ${directory.path}`);
  }
  return run;
}

/** One run and all that belongs to it. */
class Chaos {
  readonly #options: ChaosOptions;
  readonly #context: ChaosContext & { readonly directory: string };
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #model = new Model();
  readonly #tally = new Tally();
  readonly #ring: ChaosRing;
  readonly #checks: Checks;
  readonly #load: Load;
  /** When all of it is to be over, on the machine's clock. */
  readonly #endMs: number;
  #ownDisk: OwnDisk | undefined;
  #longestCheckMs: number;

  constructor(options: ChaosOptions, context: ChaosContext & { readonly directory: string }) {
    this.#options = options;
    this.#context = context;
    const totalMs = 60_000 * options.minutes;
    this.#endMs = performance.now() + totalMs;
    this.#longestCheckMs = Math.min(lastCheckMs, totalMs / 3);
    this.#signal = AbortSignal.any([context.signal, this.#stop.signal]);
    const signal = this.#signal;
    const { proxied } = chooseNodes(options);
    const { directory } = context;
    const model = this.#model;
    const tally = this.#tally;
    this.#ring = new ChaosRing({
      options,
      directory,
      proxied: canProxy(context) ? proxied : [],
      signal,
    });
    const { gatewayPort, ports } = this.#ring;
    this.#checks = new Checks({ ring: this.#ring, model, tally, signal });
    const { clients, seed } = options;
    this.#load = new Load({ clients, seed, ports, gatewayPort, model, tally, signal });
  }

  async run(): Promise<ChaosRun> {
    const began = performance.now();
    let failure: ChaosRun["failure"];
    await using _disk = this.#ownDisk = await this.#mountDisk();
    try {
      await using _ring = this.#ring;
      failure = await this.#work().then(() => undefined, (error) => this.#explain(error));
      this.#stop.abort(new Error("The run is over"));
    } catch (error) {
      if (!(error instanceof RingFailure)) throw error;
      failure ??= { message: error.message, lines: [] };
    }
    const seconds = (performance.now() - began) / 1000;
    const { peakBytes } = this.#ring;
    return { options: this.#options, tally: this.#tally, seconds, peakBytes, failure };
  }

  async #work(): Promise<void> {
    const { say } = this.#context;
    await this.#ring.start();
    say(`ring of ${this.#options.nodes} nodes from port ${this.#ring.port(0)}`);
    await this.#pushFirst();
    const loading = this.#load.run();
    const faults = this.#injectAll();
    // Whatever fails first ends the run; the other one ends by the signal.
    faults.catch(() => {/* awaited below */});
    try {
      await Promise.race([loading, faults]);
      await faults;
      await this.#check(true);
    } catch (error) {
      this.#stop.abort(error);
      await Promise.allSettled([loading, faults]);
      throw error;
    }
    this.#stop.signal.throwIfAborted();
    await this.#ring.stop();
    const left = await this.#checks.leftovers();
    if (left.length > 0) throw new Violation(`Left on disk: ${left.join(", ")}`, {});
    this.#stop.abort(new Error("The run is over"));
    await loading;
  }

  /** Rounds of faults until the time is over, with checks in between. */
  async #injectAll(): Promise<void> {
    const { seed, nodes, faults } = this.#options;
    const { ownDisk } = chooseNodes(this.#options);
    const rounds = planRounds({
      seed,
      nodes,
      kinds: faults,
      proxied: this.#ring.proxies.size > 0 ? chooseNodes(this.#options).proxied : [],
      ownDisk: this.#ownDisk === undefined ? undefined : ownDisk,
    });
    let number = 0;
    for (const round of rounds) {
      await this.#round(round);
      if (performance.now() > this.#endMs - this.#longestCheckMs) return;
      if (++number % roundsPerCheck === 0) await this.#check(false);
      await pause(round.restMs, this.#signal);
    }
  }

  async #round({ fault, disturbance }: Round): Promise<void> {
    const { kind } = fault;
    // What takes a copy away waits until there are two of everything.
    if (destructiveKinds.has(kind)) await this.#checks.redundant();
    const disturbing = disturbance === undefined ? undefined : this.#disturb(disturbance);
    // If the first fails, nobody waits for the second.
    disturbing?.catch(() => {/* awaited below */});
    await this.#inject(fault);
    const sinceMs = performance.now();
    const disturbedMs = await disturbing;
    const healedMs = await this.#ring.healed(disturbedMs ?? sinceMs, healMs);
    this.#tally.healed(kind, healedMs);
    this.#context.say(`  healed in ${(healedMs / 1000).toFixed(1)} s`);
    if (hiddenKinds.has(kind)) this.#context.say(`  scrub repaired ${await this.#checks.scrub()}`);
    if (destructiveKinds.has(kind)) await this.#checks.redundant();
  }

  async #disturb({ fault, afterMs }: NonNullable<Round["disturbance"]>): Promise<number> {
    await pause(afterMs, this.#signal);
    await this.#inject(fault);
    return performance.now();
  }

  async #inject(fault: Fault): Promise<void> {
    const context: FaultContext = {
      ring: this.#ring,
      ownDisk: this.#ownDisk,
      signal: this.#signal,
      redundant: () => this.#checks.redundant(),
    };
    this.#tally.injected(fault.kind);
    const done = await inject(context, fault);
    this.#context.say(`${fault.kind}: ${done}`);
  }

  /** Holds the clients, waits until all is quiet, and compares everything. */
  async #check(isLast: boolean): Promise<void> {
    const began = performance.now();
    await this.#load.hold();
    await this.#checks.settled();
    await this.#checks.scrub();
    await this.#checks.settled();
    await this.#checks.compare(isLast);
    const ms = performance.now() - began;
    this.#longestCheckMs = Math.max(this.#longestCheckMs, ms);
    this.#context.say(`compared ${this.#model.names().length} names, ${(ms / 1000).toFixed(1)} s`);
    if (!isLast) this.#load.goOn();
  }

  /** Something to lose from the start. */
  async #pushFirst(): Promise<void> {
    const { gatewayPort } = this.#ring;
    const client = new FileClient(gatewayPort, { stallMs: 30_000, signal: this.#signal });
    const random = new SeededRandom(this.#options.seed);
    for (let id = 1; id <= firstFiles; id++) {
      // Contents of the clients have positive ids.
      const { content, bytes } = makeContent(-id, random.integer(300_000));
      const name = this.#load.names.small(random);
      const write = this.#model.beginWrite(name, content);
      const outcome = await client.push({ name, bytes });
      if (outcome.kind !== "ok") {
        throw new Violation(`A ring that is well refuses a push: ${JSON.stringify(outcome)}`, {});
      }
      this.#model.acknowledge(write);
    }
  }

  async #mountDisk(): Promise<OwnDisk | undefined> {
    if (!this.#options.faults.includes("full-disk")) return undefined;
    const { ownDisk } = chooseNodes(this.#options);
    const disk = await OwnDisk.mount(this.#ring.nodeDirectory(this.#ring.port(ownDisk)));
    if (disk === undefined) this.#context.say("SKIPPED full-disk: it needs Linux, root and mount");
    return disk;
  }

  async #explain(error: unknown): Promise<NonNullable<ChaosRun["failure"]>> {
    this.#context.signal.throwIfAborted();
    const isKnown = error instanceof Violation || error instanceof RingFailure;
    if (!isKnown) throw error;
    const violation = error instanceof Violation ? error : new Violation(error.message, {});
    const evidence = await gatherEvidence(this.#ring, violation);
    return { message: violation.message, lines: [...violation.lines, ...evidence] };
  }
}

function canProxy({ say }: ChaosContext): boolean {
  const isBinary = (Deno.env.get("OUROBOROS_BIN") ?? "") !== "";
  if (isBinary) say("SKIPPED proxies: a compiled program cannot be put behind one");
  return !isBinary;
}
