/** What a file may read as: one of these SHA-256, or {@linkcode absent}. */
export type Allowed = ReadonlySet<string>;

/** No file of that name. */
export const absent = "absent";

/** How a push or a delete went. `broken`: the connection ended, so that nobody knows. */
export type ChangeOutcome = "acknowledged" | "refused" | "unknown" | "broken";

/** A change without an answer yet. */
export interface UnderWay {
  /** What the file reads as once it is done. */
  readonly sum: string;
  /** The file might have read as that before. */
  readonly isOld: boolean;
  /** What others made of the same name at the same time. */
  readonly rivals: Set<string>;
}

/** What clients were told of their files, kept outside of the ring: what each may read as. */
export class FileModel {
  readonly #files = new Map<string, Allowed>();
  readonly #underWay = new Map<string, Set<UnderWay>>();

  /** All files that were ever changed, as they are now. */
  files(): Map<string, Allowed> {
    return new Map(this.#files);
  }

  /** What a file may read as now; `undefined` for one that nobody has ever begun to push. */
  allowed(name: string): Allowed | undefined {
    return this.#files.get(name);
  }

  /** A client has begun to change a file. */
  begin(name: string, sum: string): UnderWay {
    const before = this.#files.get(name) ?? new Set([absent]);
    const mine: UnderWay = { sum, isOld: before.has(sum), rivals: new Set() };
    const others = this.#underWay.get(name) ?? new Set();
    for (const other of others) {
      other.rivals.add(sum);
      mine.rivals.add(other.sum);
    }
    this.#underWay.set(name, others.add(mine));
    this.#files.set(name, new Set([...before, sum]));
    return mine;
  }

  /** It has its answer, or will have none. */
  end(
    name: string,
    { change, outcome }: { readonly change: UnderWay; readonly outcome: ChangeOutcome },
  ): void {
    const { sum, isOld, rivals } = change;
    const others = [...this.#underWay.get(name) ?? []].filter((other) => other !== change);
    this.#underWay.set(name, new Set(others));
    // Of two that were under way at the same time either may be the later one.
    if (outcome === "acknowledged") this.#files.set(name, new Set([sum, ...rivals]));
    if (outcome !== "refused" || isOld) return;
    for (const other of others) other.rivals.delete(sum);
    this.#files.set(name, new Set([...this.#files.get(name) ?? []].filter((each) => each !== sum)));
  }

  /** All nodes agree on a file. */
  settle(name: string, sums: Iterable<string>): void {
    this.#files.set(name, new Set(sums));
  }
}
