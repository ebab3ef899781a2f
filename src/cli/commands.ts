import { defaultNodeOptions } from "../node/options.ts";
import { balances, defaultPollMs } from "../gateway/options.ts";
import { copiesMax, defaultBasePort, ringNodesMax } from "../protocol/limits.ts";
import { defaultHostname } from "../protocol/lists.ts";
import { clientCommands } from "./client_commands.ts";
import type { CommandSpec } from "./command_spec.ts";
import { configFlag } from "./config_file.ts";
import {
  addressesFlag,
  addressFlag,
  choiceFlag,
  hostFlag,
  hostsFlag,
  integerFlag,
  originsFlag,
  portFlag,
  switchFlag,
  textFlag,
} from "./flag.ts";

/** A day: no interval of this program makes sense beyond it. */
const intervalMsMax = 86_400_000;

const logFlags = {
  "log-level": choiceFlag({ help: "the least important messages that are logged" }, {
    words: ["debug", "info", "warn", "error"],
    fallback: defaultNodeOptions.logLevel,
  }),
  "log-json": switchFlag({ help: "log JSON lines instead of text" }),
};

const logFileFlag = {
  "log-file": textFlag({ placeholder: "FILE", help: "log there, not to stderr", hidden: true }),
};

/** Well above what a disk reads: no scrub is faster. */
const scrubRateMax = 100_000;

/** Well above what a process of the runtime should hold. */
const cacheBytesMax = 1024 ** 3;

/** What a node is run with, be it alone or in a network. */
const nodeFlags = {
  "data-dir": textFlag(
    {
      placeholder: "DIR",
      help: "where nodes keep their files: DIR/<port>/",
      completes: "directory",
    },
    defaultNodeOptions.dataDir,
  ),
  "durability": choiceFlag(
    { help: "fsync survives a power cut, relaxed only crashes" },
    { words: ["fsync", "relaxed"], fallback: defaultNodeOptions.durability },
  ),
  "copies": integerFlag({
    help: `copies of every part, on as many nodes [default: ${defaultNodeOptions.copies}]`,
  }, { min: 1, max: copiesMax }),
  "placement": choiceFlag(
    { help: "the way of parts to their nodes" },
    { words: ["auto", "direct", "relay"], fallback: defaultNodeOptions.placement },
  ),
  "min-part-bytes": integerFlag(
    { placeholder: "BYTES", help: "bytes of a part at least: small files on fewer nodes" },
    {
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      noun: "a number of bytes",
      fallback: defaultNodeOptions.partBytesMin,
    },
  ),
  "scrub-rate": integerFlag(
    { placeholder: "MIB", help: "MiB a second of stored data that are verified; 0: none" },
    { min: 0, max: scrubRateMax, fallback: defaultNodeOptions.scrubRateMiB },
  ),
  "cache-bytes": integerFlag(
    { placeholder: "BYTES", help: "memory for small files; 0: none" },
    { min: 0, max: cacheBytesMax, fallback: defaultNodeOptions.cacheBytes },
  ),
  "test-hooks": switchFlag({ help: "tests may pause pushes and set clocks", hidden: true }),
};

const waitTimeText = {
  placeholder: "MS",
  help: "time between two looks at the next node; 0: never",
};
const waitTimeRange = {
  min: 0,
  max: intervalMsMax,
  noun: "milliseconds",
  fallback: defaultNodeOptions.gossipIntervalMs,
};

const fileSizeFlag = integerFlag(
  { short: "f", placeholder: "BYTES", help: "the largest file that is taken; 0: no limit" },
  {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    noun: "a number of bytes",
    fallback: defaultNodeOptions.fileBytesMax,
  },
);

/** What a gateway is run with, be it alone or with a network. */
const gatewayFlags = {
  "balance": choiceFlag({ help: "which Alive node a connection to the gateway goes to" }, {
    words: balances,
    fallback: balances[0],
  }),
  "cors": originsFlag({ help: "web origins whose pages may use the HTTP API [default: none]" }),
  "allow-host": hostsFlag({ help: "host names of the gateway's HTTP besides localhost" }),
  "allow-kill": switchFlag({ help: "let HTTP clients kill nodes, to watch the ring heal" }),
};

/** Every subcommand with its flags: the parser, the typed options and the help all come from here. */
export const commands = {
  "run": {
    summary: "run one node",
    operands: [],
    flags: {
      "addr": addressFlag({ help: "where the node listens [default: 127.0.0.1:9000]" }),
      "port": portFlag({ short: "p", help: "the same on 127.0.0.1 [default: $PORT, else 9000]" }),
      "wait-time": integerFlag(waitTimeText, waitTimeRange),
      "file-size": fileSizeFlag,
      ...nodeFlags,
      ...logFlags,
      ...configFlag,
      ...logFileFlag,
      "awaits-ring": switchFlag({
        help: "a ring is about to say who its members are",
        hidden: true,
      }),
    },
    exclusive: [["addr", "port"]],
    notes: [
      "A node alone keeps whole files. 'NODE NEXT' wires nodes into a ring; set-network does that.",
    ],
  },
  "set-network": {
    summary: "start a ring of nodes on this machine and keep it running",
    operands: [],
    flags: {
      "nodes": integerFlag({ short: "n", help: "how many nodes" }, {
        min: 1,
        max: ringNodesMax,
        fallback: 3,
      }),
      "base-port": portFlag(
        { short: "p", help: "the port of the first node; the others follow" },
        defaultBasePort,
      ),
      "host": hostFlag({ help: "where the nodes and the gateway listen" }, defaultHostname),
      "dns-port": portFlag({ help: "also run a gateway there: one address for the whole ring" }),
      "dns-poll": integerFlag(
        { placeholder: "MS", help: "time between two looks of the gateway at the ring" },
        { min: 10, max: intervalMsMax, noun: "milliseconds", fallback: defaultPollMs },
      ),
      ...gatewayFlags,
      "wait-time": integerFlag({ short: "w", ...waitTimeText }, waitTimeRange),
      "file-size": fileSizeFlag,
      ...nodeFlags,
      "overwrite-nodes-dir": switchFlag({
        short: "o",
        help: "first delete what nodes of these ports have stored",
      }),
      "no-block": switchFlag({ help: "return when the ring is ready, and leave it running" }),
      "wait-ms": integerFlag(
        {
          placeholder: "MS",
          help: "accepted; the ring is waited for as long as it takes",
          hidden: true,
        },
        { min: 0, max: intervalMsMax, fallback: 200 },
      ),
      ...logFlags,
      ...configFlag,
      "report-ready": switchFlag({ help: "say in JSON how the start went", hidden: true }),
    },
    notes: ["It runs until 'quit' is typed, Ctrl-C, or 'stop', and then stops every node."],
  },
  "gateway": {
    summary: "run one gateway: one address for a whole ring",
    operands: [],
    flags: {
      "host": hostFlag({ help: "where it listens" }, defaultHostname),
      "port": portFlag({ short: "p", help: "where it listens (required)" }),
      "nodes": addressesFlag({ help: "nodes of the ring (required)" }),
      "poll": integerFlag(
        { placeholder: "MS", help: "time between two looks at the ring" },
        { min: 10, max: intervalMsMax, noun: "milliseconds", fallback: defaultPollMs },
      ),
      ...gatewayFlags,
      "spool-dir": textFlag({
        placeholder: "DIR",
        help: "where uploads of unknown length wait [default: a temporary directory]",
      }),
      ...logFlags,
      ...configFlag,
      ...logFileFlag,
      "supervisor": addressFlag({ help: "who started it", hidden: true }),
    },
  },
  ...clientCommands,
} as const satisfies Readonly<Record<string, CommandSpec>>;

/** The name of a subcommand. */
export type CommandName = keyof typeof commands;

/** Whether a word of the command line names a subcommand. */
export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(commands, word);
}
