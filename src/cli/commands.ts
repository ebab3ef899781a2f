import { defaultNodeOptions } from "../node/options.ts";
import { defaultPollMs } from "../gateway/options.ts";
import { copiesMax, defaultBasePort, ringNodesMax } from "../protocol/limits.ts";
import { defaultHostname } from "../protocol/lists.ts";
import {
  addressesFlag,
  addressFlag,
  choiceFlag,
  type Flags,
  hostFlag,
  integerFlag,
  portFlag,
  switchFlag,
  textFlag,
} from "./flag.ts";

/** One subcommand as the parser and the help see it. */
export interface CommandSpec<F extends Flags = Flags> {
  /** What it does, in a few words, without a full stop. */
  readonly summary: string;
  /** What follows the flags. */
  readonly operands: readonly Operand[];
  readonly flags: F;
  /** Lines below the flags in the help. */
  readonly notes?: readonly string[];
}

/** An argument that is not a flag. */
export interface Operand {
  /** As the help shows it: `FILE`. */
  readonly placeholder: string;
  readonly help: string;
}

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

/** What a node is run with, be it alone or in a network. */
const nodeFlags = {
  "data-dir": textFlag(
    { placeholder: "DIR", help: "where nodes keep their files: DIR/<port>/" },
    defaultNodeOptions.dataDir,
  ),
  "durability": choiceFlag(
    { help: "fsync survives a power cut, relaxed only crashes" },
    { words: ["fsync", "relaxed"], fallback: defaultNodeOptions.durability },
  ),
  "copies": integerFlag({
    help: `copies of every part, on as many nodes [default: ${defaultNodeOptions.copies}]`,
  }, { min: 1, max: copiesMax }),
  "scrub-rate": integerFlag(
    { placeholder: "MIB", help: "MiB a second of stored data that are verified; 0: none" },
    { min: 0, max: scrubRateMax, fallback: defaultNodeOptions.scrubRateMiB },
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

/** Where a client finds the ring. */
const targetFlags = {
  "host": hostFlag({ help: "the host of a node or of the gateway" }),
  "port": portFlag({ short: "p", help: "the port of a node or of the gateway" }),
};

const targetNotes = [
  "Without --host and --port: the address in OUROBOROS_ADDR, else the gateway on",
  "127.0.0.1:8000, else the node on 127.0.0.1:7000.",
];

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
      ...logFileFlag,
      "awaits-ring": switchFlag({
        help: "a ring is about to say who its members are",
        hidden: true,
      }),
    },
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
      ...logFlags,
      ...logFileFlag,
      "supervisor": addressFlag({ help: "who started it", hidden: true }),
    },
  },
  "push": {
    summary: "store a file in the ring",
    operands: [{ placeholder: "FILE", help: "the file; - is standard input, with --as" }],
    flags: {
      "as": textFlag({
        placeholder: "NAME",
        help: "store it under this name [default: the file's]",
      }),
      ...targetFlags,
    },
    notes: targetNotes,
  },
  "pull": {
    summary: "fetch a file from the ring",
    operands: [{ placeholder: "NAME", help: "the name it was stored under" }],
    flags: {
      "output": textFlag({
        short: "o",
        placeholder: "FILE",
        help: "write it there; - is standard output [default: NAME]",
      }),
      ...targetFlags,
    },
    notes: [
      "The file appears under its name only when it is complete and its SHA-256 is right.",
      ...targetNotes,
    ],
  },
  "stat": {
    summary: "show what the ring knows of a file, and the state of every copy",
    operands: [{ placeholder: "NAME", help: "the name it was stored under" }],
    flags: targetFlags,
    notes: targetNotes,
  },
  "delete": {
    summary: "delete a file from the ring",
    operands: [{ placeholder: "NAME", help: "the name it was stored under" }],
    flags: targetFlags,
    notes: targetNotes,
  },
  "list": {
    summary: "list the stored files as CSV",
    operands: [],
    flags: targetFlags,
    notes: targetNotes,
  },
  "status": {
    summary: "show the nodes of the ring",
    operands: [],
    flags: targetFlags,
    notes: targetNotes,
  },
  "heal": {
    summary: "check every node now and start the dead ones again",
    operands: [],
    flags: targetFlags,
    notes: targetNotes,
  },
  "scrub": {
    summary: "verify every stored byte now, and repair what is damaged",
    operands: [],
    flags: targetFlags,
    notes: targetNotes,
  },
  "stop": {
    summary: "stop a ring that runs on this machine, its gateway included",
    operands: [],
    flags: {
      ...targetFlags,
      "data-dir": textFlag({
        placeholder: "DIR",
        help: "stop the ring that keeps its files there [default: nodes]",
      }),
    },
    notes: [
      "The ring is found by any of its ports, else by --data-dir, else by OUROBOROS_ADDR,",
      "else in the directory 'nodes', else on the usual ports 8000 and 7000.",
    ],
  },
} as const satisfies Readonly<Record<string, CommandSpec>>;

/** The name of a subcommand. */
export type CommandName = keyof typeof commands;

/** Whether a word of the command line names a subcommand. */
export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(commands, word);
}
