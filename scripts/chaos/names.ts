import type { SeededRandom } from "../../tests/support/seeded_random.ts";

/** Names that many clients want at once. */
const hotCount = 3;

/** Names that stay for the whole run, the hot ones included; some have what breaks lists and paths. */
const lastingCount = 32;

/** Names that are deleted now and then, to be pushed again later. */
const passingMax = 80;

/** Files of this size have names of their own, as there are few. */
const largeBytes = 32 * 1024 * 1024;
const largeCount = 2;

const mebibyte = 1024 * 1024;

/** The names of a run's files, and how large each may be. */
export class Names {
  readonly #lasting: readonly string[];
  readonly #large: readonly string[];
  readonly #passing: string[] = [];

  constructor(random: SeededRandom) {
    const odd = [
      "with space",
      "comma,",
      'a "quote"',
      "ünïcödé",
      "percent%20",
      "-dash",
      "dot.",
      "=1",
    ];
    this.#lasting = Array.from({ length: lastingCount }, (_, index) => {
      const mark = random.integer(3) === 0 ? ` ${random.pick(odd)}` : "";
      return `file-${String(index).padStart(2, "0")}${mark}.bin`;
    });
    this.#large = Array.from({ length: largeCount }, (_, index) => `large-${index}.bin`);
  }

  /** A name to push to, old or new, and a size for it. */
  toPush(random: SeededRandom): { readonly name: string; readonly size: number } {
    const draw = random.integer(200);
    if (draw === 0) return { name: random.pick(this.#large), size: largeBytes - random.integer(9) };
    const size = drawSize(random);
    if (draw < 50) return { name: this.#new(random), size };
    if (draw < 80) return { name: this.#hot(random), size };
    return { name: this.#any(random), size };
  }

  /** A name to read. */
  any(random: SeededRandom): string {
    const draw = random.integer(60);
    if (draw === 0) return random.pick(this.#large);
    return draw < 12 ? this.#hot(random) : this.#any(random);
  }

  /** A name of a file that fits well into memory. */
  small(random: SeededRandom): string {
    return this.#any(random);
  }

  /** A name to delete; one that comes and goes, rather. */
  toDelete(random: SeededRandom): string {
    if (this.#passing.length === 0 || random.integer(3) === 0) return this.any(random);
    return random.pick(this.#passing);
  }

  #new(random: SeededRandom): string {
    if (this.#passing.length >= passingMax) return random.pick(this.#passing);
    const name = `new-${this.#passing.length}.bin`;
    this.#passing.push(name);
    return name;
  }

  #hot(random: SeededRandom): string {
    return this.#lasting[random.integer(hotCount)] ?? "";
  }

  #any(random: SeededRandom): string {
    const index = random.integer(this.#lasting.length + this.#passing.length);
    return this.#lasting[index] ?? this.#passing[index - this.#lasting.length] ?? "";
  }
}

/** From nothing to a few MiB, with a liking for the edges of what the program does at once. */
function drawSize(random: SeededRandom): number {
  const draw = random.integer(100);
  if (draw < 5) return 0;
  if (draw < 10) return 1 + random.integer(5);
  if (draw < 45) return random.integer(2_000);
  if (draw < 75) return random.integer(256 * 1024);
  if (draw < 82) return 256 * 1024 * (1 + random.integer(6)) + random.integer(3) - 1;
  if (draw < 97) return random.integer(2 * mebibyte);
  return random.integer(4 * mebibyte);
}
