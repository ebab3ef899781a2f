import { resolve } from "node:path";
import { type RingTarget, ringTarget } from "../client/target.ts";
import type { ArgsContext } from "./args_context.ts";
import type { clientCommands, shells } from "./client_commands.ts";
import { type CommandLine, readCommand } from "./read_command.ts";
import { UsageError } from "./flag.ts";

/** What every client subcommand takes. */
export interface ClientOptions {
  readonly target: RingTarget;
  /** Whether nobody said where the ring is: the target is but a guess, and not tried again. */
  readonly guessed: boolean;
  /** How long a ring that does not answer is tried again, in ms. */
  readonly retryMs: number;
  /** Whether to say nothing but errors. */
  readonly quiet: boolean;
}

/** `push`. */
export interface PushOptions extends ClientOptions {
  /** Paths or patterns, or `-` for standard input. */
  readonly files: readonly string[];
  /** The name in the ring; without it the file's own. */
  readonly as?: string;
}

/** `pull`. */
export interface PullOptions extends ClientOptions {
  /** Names or patterns. */
  readonly names: readonly string[];
  /** A path, a directory, or `-` for standard output; without it the file's name, here. */
  readonly output?: string;
}

/** `stat`. */
export interface StatOptions extends ClientOptions {
  /** Of a stored file. */
  readonly name: string;
  readonly json: boolean;
}

/** `delete`. */
export interface DeleteOptions extends ClientOptions {
  /** Of stored files. */
  readonly names: readonly string[];
}

/** `list`. */
export interface ListOptions extends ClientOptions {
  /** Names or patterns; none means all. */
  readonly names: readonly string[];
  /** `auto`: a table on a terminal, else CSV. */
  readonly form: "auto" | "json" | "csv";
}

/** `status`. */
export interface StatusOptions extends ClientOptions {
  readonly watch: boolean;
  readonly json: boolean;
}

/** `stop`. */
export interface StopOptions {
  /** Whether the command line, the configuration or the environment say where the ring is. */
  readonly where: "address" | "data-dir" | "unsaid";
  readonly target: RingTarget;
  /** Absolute. */
  readonly dataDir: string;
}

/** `completions`. */
export interface CompletionsOptions {
  readonly shell: (typeof shells)[number];
}

/** What a client's command line asks for. */
export type ClientInvocation =
  | { readonly kind: "push"; readonly options: PushOptions }
  | { readonly kind: "pull"; readonly options: PullOptions }
  | { readonly kind: "stat"; readonly options: StatOptions }
  | { readonly kind: "delete"; readonly options: DeleteOptions }
  | { readonly kind: "list"; readonly options: ListOptions }
  | { readonly kind: "status"; readonly options: StatusOptions }
  | { readonly kind: "heal" | "scrub"; readonly options: ClientOptions }
  | { readonly kind: "stop"; readonly options: StopOptions }
  | { readonly kind: "completions"; readonly options: CompletionsOptions };

/** The name of a client's subcommand. */
export type ClientCommandName = keyof typeof clientCommands;

type Line<N extends ClientCommandName> = CommandLine<(typeof clientCommands)[N]["flags"]>;

/**
 * Reads a client's command line behind the subcommand.
 *
 * @throws {UsageError} As `readCommand`.
 */
export function clientInvocation(
  command: ClientCommandName,
  argv: readonly string[],
  context: ArgsContext,
): ClientInvocation {
  const read = <N extends ClientCommandName>(name: N): Line<N> =>
    readCommand(name, argv, context.readConfig);
  switch (command) {
    case "push":
      return { kind: command, options: pushOptions(read(command), context) };
    case "pull":
      return { kind: command, options: pullOptions(read(command), context) };
    case "stat": {
      const { values, operands: [name = ""] } = read(command);
      return {
        kind: command,
        options: { ...clientOptions(values, context), name, json: values.json },
      };
    }
    case "delete": {
      const { values, operands } = read(command);
      return { kind: command, options: { ...clientOptions(values, context), names: operands } };
    }
    case "list": {
      const { values, operands } = read(command);
      const form = values.json ? "json" : values.csv ? "csv" : "auto";
      return {
        kind: command,
        options: { ...clientOptions(values, context), names: operands, form },
      };
    }
    case "status": {
      const { values } = read(command);
      const { watch, json } = values;
      return { kind: command, options: { ...clientOptions(values, context), watch, json } };
    }
    case "heal":
    case "scrub":
      return { kind: command, options: clientOptions(read(command).values, context) };
    case "stop":
      return { kind: command, options: stopOptions(read(command), context) };
    case "completions":
      return { kind: command, options: completionsOptions(read(command)) };
  }
}

function pushOptions({ values, operands }: Line<"push">, context: ArgsContext): PushOptions {
  const { as } = values;
  if (operands.includes("-") && as === undefined) {
    throw new UsageError("push - reads standard input: give the file a name with --as NAME");
  }
  if (as !== undefined && operands.length > 1) {
    throw new UsageError(`--as names one file, and there are ${operands.length}`);
  }
  return {
    ...clientOptions(values, context),
    files: operands,
    ...(as !== undefined && { as }),
  };
}

function pullOptions({ values, operands }: Line<"pull">, context: ArgsContext): PullOptions {
  const { output } = values;
  if (output === "-" && operands.length > 1) {
    throw new UsageError("-o - takes one file, as nothing would tell where the next one begins");
  }
  return {
    ...clientOptions(values, context),
    names: operands,
    ...(output !== undefined && { output }),
  };
}

type TargetValues = Pick<Line<"list">["values"], "addr" | "host" | "port">;

/** What every client command line says: `quiet` and `retry` where the command has them. */
type ClientValues = TargetValues & {
  readonly retry: number;
  readonly quiet?: boolean;
};

function clientOptions(values: ClientValues, context: ArgsContext): ClientOptions {
  return {
    target: target(values, context),
    guessed: whereFrom(values, context) === undefined,
    retryMs: values.retry * 1_000,
    quiet: values.quiet ?? false,
  };
}

function target({ addr, host, port }: TargetValues, context: ArgsContext): RingTarget {
  if (addr !== undefined) return [addr];
  try {
    return ringTarget({ host, port, environment: context.env("OUROBOROS_ADDR") });
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** Who says where the ring is; `undefined` when nobody does. */
function whereFrom(
  { addr, host, port }: TargetValues,
  context: ArgsContext,
): "flags" | "environment" | undefined {
  if (addr !== undefined || host !== undefined || port !== undefined) return "flags";
  return (context.env("OUROBOROS_ADDR") ?? "") === "" ? undefined : "environment";
}

function stopOptions({ values }: Line<"stop">, context: ArgsContext): StopOptions {
  const dataDir = values["data-dir"];
  const said = whereFrom(values, context);
  return {
    where: dataDir !== undefined ? "data-dir" : said === undefined ? "unsaid" : "address",
    target: target(values, context),
    dataDir: resolve(dataDir ?? "nodes"),
  };
}

function completionsOptions({ operands: [word = ""] }: Line<"completions">): CompletionsOptions {
  const known: readonly CompletionsOptions["shell"][] = ["bash", "zsh", "fish"];
  const shell = known.find((shell) => shell === word);
  if (shell === undefined) {
    throw new UsageError(`completions takes bash, zsh or fish, not '${word}'`);
  }
  return { shell };
}
