import { resolve } from "node:path";
import type { GatewayHttpOptions, GatewayOptions } from "../gateway/options.ts";
import { defaultNodeOptions, type NodeOptions } from "../node/options.ts";
import { formatAddress, type NodeAddress } from "../protocol/address.ts";
import { defaultNodePort } from "../protocol/limits.ts";
import { defaultHostname } from "../protocol/lists.ts";
import type { NetworkOptions } from "../supervisor/options.ts";
import type { ArgsContext } from "./args_context.ts";
import { type ClientInvocation, clientInvocation } from "./client_options.ts";
import { type CommandName, type commands, isCommandName } from "./commands.ts";
import { type FlagValues, UsageError } from "./flag.ts";
import { asksForHelp, readCommand } from "./read_command.ts";

export type { ArgsContext };

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: "help"; readonly command?: CommandName; readonly exitCode: 0 | 2 }
  | { readonly kind: "version" }
  | { readonly kind: "run"; readonly options: NodeOptions }
  | { readonly kind: "set-network"; readonly options: SetNetworkOptions }
  | { readonly kind: "gateway"; readonly options: GatewayOptions }
  | ClientInvocation;

/** `set-network`: the ring, and who waits for it. */
export interface SetNetworkOptions {
  readonly network: NetworkOptions;
  /** Return when the ring is ready and leave a supervisor behind. */
  readonly detach: boolean;
  /** This process is that supervisor: it reports once on stdout, in JSON. */
  readonly reportReady: boolean;
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
      return {
        kind: command,
        options: nodeOptions(readCommand(command, argv, context.readConfig), context),
      };
    case "set-network":
      return {
        kind: command,
        options: setNetworkOptions(readCommand(command, argv, context.readConfig)),
      };
    case "gateway":
      return {
        kind: command,
        options: gatewayOptions(readCommand(command, argv, context.readConfig)),
      };
    default:
      return clientInvocation(command, argv, context);
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
    placement: values.placement,
    partBytesMin: values["min-part-bytes"],
    scrubRateMiB: values["scrub-rate"],
    cacheBytes: values["cache-bytes"],
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
    gatewayBalance: values.balance,
    gatewayHttp: httpOptions(values),
    overwrite: values["overwrite-nodes-dir"],
    node: { ...sharedNodeOptions(values), copies },
  };
  return { network, detach: values["no-block"], reportReady: values["report-ready"] };
}

function gatewayOptions({ values }: { values: Values<"gateway"> }): GatewayOptions {
  const { host, port, nodes, supervisor } = values;
  const logFile = values["log-file"];
  const spoolDir = values["spool-dir"];
  if (port === undefined) throw new UsageError("gateway needs --port PORT, where it listens");
  if (nodes === undefined) {
    throw new UsageError("gateway needs --nodes HOST:PORT,…, the ring's nodes");
  }
  return {
    address: formatAddress(host, port),
    nodes,
    pollMs: values.poll,
    balance: values.balance,
    ...(spoolDir !== undefined && { spoolDir }),
    http: httpOptions(values),
    ...(supervisor !== undefined && { supervisor }),
    logLevel: values["log-level"],
    logJson: values["log-json"],
    ...(logFile !== undefined && { logFile }),
  };
}

function httpOptions(values: Values<"gateway"> | Values<"set-network">): GatewayHttpOptions {
  return {
    corsOrigins: values.cors ?? [],
    allowedHosts: values["allow-host"] ?? [],
    allowKill: values["allow-kill"],
  };
}
