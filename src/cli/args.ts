import { resolve } from "node:path";
import { type RingTarget, ringTarget } from "../client/target.ts";
import { defaultHttpOptions, type GatewayOptions } from "../gateway/options.ts";
import { defaultNodeOptions, type NodeOptions } from "../node/options.ts";
import { formatAddress, type NodeAddress } from "../protocol/address.ts";
import { defaultNodePort } from "../protocol/limits.ts";
import { defaultHostname } from "../protocol/lists.ts";
import type { NetworkOptions } from "../supervisor/options.ts";
import { type CommandName, type commands, isCommandName } from "./commands.ts";
import { type FlagValues, UsageError } from "./flag.ts";
import { asksForHelp, readCommand } from "./read_command.ts";

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: "help"; readonly command?: CommandName; readonly exitCode: 0 | 2 }
  | { readonly kind: "version" }
  | { readonly kind: "run"; readonly options: NodeOptions }
  | { readonly kind: "set-network"; readonly options: SetNetworkOptions }
  | { readonly kind: "gateway"; readonly options: GatewayOptions }
  | { readonly kind: "push"; readonly options: PushOptions }
  | { readonly kind: "pull"; readonly options: PullOptions }
  | { readonly kind: "stat" | "delete"; readonly options: NameOptions }
  | { readonly kind: "list" | "status" | "heal" | "scrub"; readonly options: ClientOptions }
  | { readonly kind: "stop"; readonly options: StopOptions };

/** `set-network`: the ring, and who waits for it. */
export interface SetNetworkOptions {
  readonly network: NetworkOptions;
  /** Return when the ring is ready and leave a supervisor behind. */
  readonly detach: boolean;
  /** This process is that supervisor: it reports once on stdout, in JSON. */
  readonly reportReady: boolean;
}

/** What every client subcommand takes. */
export interface ClientOptions {
  readonly target: RingTarget;
}

/** `push`. */
export interface PushOptions extends ClientOptions {
  /** A path, or `-` for standard input. */
  readonly file: string;
  /** The name in the ring; without it the file's own. */
  readonly as?: string;
}

/** `pull`. */
export interface PullOptions extends ClientOptions {
  readonly name: string;
  /** A path, or `-` for standard output; without it the file's name, here. */
  readonly output?: string;
}

/** `stat` and `delete`. */
export interface NameOptions extends ClientOptions {
  /** Of a stored file. */
  readonly name: string;
}

/** `stop`. */
export interface StopOptions {
  /** Whether the command line or the environment say where the ring is. */
  readonly where: "address" | "data-dir" | "unsaid";
  readonly target: RingTarget;
  /** Absolute. */
  readonly dataDir: string;
}

/** What the parser reads beside the arguments. */
export interface ArgsContext {
  /** Reads a variable of the environment; only `PORT` and `OUROBOROS_ADDR` are asked for. */
  readonly env: (name: string) => string | undefined;
}

/**
 * Reads a command line.
 *
 * @throws {UsageError} On an unknown subcommand or flag, a value that does not fit, or an operand
 * too many or missing; the message is one line for the user.
 */
export function parseInvocation(argv: readonly string[], context: ArgsContext): Invocation {
  const [word, ...rest] = argv;
  if (word === undefined) return { kind: "help", exitCode: 2 };
  if (word === "-h" || word === "--help" || word === "help") {
    const command = word === "help" ? rest[0] : undefined;
    if (command === undefined || !isCommandName(command)) return { kind: "help", exitCode: 0 };
    return { kind: "help", command, exitCode: 0 };
  }
  if (word === "-V" || word === "--version") return { kind: "version" };
  if (!isCommandName(word)) {
    const what = word.startsWith("-") ? `unknown flag '${word}'` : `unknown command '${word}'`;
    throw new UsageError(`${what}; 'ouroboros --help' lists the commands`);
  }
  if (asksForHelp(rest)) return { kind: "help", command: word, exitCode: 0 };
  return build(word, rest, context);
}

function build(command: CommandName, argv: readonly string[], context: ArgsContext): Invocation {
  switch (command) {
    case "run":
      return { kind: command, options: nodeOptions(readCommand(command, argv), context) };
    case "set-network":
      return { kind: command, options: setNetworkOptions(readCommand(command, argv)) };
    case "gateway":
      return { kind: command, options: gatewayOptions(readCommand(command, argv)) };
    case "push": {
      const { values, operands } = readCommand(command, argv);
      const [file = ""] = operands;
      if (file === "-" && values.as === undefined) {
        throw new UsageError("push - reads standard input: give the file a name with --as NAME");
      }
      const as = values.as === undefined ? {} : { as: values.as };
      return { kind: command, options: { ...clientOptions(values, context), file, ...as } };
    }
    case "pull": {
      const { values, operands } = readCommand(command, argv);
      const output = values.output === undefined ? {} : { output: values.output };
      const [name = ""] = operands;
      return { kind: command, options: { ...clientOptions(values, context), name, ...output } };
    }
    case "stat":
    case "delete": {
      const { values, operands } = readCommand(command, argv);
      const [name = ""] = operands;
      return { kind: command, options: { ...clientOptions(values, context), name } };
    }
    case "list":
    case "status":
    case "heal":
    case "scrub":
      return { kind: command, options: clientOptions(readCommand(command, argv).values, context) };
    case "stop":
      return { kind: command, options: stopOptions(readCommand(command, argv), context) };
  }
}

type Values<N extends CommandName> = FlagValues<(typeof commands)[N]["flags"]>;

/** What the flags of `run` and `set-network` alike say of a node. */
function sharedNodeOptions(values: Values<"run"> | Values<"set-network">) {
  return {
    dataDir: resolve(values["data-dir"]),
    gossipIntervalMs: values["wait-time"],
    fileBytesMax: values["file-size"],
    durability: values.durability,
    copies: values.copies ?? defaultNodeOptions.copies,
    scrubRateMiB: values["scrub-rate"],
    logLevel: values["log-level"],
    logJson: values["log-json"],
    ...(values["test-hooks"] && { testHooks: true }),
  };
}

function nodeOptions(
  { values }: { values: Values<"run"> },
  context: ArgsContext,
): NodeOptions {
  const logFile = values["log-file"];
  return {
    address: nodeAddress(values, context),
    ...sharedNodeOptions(values),
    ...(values["awaits-ring"] && { awaitsRing: true }),
    ...(logFile !== undefined && { logFile }),
  };
}

function nodeAddress(values: Values<"run">, context: ArgsContext): NodeAddress {
  if (values.addr !== undefined && values.port !== undefined) {
    throw new UsageError("--addr and --port say the same thing: give one of them");
  }
  if (values.addr !== undefined) return values.addr;
  return formatAddress(defaultHostname, values.port ?? environmentPort(context) ?? defaultNodePort);
}

function environmentPort(context: ArgsContext): number | undefined {
  const text = context.env("PORT");
  if (text === undefined || text === "") return undefined;
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) {
    throw new UsageError(`the environment's PORT takes a port from 1 to 65535, not '${text}'`);
  }
  return port;
}

function setNetworkOptions({ values }: { values: Values<"set-network"> }): SetNetworkOptions {
  const first = values["base-port"];
  const last = first + values.nodes - 1;
  const gatewayPort = values["dns-port"];
  if (last > 65535) {
    throw new UsageError(`${values.nodes} nodes from port ${first} on would need port ${last}`);
  }
  if (gatewayPort !== undefined && gatewayPort >= first && gatewayPort <= last) {
    throw new UsageError(
      `--dns-port ${gatewayPort} is one of the nodes' ports, ${first} to ${last}`,
    );
  }
  const { copies = Math.min(defaultNodeOptions.copies, values.nodes) } = values;
  if (copies > values.nodes) {
    throw new UsageError(`--copies ${copies} needs as many nodes, and --nodes is ${values.nodes}`);
  }
  const network: NetworkOptions = {
    host: values.host,
    basePort: first,
    nodeCount: values.nodes,
    ...(gatewayPort !== undefined && { gatewayPort }),
    gatewayPollMs: values["dns-poll"],
    overwrite: values["overwrite-nodes-dir"],
    node: { ...sharedNodeOptions(values), copies },
  };
  return { network, detach: values["no-block"], reportReady: values["report-ready"] };
}

function gatewayOptions({ values }: { values: Values<"gateway"> }): GatewayOptions {
  const { host, port, nodes, supervisor } = values;
  const logFile = values["log-file"];
  if (port === undefined) throw new UsageError("gateway needs --port PORT, where it listens");
  if (nodes === undefined) {
    throw new UsageError("gateway needs --nodes HOST:PORT,…, the ring's nodes");
  }
  return {
    address: formatAddress(host, port),
    nodes,
    pollMs: values.poll,
    http: defaultHttpOptions,
    ...(supervisor !== undefined && { supervisor }),
    logLevel: values["log-level"],
    logJson: values["log-json"],
    ...(logFile !== undefined && { logFile }),
  };
}

function clientOptions(values: Values<"list">, context: ArgsContext): ClientOptions {
  const { host, port } = values;
  try {
    return { target: ringTarget({ host, port, environment: context.env("OUROBOROS_ADDR") }) };
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function stopOptions(
  { values }: { values: Values<"stop"> },
  context: ArgsContext,
): StopOptions {
  const { target } = clientOptions(values, context);
  const said = values.host !== undefined || values.port !== undefined;
  const dataDir = values["data-dir"];
  if (said && dataDir !== undefined) {
    throw new UsageError("stop finds the ring by --port or by --data-dir: give one of them");
  }
  const inEnvironment = (context.env("OUROBOROS_ADDR") ?? "") !== "";
  const where = dataDir !== undefined ? "data-dir" : said || inEnvironment ? "address" : "unsaid";
  return { where, target, dataDir: resolve(dataDir ?? "nodes") };
}
