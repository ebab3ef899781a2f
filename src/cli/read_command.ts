import { parseArgs } from "@std/cli/parse-args";
import { type CommandName, commands, type CommandSpec } from "./commands.ts";
import { BadValue, type Flags, type FlagValues, UsageError } from "./flag.ts";

/** The flags and operands of one subcommand's command line. */
export interface CommandLine<F extends Flags> {
  readonly values: FlagValues<F>;
  /** As many as the command takes. */
  readonly operands: readonly string[];
}

/**
 * Reads the flags and operands of one subcommand.
 *
 * @throws {UsageError} On an unknown flag, a value that does not fit, or an operand too many or
 * missing.
 */
export function readCommand<N extends CommandName>(
  command: N,
  argv: readonly string[],
): CommandLine<(typeof commands)[N]["flags"]> {
  const spec: CommandSpec = commands[command];
  const names = Object.entries(spec.flags);
  const see = `see 'ouroboros ${command} --help'`;
  const parsed: Record<string, unknown> & { _: (string | number)[] } = parseArgs([...argv], {
    // `_`: an operand that looks like a number stays the text it is.
    string: ["_", ...names.filter(([, flag]) => flag.placeholder !== undefined).map(nameOf)],
    boolean: names.filter(([, flag]) => flag.placeholder === undefined).map(nameOf),
    alias: Object.fromEntries(
      names.flatMap(([name, flag]) => flag.short ? [[flag.short, name]] : []),
    ),
    unknown(arg: string, key?: string) {
      if (key !== undefined) throw new UsageError(`unknown flag '${arg}'; ${see}`);
    },
  });
  const operands = parsed._.map(String);
  const missing = spec.operands[operands.length];
  if (missing !== undefined) {
    throw new UsageError(`${command} needs ${missing.placeholder}; ${see}`);
  }
  const extra = operands[spec.operands.length];
  if (extra !== undefined) throw new UsageError(`unexpected argument '${extra}'; ${see}`);
  const values: unknown = Object.fromEntries(
    names.map(([name, flag]) => [name, readFlag(name, flag, parsed[name])]),
  );
  // Each value was read by the flag of its name, which TypeScript cannot follow.
  return { values: values as FlagValues<(typeof commands)[N]["flags"]>, operands };
}

function nameOf([name]: readonly [string, unknown]): string {
  return name;
}

function readFlag(name: string, flag: Flags[string], given: unknown): unknown {
  if (given === "") throw new UsageError(`--${name} needs a value: ${flag.placeholder}`);
  const text = given === undefined ? undefined : String(given);
  try {
    return flag.read(text);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw new UsageError(`--${name} takes ${error.wanted}, not '${text}'`, { cause: error });
  }
}

/** Whether `-h` or `--help` is among the flags; behind a `--` there are only operands. */
export function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const flags = end < 0 ? argv : argv.slice(0, end);
  return flags.some((arg) => arg === "-h" || arg === "--help");
}
