import type { Flags } from "./flag.ts";

/** One subcommand as the parser, the help and the completions see it. */
export interface CommandSpec<F extends Flags = Flags> {
  /** What it does, in a few words, without a full stop. */
  readonly summary: string;
  /** What follows the flags. */
  readonly operands: readonly Operand[];
  readonly flags: F;
  /**
   * Pairs of flags of which only one can be given. What is given on
   * the command line takes the place of the other one in the configuration.
   */
  readonly exclusive?: readonly (readonly [string, string])[];
  /** Lines below the flags in the help. */
  readonly notes?: readonly string[];
  /** Whether it talks to a ring and ends with one of a client's exit codes. */
  readonly isClient?: boolean;
}

/** An argument that is not a flag. */
export interface Operand {
  /** As the help shows it: `FILE`. */
  readonly placeholder: string;
  readonly help: string;
  /** How often it stands there: once by default. Only the last operand may be `many` or `any`. */
  readonly count?: "one" | "many" | "any";
  /** What a shell completes it with; nothing by default. */
  readonly completes?: "file" | readonly string[];
}

/** An operand as usage lines show it: `FILE`, `FILE…` (one or more), `[NAME…]` (any number). */
export function showOperand({ placeholder, count = "one" }: Operand): string {
  if (count === "any") return `[${placeholder}…]`;
  return count === "many" ? `${placeholder}…` : placeholder;
}
