import { parseArgs } from "@std/cli/parse-args";
import type { CommandSpec } from "./command_spec.ts";
import { type CommandName, commands } from "./commands.ts";
import type { Config } from "./config_file.ts";
import { BadValue, type Flag, type Flags, type FlagValues, UsageError } from "./flag.ts";

/** The flags and operands of one subcommand's command line. */
export interface CommandLine<F extends Flags> {
  readonly values: FlagValues<F>;
  /** As many as the command takes. */
  readonly operands: readonly string[];
}

/** Reads the file that `--config` names. */
export type ReadConfig = (path: string) => Config;

/**
 * Reads the flags and operands of one subcommand. What a flag does not say, the file that `--config`
 * names may.
 *
 * @throws {UsageError} On an unknown flag, a value that does not fit, two flags that exclude each
 * other, or an operand too many or missing.
 */
export function readCommand<N extends CommandName>(
  command: N,
  argv: readonly string[],
  readConfig: ReadConfig,
): CommandLine<(typeof commands)[N]["flags"]> {
  const spec: CommandSpec = commands[command];
  const see = `see 'ouroboros ${command} --help'`;
  const { given, operands } = readArguments(spec.flags, argv, see);
  checkOperands(operands, { command, spec, see });
  const onLine = new Map(given);
  for (const [one, other] of spec.exclusive ?? []) {
    if (!onLine.has(one) || !onLine.has(other)) continue;
    throw new UsageError(`--${one} and --${other} exclude each other: give one of them`);
  }
  const path = onLine.get("config");
  const texts = path === undefined || path === ""
    ? new Map<string, Given>()
    : configTexts(readConfig(path), spec, onLine);
  for (const [name, text] of onLine) texts.set(name, { text, where: `--${name}` });
  const values: unknown = Object.fromEntries(
    Object.entries(spec.flags).map(([name, flag]) => [name, readFlag(flag, texts.get(name))]),
  );
  // Each value was read by the flag of its name, which TypeScript cannot follow.
  return { values: values as FlagValues<(typeof commands)[N]["flags"]>, operands };
}

/** The text that is given for a flag, and how an error names the place. */
interface Given {
  readonly text: string;
  readonly where: string;
}

/** What the parser gives for a switch that nobody has set: a text that no command line can hold. */
const notGiven = "\0";

function readArguments(
  flags: Flags,
  argv: readonly string[],
  see: string,
): { given: (readonly [string, string])[]; operands: string[] } {
  const names = Object.entries(flags);
  const switches = names.filter(([, flag]) => isSwitch(flag)).map(nameOf);
  const parsed: Record<string, unknown> & { _: (string | number)[] } = parseArgs([...argv], {
    // `_`: an operand that looks like a number stays the text it is.
    string: ["_", ...names.filter(([, flag]) => !isSwitch(flag)).map(nameOf)],
    boolean: switches,
    default: Object.fromEntries(switches.map((name) => [name, notGiven])),
    alias: Object.fromEntries(
      names.flatMap(([name, flag]) => flag.short ? [[flag.short, name]] : []),
    ),
    unknown(arg: string, key?: string) {
      if (key !== undefined) throw new UsageError(`unknown flag '${arg}'; ${see}`);
    },
  });
  const given = names.map(nameOf)
    .filter((name) => parsed[name] !== undefined && parsed[name] !== notGiven)
    .map((name) => [name, String(parsed[name])] as const);
  return { given, operands: parsed._.map(String) };
}

/** The command whose operands are counted. */
interface Counted {
  readonly command: string;
  readonly spec: CommandSpec;
  readonly see: string;
}

function checkOperands(operands: readonly string[], { command, spec, see }: Counted): void {
  const missing = spec.operands[operands.length];
  if (missing !== undefined && missing.count !== "any") {
    throw new UsageError(`${command} needs ${missing.placeholder}; ${see}`);
  }
  const last = spec.operands.at(-1)?.count ?? "one";
  const extra = last === "one" ? operands[spec.operands.length] : undefined;
  if (extra !== undefined) throw new UsageError(`unexpected argument '${extra}'; ${see}`);
}

/** What a configuration says for flags that are not on the command line, and not excluded by one. */
function configTexts(
  { path, values }: Config,
  spec: CommandSpec,
  onLine: ReadonlyMap<string, string>,
): Map<string, Given> {
  const texts = new Map<string, Given>();
  for (const [name, value] of Object.entries(values)) {
    const flag = Object.hasOwn(spec.flags, name) ? spec.flags[name] : undefined;
    if (flag === undefined || flag.hidden === true || name === "config") {
      const known = Object.keys(spec.flags)
        .filter((known) => known !== "config" && spec.flags[known]?.hidden !== true);
      throw new UsageError(
        `the configuration '${path}' has '${name}', which is none of ${known.join(", ")}`,
      );
    }
    const where = `'${name}' in the configuration '${path}'`;
    const text = configText(flag, value);
    if (text === undefined) {
      throw new UsageError(`${where} takes ${wantedJson(flag)}, not ${JSON.stringify(value)}`);
    }
    // Read now, so that a wrong value is told whether or not it counts.
    readFlag(flag, { text, where });
    texts.set(name, { text, where });
  }
  for (const [one, other] of spec.exclusive ?? []) {
    if (onLine.has(one)) texts.delete(other);
    if (onLine.has(other)) texts.delete(one);
    if (!texts.has(one) || !texts.has(other)) continue;
    throw new UsageError(
      `the configuration '${path}' has '${one}' and '${other}', which exclude each other`,
    );
  }
  return texts;
}

/** A value of a configuration as the command line would have it; `undefined` when it cannot be. */
function configText(flag: Flag<unknown>, value: unknown): string | undefined {
  if (isSwitch(flag)) return typeof value === "boolean" ? String(value) : undefined;
  if (typeof value === "string" || typeof value === "number") return String(value);
  const isTexts = Array.isArray(value) && value.every((item) => typeof item === "string");
  return isTexts && flag.isList === true ? value.join(",") : undefined;
}

function wantedJson(flag: Flag<unknown>): string {
  if (isSwitch(flag)) return "true or false";
  return flag.isList === true ? "a text or a list of texts" : "a text or a number";
}

function isSwitch(flag: Flag<unknown>): boolean {
  return flag.placeholder === undefined;
}

function nameOf([name]: readonly [string, unknown]): string {
  return name;
}

function readFlag(flag: Flag<unknown>, given: Given | undefined): unknown {
  if (given?.text === "") {
    throw new UsageError(`${given.where} needs a value: ${flag.placeholder}`);
  }
  try {
    return flag.read(given?.text);
  } catch (error) {
    if (!(error instanceof BadValue) || given === undefined) throw error;
    throw new UsageError(`${given.where} takes ${error.wanted}, not '${given.text}'`, {
      cause: error,
    });
  }
}

/** Whether `-h` or `--help` is among the flags; behind a `--` there are only operands. */
export function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const flags = end < 0 ? argv : argv.slice(0, end);
  return flags.some((arg) => arg === "-h" || arg === "--help");
}
