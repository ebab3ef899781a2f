import { assert } from "@std/assert";
import { type FaultRing, readSum } from "../fault_ring.ts";
import { sha256 } from "../live_ring.ts";
import { pull } from "../wire_client.ts";

/** How an {@linkcode OverwrittenFile} is written and read. */
export interface OverwrittenFileOptions {
  readonly name: string;
  /** After so many pulls all ends, unless it ends before. Default: it goes on. */
  readonly pulls?: number;
  /** Bytes of a version, other ones each time. */
  readonly bytesOf: (version: number) => Uint8Array;
}

/** How many versions and pulls went well. */
export interface OverwrittenCounts {
  readonly acknowledged: number;
  readonly pulled: number;
}

/**
 * A file that one client overwrites through one node after another while others pull it: every pull
 * must give one of the versions that could be there while it ran, whole. Only while a node is away may a
 * push fail, and only what goes through that node a pull.
 */
export class OverwrittenFile {
  readonly #ring: FaultRing;
  readonly #options: OverwrittenFileOptions;
  /** Numbers of versions by their SHA-256; 0 is the first. Those that were refused are none. */
  readonly #versions = new Map<string, number>();
  #begun = -1;
  #acknowledged = -1;
  #acknowledgedCount = 0;
  #pulls = 0;
  #pulled = 0;
  /** Nodes that were killed and do not serve yet. */
  readonly #away = new Set<number>();
  /** How often each node was killed. */
  readonly #deaths = new Map<number, number>();
  /** There were pulls enough, or something was wrong. */
  #isOver = false;
  #error: unknown;

  constructor(ring: FaultRing, options: OverwrittenFileOptions) {
    this.#ring = ring;
    this.#options = options;
  }

  /**
   * Writes and reads it until there were pulls enough, or until some nodes were ended by SIGKILL, one
   * after the other, each when all serve again.
   */
  async run(victims: readonly number[] = []): Promise<OverwrittenCounts> {
    await this.#write();
    const tasks = [this.#writeOn(), ...[0, 1, 2].map((place) => this.#readOn(place))];
    if (victims.length > 0) tasks.push(this.#kill(victims));
    await Promise.all(tasks.map((task) =>
      task.catch((error) => {
        this.#error ??= error;
        this.#isOver = true;
      })
    ));
    if (this.#error !== undefined) throw this.#error;
    return { acknowledged: this.#acknowledgedCount, pulled: this.#pulled };
  }

  async #kill(victims: readonly number[]): Promise<void> {
    for (const port of victims) {
      if (this.#isOver) return;
      this.#away.add(port);
      this.#deaths.set(port, (this.#deaths.get(port) ?? 0) + 1);
      await this.#ring.kill(port);
      await this.#ring.ring.waitAllAlive();
      this.#away.delete(port);
    }
    this.#isOver = true;
  }

  async #writeOn(): Promise<void> {
    while (!this.#isOver) await this.#write();
  }

  async #write(): Promise<void> {
    const version = ++this.#begun;
    const bytes = this.#options.bytesOf(version);
    const sum = sha256(bytes);
    this.#versions.set(sum, version);
    const mayFail = this.#watch();
    const { ports } = this.#ring;
    const port = ports[version % ports.length] ?? 0;
    const attempt = this.#ring.attempt(port, this.#options.name, bytes);
    const outcome = await attempt.outcome;
    if (outcome === "acknowledged") {
      this.#acknowledged = version;
      this.#acknowledgedCount++;
      return;
    }
    if (outcome === "refused") this.#versions.delete(sum);
    assert(mayFail(ports), `a push to ${port} was answered '${attempt.answer()}'`);
    assert(outcome !== "broken" || mayFail([port]), `${port} answered '${attempt.answer()}'`);
  }

  async #readOn(place: number): Promise<void> {
    const { ports } = this.#ring;
    const { pulls = Infinity } = this.#options;
    while (!this.#isOver) {
      if (++this.#pulls >= pulls) this.#isOver = true;
      const port = ports[(place + this.#pulls) % ports.length] ?? 0;
      const least = this.#acknowledged;
      const mayFail = this.#watch();
      let sum: string;
      try {
        sum = await this.#pull(port);
      } catch (error) {
        if (mayFail([port])) continue;
        throw new Error(`a pull through ${port} failed`, { cause: error });
      }
      const version = this.#versions.get(sum);
      assert(version !== undefined, `a pull from ${port} is no version`);
      const isOfNow = version >= least && version <= this.#begun;
      assert(isOfNow, `${port} gave ${version}, not one of ${least} to ${this.#begun}`);
      this.#pulled++;
    }
  }

  /** Both ways to pull; only one of them can tell an error from a file. */
  async #pull(port: number): Promise<string> {
    const { name } = this.#options;
    const isPlain = this.#deaths.size === 0 && this.#pulls % 2 === 0;
    return isPlain ? sha256(await pull(port, name)) : await readSum(port, name);
  }

  /** Tells later whether one of some nodes has been away since now. */
  #watch(): (ports: readonly number[]) => boolean {
    const away = new Set(this.#away);
    const deaths = new Map(this.#deaths);
    return (ports) =>
      ports.some((port) => away.has(port) || deaths.get(port) !== this.#deaths.get(port));
  }
}
