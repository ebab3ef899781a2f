/** Random numbers from a seed, so that a failing test can be run again. */
export class SeededRandom {
  #state: number;

  /** The seed belongs into the message of an assertion. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to `below` - 1; the generator is mulberry32. */
  integer(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * below);
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)] as T;
  }

  /** Up to `charsMax` characters out of `alphabet`. */
  text(alphabet: readonly string[], charsMax: number): string {
    return Array.from({ length: this.integer(charsMax + 1) }, () => this.pick(alphabet)).join("");
  }

  /** Random bytes. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: count }, () => this.integer(256));
  }
}
