import { walk } from "@std/fs/walk";
import { FileClient, type Outcome } from "./file_client.ts";
import type { Model } from "./model.ts";
import { pause } from "./pause.ts";
import type { ChaosRing } from "./ring.ts";
import type { Tally } from "./tally.ts";
import { describeGot, Violation } from "./violation.ts";

/** What checks look at. */
export interface CheckContext {
  readonly ring: ChaosRing;
  readonly model: Model;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

/** How long a ring may take to settle once nobody writes and nothing breaks, in ms. */
const settleMs = 120_000;

/** It must have looked settled for so long, in ms. */
const steadyMs = 1_000;

/** How long every copy of every file may take to be back while clients work, in ms. */
const redundantMs = 120_000;

/** A quiet ring is asked so often before its refusal counts. */
const attemptsMax = 3;

/** Names that are compared at the same time. */
const comparedAtOnce = 4;

/** Without a byte moving for so long, in ms, a quiet ring has failed. */
const stallMs = 30_000;

/** A scrub waits up to a minute for the repairs that it leads to before it answers. */
const scrubStallMs = 180_000;

/** The last of what is not as it should be, on a line. */
type Reason = string | undefined;

/** Compares what the ring has with what it has promised. Clients must be held, but for redundancy. */
export class Checks {
  readonly #context: CheckContext;

  constructor(context: CheckContext) {
    this.#context = context;
  }

  /**
   * Waits until every listed file has all its copies in place.
   *
   * @throws {Violation} When that takes too long.
   */
  async redundant(): Promise<void> {
    const { model } = this.#context;
    await this.#until("every file has all its copies", redundantMs, async () => {
      const why = await this.#context.ring.unhealed();
      if (why !== undefined) return why;
      const missing: string[] = [];
      await eachAtOnce(model.names(), async (name) => {
        if (missing.length > 0) return;
        const copies = await this.#missingCopies(name);
        if (copies !== undefined) missing.push(copies);
      });
      return missing[0];
    });
  }

  /** Has every node read every chunk, so that hidden damage is found; how many were repaired. */
  async scrub(): Promise<number> {
    const { ring } = this.#context;
    let why: Reason;
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      for (const port of ring.ports) {
        const client = this.#client(ring.directPort(port), scrubStallMs);
        const outcome = await client.ask("NODE SCRUB");
        if (outcome.kind === "ok") {
          const repaired = outcome.value.find((line) => line.startsWith("repaired: "));
          return Number(repaired?.slice("repaired: ".length));
        }
        why = explain(outcome);
      }
      await pause(500, this.#context.signal);
    }
    throw new Violation(`NODE SCRUB is not possible: ${why}`, {});
  }

  /**
   * Waits until the ring has settled: all nodes Alive and ready, one process each, the same catalog
   * everywhere, nothing staged, all copies in place.
   *
   * @throws {Violation} When that takes too long.
   */
  async settled(): Promise<void> {
    let sinceMs: number | undefined;
    await this.#until("the ring has settled", settleMs, async () => {
      const why = await this.#unsettled();
      if (why !== undefined) {
        sinceMs = undefined;
        return why;
      }
      sinceMs ??= performance.now();
      return performance.now() - sinceMs < steadyMs ? "only for a moment" : undefined;
    });
    await this.redundant();
  }

  /**
   * Compares every file, byte by byte, and every list.
   *
   * @param everywhere Every file through every node and the gateway, rather than through one of them.
   * @throws {Violation} On the first thing that is not as it was promised.
   */
  async compare(everywhere: boolean): Promise<void> {
    const { model, ring, tally } = this.#context;
    const ports = [...ring.ports, ring.gatewayPort];
    const turn = tally.checks++;
    await eachAtOnce(model.names().map((name, index) => ({ name, index })), async (each) => {
      const { name, index } = each;
      const first = (index + turn) % ports.length;
      const others = everywhere ? ports.length - 1 : 0;
      for (let step = 0; step <= others; step++) {
        const port = ports[(first + step) % ports.length] ?? 0;
        await this.#compareFile(name, port);
      }
    });
    for (const port of ports) await this.#compareList(port);
  }

  /** What is on disk that should have been removed. Waits for nothing. */
  async leftovers(): Promise<string[]> {
    const { dataDir } = this.#context.ring;
    const found: string[] = [];
    for await (const { path, isFile } of walk(dataDir)) {
      const name = path.slice(dataDir.length + 1);
      const isTemporary = /\/staging\//.test(name) || /\.(tmp|partial|part|salvaged)$/.test(name);
      if (isFile && isTemporary) found.push(name);
    }
    return found;
  }

  async #compareFile(name: string, port: number): Promise<void> {
    const { model, tally } = this.#context;
    const outcome = await this.#insist(() => this.#client(port).get(name));
    if (outcome.kind !== "ok") {
      throw new Violation(`'${name}' cannot be pulled from a settled ring`, {
        verdict: "lost",
        file: name,
        lines: [`by: get through ${port}`, `got: ${explain(outcome)}`],
      });
    }
    const { sha256, bytes } = outcome.value;
    const allowed = model.allowed(name, model.beginRead());
    const verdict = model.pin(name, sha256);
    tally.compared++;
    if (verdict === "right") return;
    tally[verdict]++;
    const got = describeGot(model, name, sha256 === undefined ? undefined : bytes);
    const how = `get through ${port}, the ring settled`;
    throw Violation.of(model, { name, verdict, how, allowed, got });
  }

  async #compareList(port: number): Promise<void> {
    const { model, tally } = this.#context;
    const outcome = await this.#insist(() => this.#client(port).list());
    if (outcome.kind !== "ok") {
      throw new Violation(`${port} gives no list: ${explain(outcome)}`, { verdict: "lost" });
    }
    const read = model.beginRead();
    const sizes = new Map(outcome.value.map(({ name, size }) => [name, size]));
    for (const name of new Set([...model.names(), ...sizes.keys()])) {
      const size = sizes.get(name);
      const verdict = model.judgeListed(name, read, size);
      if (verdict === "right") continue;
      tally[verdict]++;
      const got = size === undefined ? "not listed" : `listed with ${size} bytes`;
      const how = `list through ${port}, the ring settled`;
      throw Violation.of(model, { name, verdict, how, allowed: model.allowed(name, read), got });
    }
  }

  async #unsettled(): Promise<Reason> {
    const { ring } = this.#context;
    const why = await ring.unhealed();
    if (why !== undefined) return why;
    const catalogs = new Map<string, number>();
    for (const port of ring.ports) {
      const info = await ring.info(port);
      catalogs.set(info.get("catalog") ?? "", port);
      const staged = await this.#staged(port);
      if (staged.length > 0) return `${port} has staged ${staged.join(", ")}`;
      const pids = await ring.pidsOf(port);
      if (pids.length !== 1) return `${port} has the processes ${pids.join(", ")}`;
    }
    if (catalogs.size === 1) return undefined;
    return `catalogs differ: ${[...catalogs].map(([sum, port]) => `${port} ${sum}`).join(", ")}`;
  }

  async #staged(port: number): Promise<string[]> {
    const directory = `${this.#context.ring.nodeDirectory(port)}/staging`;
    return await Array.fromAsync(Deno.readDir(directory), ({ name }) => name).catch(() => []);
  }

  /** What a file lacks; nothing also when there is no such file. */
  async #missingCopies(name: string): Promise<Reason> {
    const { ring } = this.#context;
    let why: Reason;
    for (const port of ring.ports) {
      const outcome = await this.#client(ring.directPort(port)).stat(name);
      if (outcome.kind !== "ok") {
        why = `'${name}': ${explain(outcome)}`;
        continue;
      }
      const missing = outcome.value?.missing[0];
      return missing === undefined ? undefined : `'${name}' has ${missing}`;
    }
    return why;
  }

  #client(port: number, patienceMs = stallMs): FileClient {
    return new FileClient(port, { stallMs: patienceMs, signal: this.#context.signal });
  }

  async #insist<T>(ask: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
    for (let attempt = 1;; attempt++) {
      const outcome = await ask();
      if (outcome.kind === "ok" || attempt === attemptsMax) return outcome;
      await pause(500, this.#context.signal);
    }
  }

  async #until(what: string, timeoutMs: number, look: () => Promise<Reason>): Promise<void> {
    const { signal } = this.#context;
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const why = await look().catch((error: unknown) => {
        signal.throwIfAborted();
        return error instanceof Error ? error.message : String(error);
      });
      if (why === undefined) return;
      if (performance.now() > endMs) {
        throw new Violation(`Waited ${timeoutMs} ms in vain until ${what}: ${why}`, {
          verdict: "lost",
          ...fileIn(why),
        });
      }
      await pause(200, signal);
    }
  }
}

function fileIn(text: string): { readonly file?: string } {
  const file = /^'([^']*)'/.exec(text)?.[1];
  return file === undefined ? {} : { file };
}

function explain(outcome: Outcome<unknown>): string {
  if (outcome.kind === "refused") return `ERR ${outcome.error}`;
  return outcome.kind === "broken" ? outcome.reason : "";
}

/** Does something with every item, with some at the same time. */
async function eachAtOnce<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await act(item);
  };
  await Promise.all(Array.from({ length: comparedAtOnce }, worker));
}
