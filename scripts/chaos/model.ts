import type { Content } from "./content.ts";

/** What a name can stand for: a version of a file, or nothing. */
export type State = Content | undefined;

/** A push or a delete that was begun. */
export interface Write {
  readonly name: string;
  readonly state: State;
}

/** A read that was begun: what it may see depends on what happens until it ends. */
export interface Read {
  readonly sinceTick: number;
}

/** What a read saw that it must not see. */
export type Verdict = "right" | "lost" | "wrong";

/** A state that a name could have for a while. */
interface Entry extends Write {
  readonly beganTick: number;
  acknowledgedTick: number | undefined;
  /** From then on nobody may see it any more. */
  endedTick: number;
}

/**
 * What the ring has promised, kept outside of it: for each name the states that a read may see. Time is
 * counted in ticks, one for each thing that happens.
 *
 * 1. From its begin a write may be seen. One that is never acknowledged may have happened or not, and
 *    may still happen.
 * 2. Once a write is acknowledged, whatever was acknowledged before it began is never seen again by a
 *    read that begins afterwards. Of writes that overlap, either may win.
 * 3. A read may see whatever could be seen at some moment between its begin and its end.
 * 4. When all is quiet, what is found is what holds ({@linkcode pin}): then it is settled which of the
 *    unacknowledged writes have happened.
 */
export class Model {
  readonly #names = new Map<string, Entry[]>();
  #tick = 0;

  /** Every name that was ever written. */
  names(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** Notes that a client begins to push a content, or to delete when `state` is undefined. */
  beginWrite(name: string, state: State): Write {
    const entry = { name, state, beganTick: ++this.#tick, acknowledgedTick: undefined };
    const write: Entry = { ...entry, endedTick: Infinity };
    this.#entries(name).push(write);
    return write;
  }

  /** Notes that the ring has confirmed a write. */
  acknowledge(write: Write): void {
    const entries = this.#entries(write.name);
    const acknowledged = entries.find((entry) => entry === write);
    if (acknowledged === undefined) {
      throw new Error(`'${write.name}' was never begun to be written`);
    }
    acknowledged.acknowledgedTick = ++this.#tick;
    for (const entry of entries) {
      if ((entry.acknowledgedTick ?? Infinity) < acknowledged.beganTick) this.#end(entry);
    }
  }

  /** Notes that a write has certainly not happened and never will. */
  withdraw(write: Write): void {
    const entry = this.#entries(write.name).find((each) => each === write);
    if (entry !== undefined) entry.endedTick = -Infinity;
  }

  /** Notes that a client begins to read. */
  beginRead(): Read {
    return { sinceTick: this.#tick };
  }

  /** The states that a read of a name may have seen, if it ends now. */
  allowed(name: string, read: Read): State[] {
    return this.#entries(name)
      .filter(({ endedTick }) => endedTick > read.sinceTick)
      .map(({ state }) => state);
  }

  /** Whether a read that ends now may have got a file with this SHA-256, or none (`undefined`). */
  judge(name: string, read: Read, gotSha256: string | undefined): Verdict {
    if (this.allowed(name, read).some((state) => state?.sha256 === gotSha256)) return "right";
    return gotSha256 === undefined ? "lost" : "wrong";
  }

  /** Whether a list that ends now may show a file of this size, or not show it (`undefined`). */
  judgeListed(name: string, read: Read, gotSize: number | undefined): Verdict {
    if (this.allowed(name, read).some((state) => state?.size === gotSize)) return "right";
    return gotSize === undefined ? "lost" : "wrong";
  }

  /**
   * Notes what was found while no client had anything under way and the ring had settled: nothing else
   * may be seen from now on. The verdict on what was found.
   */
  pin(name: string, gotSha256: string | undefined): Verdict {
    const verdict = this.judge(name, this.beginRead(), gotSha256);
    if (verdict !== "right") return verdict;
    const entries = this.#entries(name);
    const isFound = ({ state, endedTick }: Entry) =>
      endedTick === Infinity && state?.sha256 === gotSha256;
    const found = entries.find(isFound);
    const tick = ++this.#tick;
    if (found !== undefined) found.acknowledgedTick = tick;
    for (const entry of entries) if (entry !== found) this.#end(entry);
    return verdict;
  }

  /** Whether nothing but a file may be found under a name. */
  mustExist(name: string): boolean {
    return this.allowed(name, this.beginRead()).every((state) => state !== undefined);
  }

  /** Every version that was ever pushed under a name, the latest first. */
  versions(name: string): Content[] {
    return this.#entries(name).flatMap(({ state }) => state ?? []).reverse();
  }

  /** What was written under a name, the latest last, for people. */
  describe(name: string): string[] {
    return this.#entries(name).slice(-describedMax).map((entry) => {
      const what = entry.state === undefined
        ? "nothing"
        : `version ${entry.state.id} (${entry.state.size} bytes, ${
          entry.state.sha256.slice(0, 12)
        })`;
      const end = entry.endedTick === Infinity ? "still allowed" : `until ${entry.endedTick}`;
      const acknowledged = entry.acknowledgedTick ?? "never";
      return `${what}: begun ${entry.beganTick}, acknowledged ${acknowledged}, ${end}`;
    });
  }

  #end(entry: Entry): void {
    if (entry.endedTick === Infinity) entry.endedTick = this.#tick;
  }

  #entries(name: string): Entry[] {
    let entries = this.#names.get(name);
    if (entries === undefined) {
      const nothing = { name, state: undefined, beganTick: 0, acknowledgedTick: 0 };
      entries = [{ ...nothing, endedTick: Infinity }];
      this.#names.set(name, entries);
    }
    return entries;
  }
}

/** Writes of a name that {@linkcode Model.describe} tells at most. */
const describedMax = 12;
