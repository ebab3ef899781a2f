import { SeededRandom } from "../../tests/support/seeded_random.ts";
import { makeContent } from "./content.ts";
import { FileClient, notFound } from "./file_client.ts";
import type { Model, Read } from "./model.ts";
import { Names } from "./names.ts";
import { pause } from "./pause.ts";
import { readPulled } from "./pulled.ts";
import type { Operation, Tally } from "./tally.ts";
import { describeGot, Violation } from "./violation.ts";

/** What the clients work with. */
export interface LoadOptions {
  readonly seed: number;
  readonly clients: number;
  /** The nodes' ports, as clients know them. */
  readonly ports: readonly number[];
  readonly gatewayPort: number;
  readonly model: Model;
  readonly tally: Tally;
  /** Ends the clients at once. */
  readonly signal: AbortSignal;
}

/** Without a byte moving for so long, in ms, a client gives up. */
const stallMs = 40_000;

/** The pause between two operations of a client is up to this, in ms; it shares the CPU with the ring. */
const restMs = 60;

/** The pause after one that failed is up to this, in ms. */
const failedRestMs = 400;

/** Of 100 operations so many are of this kind. */
const mix: readonly (readonly [Operation, number])[] = [
  ["push", 30],
  ["get", 44],
  ["pull", 6],
  ["delete", 7],
  ["list", 5],
  ["cut push", 5],
  ["stat", 3],
];

/** The clients: each does one thing after the other, and compares every answer with the model. */
export class Load {
  readonly names: Names;
  readonly #options: LoadOptions;
  readonly #clients: Promise<void>[] = [];
  #gate: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #busy = 0;
  #lastContent = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", () => this.goOn(), { once: true });
    this.names = new Names(new SeededRandom(options.seed));
  }

  /** Starts the clients; the promise rejects with the first {@linkcode Violation}. */
  async run(): Promise<void> {
    const { clients, seed } = this.#options;
    for (let client = 0; client < clients; client++) {
      this.#clients.push(this.#work(new SeededRandom(seed + 7919 * (client + 1))));
    }
    await Promise.all(this.#clients);
  }

  /** Lets the clients finish what they are doing, and begin nothing new until {@linkcode goOn}. */
  async hold(): Promise<void> {
    this.#gate ??= Promise.withResolvers<void>();
    while (this.#busy > 0) await pause(20, this.#options.signal);
  }

  /** Lets the clients go on. */
  goOn(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  async #work(random: SeededRandom): Promise<void> {
    const { signal } = this.#options;
    try {
      while (!signal.aborted) {
        // Whoever is held when the run ends goes on and sees that.
        await this.#gate?.promise;
        if (signal.aborted) return;
        this.#busy++;
        const isDone = await this.#operate(random).finally(() => this.#busy--);
        await pause(random.integer(isDone ? restMs : failedRestMs), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Does one thing; whether it worked. */
  async #operate(random: SeededRandom): Promise<boolean> {
    const { signal, ports, gatewayPort } = this.#options;
    const port = random.integer(5) < 2 ? gatewayPort : random.pick(ports);
    const client = new FileClient(port, { stallMs, signal });
    const operation = pickOperation(random);
    switch (operation) {
      case "push":
      case "cut push":
        return await this.#push(client, operation === "cut push", random);
      case "get":
        return await this.#get(client, this.names.any(random));
      case "pull":
        return await this.#pull(client, this.names.small(random));
      case "delete":
        return await this.#delete(client, this.names.toDelete(random));
      case "list":
        return await this.#list(client);
      case "stat":
        return await this.#stat(client, this.names.any(random));
    }
  }

  async #push(client: FileClient, isCut: boolean, random: SeededRandom): Promise<boolean> {
    const { model, tally } = this.#options;
    const { name, size } = this.names.toPush(random);
    const { content, bytes } = makeContent(++this.#lastContent, size);
    if (isCut && size > 0) {
      // What never arrives as a whole must never be seen, so the model is not told.
      const outcome = await client.push({ name, bytes, cutAt: random.integer(size) });
      tally.count("cut push", outcome);
      return true;
    }
    const write = model.beginWrite(name, content);
    const outcome = await client.push({ name, bytes });
    if (outcome.kind === "ok") model.acknowledge(write);
    tally.count("push", outcome);
    return outcome.kind === "ok";
  }

  async #delete(client: FileClient, name: string): Promise<boolean> {
    const { model, tally } = this.#options;
    const read = model.beginRead();
    const write = model.beginWrite(name, undefined);
    const outcome = await client.delete(name);
    tally.count("delete", outcome);
    if (outcome.kind !== "ok") return false;
    if (outcome.value) {
      model.acknowledge(write);
    } else {
      model.withdraw(write);
      this.#judge(name, read, { how: how("delete", client) });
    }
    return true;
  }

  async #get(client: FileClient, name: string): Promise<boolean> {
    const { model, tally } = this.#options;
    const read = model.beginRead();
    const outcome = await client.get(name);
    tally.count("get", outcome);
    if (outcome.kind !== "ok") return false;
    const { sha256, bytes } = outcome.value;
    const got = sha256 === undefined ? {} : { sha256, bytes };
    this.#judge(name, read, { how: how("get", client), ...got });
    return true;
  }

  async #pull(client: FileClient, name: string): Promise<boolean> {
    const { model, tally } = this.#options;
    const read = model.beginRead();
    const outcome = await client.pull(name);
    if (outcome.kind !== "ok") {
      tally.count("pull", outcome);
      return false;
    }
    const { value: bytes } = outcome;
    const allowed = model.allowed(name, read);
    const pulled = readPulled(allowed, bytes);
    switch (pulled.kind) {
      case "whole":
        tally.count("pull", { kind: "ok", value: undefined });
        return true;
      case "cut":
        tally.count("pull", { kind: "broken", reason: "the pull ended early" });
        return false;
      case "refused":
        tally.count("pull", pulled);
        if (pulled.error === notFound) this.#judge(name, read, { how: how("pull", client) });
        return false;
      case "wrong": {
        const got = describeGot(model, name, bytes);
        throw this.#violation({ name, verdict: "wrong", how: how("pull", client), allowed, got });
      }
    }
  }

  async #list(client: FileClient): Promise<boolean> {
    const { model, tally } = this.#options;
    const names = model.names();
    const read = model.beginRead();
    const outcome = await client.list();
    tally.count("list", outcome);
    if (outcome.kind !== "ok") return false;
    const sizes = new Map(outcome.value.map(({ name, size }) => [name, size]));
    for (const name of new Set([...names, ...sizes.keys()])) {
      const size = sizes.get(name);
      const verdict = model.judgeListed(name, read, size);
      if (verdict === "right") continue;
      const got = size === undefined ? "not listed" : `listed with ${size} bytes`;
      const allowed = model.allowed(name, read);
      throw this.#violation({ name, verdict, how: how("list", client), allowed, got });
    }
    return true;
  }

  async #stat(client: FileClient, name: string): Promise<boolean> {
    const { model, tally } = this.#options;
    const read = model.beginRead();
    const outcome = await client.stat(name);
    tally.count("stat", outcome);
    if (outcome.kind !== "ok") return false;
    if (outcome.value === undefined) this.#judge(name, read, { how: how("stat", client) });
    return true;
  }

  #judge(name: string, read: Read, got: Judged): void {
    const { model } = this.#options;
    const verdict = model.judge(name, read, got.sha256);
    if (verdict === "right") return;
    const allowed = model.allowed(name, read);
    const described = describeGot(model, name, got.bytes);
    throw this.#violation({ name, verdict, how: got.how, allowed, got: described });
  }

  #violation(seen: Parameters<typeof Violation.of>[1]): Violation {
    const { model, tally } = this.#options;
    tally[seen.verdict]++;
    return Violation.of(model, seen);
  }
}

/** What a read gave; without a SHA-256 there was no file. */
interface Judged {
  readonly how: string;
  readonly sha256?: string;
  readonly bytes?: Uint8Array;
}

function how(operation: Operation, client: FileClient): string {
  return `${operation} through ${client.port}`;
}

function pickOperation(random: SeededRandom): Operation {
  let left = random.integer(mix.reduce((sum, [, share]) => sum + share, 0));
  for (const [operation, share] of mix) {
    left -= share;
    if (left < 0) return operation;
  }
  return "get";
}
