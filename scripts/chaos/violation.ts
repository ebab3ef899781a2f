import { describeBytes, sha256 } from "./content.ts";
import type { Model, State } from "./model.ts";

/** What was seen that must not be. */
export interface Seen {
  readonly name: string;
  readonly verdict: "lost" | "wrong";
  /** What was done, and through which port. */
  readonly how: string;
  /** The states that would have been right. */
  readonly allowed: readonly State[];
  /** What was found, for people. */
  readonly got: string;
}

/** A promise of the ring is broken. It ends the run. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly verdict: "lost" | "wrong";
  /** The file; undefined where it is about all. */
  readonly file: string | undefined;
  /** Everything that is known, a line each. */
  readonly lines: readonly string[];
  readonly at = new Date();

  constructor(
    message: string,
    parts: { verdict?: "lost" | "wrong"; file?: string; lines?: string[] },
  ) {
    super(message);
    this.verdict = parts.verdict ?? "wrong";
    this.file = parts.file;
    this.lines = parts.lines ?? [];
  }

  /** The violation that a read has seen. */
  static of(model: Model, seen: Seen): Violation {
    const { name, verdict, how, allowed, got } = seen;
    return new Violation(`'${name}' is ${verdict}`, {
      verdict,
      file: name,
      lines: [
        `by: ${how}`,
        `got: ${got}`,
        ...allowed.map((state) => `expected: ${describeState(state)}`),
        ...model.describe(name).map((line) => `written: ${line}`),
      ],
    });
  }
}

/** What some bytes are, for people: which version, or which mix of versions. */
export function describeGot(model: Model, name: string, bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "no such file";
  const sum = sha256(bytes);
  const head = `${bytes.length} bytes, SHA-256 ${sum}`;
  const versions = model.versions(name);
  const same = versions.find((version) => version.sha256 === sum);
  if (same !== undefined) return `${head}: version ${same.id}`;
  return `${head}: ${describeBytes(bytes, versions)}`;
}

function describeState(state: State): string {
  if (state === undefined) return "no such file";
  return `version ${state.id}, ${state.size} bytes, SHA-256 ${state.sha256}`;
}
