import type { CommandSpec, Operand } from "./command_spec.ts";
import { configFlag } from "./config_file.ts";
import { addressFlag, hostFlag, integerFlag, portFlag, switchFlag, textFlag } from "./flag.ts";

/** The shells that `completions` writes for. */
export const shells = ["bash", "zsh", "fish"] as const;

/** Seconds that a client keeps trying a ring that does not answer: a dead node is back by then. */
const defaultRetrySeconds = 10;

/** Where a client finds the ring. */
const targetFlags = {
  "addr": addressFlag({ help: "a node or the gateway; the same as --host and --port" }),
  "host": hostFlag({ help: "the host of a node or of the gateway" }),
  "port": portFlag({ short: "p", help: "the port of a node or of the gateway" }),
};

const clientFlags = {
  ...targetFlags,
  "retry": integerFlag(
    { placeholder: "SECONDS", help: "how long a ring that does not answer is tried again" },
    { min: 0, max: 3_600, noun: "seconds", fallback: defaultRetrySeconds },
  ),
  ...configFlag,
};

const quietFlag = {
  "quiet": switchFlag({ short: "q", help: "say nothing but errors; show no progress" }),
};

const jsonFlag = { "json": switchFlag({ help: "print JSON" }) };

const exclusive: CommandSpec["exclusive"] = [["addr", "host"], ["addr", "port"]];

const targetNotes = [
  "Where the ring is: --addr, or --host and --port; else the configuration; else the",
  "address in OUROBOROS_ADDR; else the gateway on 127.0.0.1:8000, else the node on",
  "127.0.0.1:7000. These last two are not tried again, as nothing says there is a ring.",
];

const storedName: Operand = { placeholder: "NAME", help: "the name it was stored under" };

/** The subcommands that talk to a ring, and what helps at the command line. */
export const clientCommands = {
  "push": {
    summary: "store files in the ring",
    operands: [{
      placeholder: "FILE",
      help: "a file, or a pattern such as '*.txt'; - is standard input, with --as",
      count: "many",
      completes: "file",
    }],
    flags: {
      "as": textFlag({
        placeholder: "NAME",
        help: "store it under this name [default: the file's]",
      }),
      ...quietFlag,
      ...clientFlags,
    },
    exclusive,
    notes: [
      "A push begins with its size, so standard input is first read to its end, into a",
      "temporary file. A push that was cut off leaves nothing, and is not resumed.",
      ...targetNotes,
    ],
    isClient: true,
  },
  "pull": {
    summary: "fetch files from the ring",
    operands: [{
      ...storedName,
      help: "a stored name, or a pattern in quotes such as '*.txt'",
      count: "many",
    }],
    flags: {
      "output": textFlag({
        short: "o",
        placeholder: "FILE",
        help: "write it there, or into that directory; - is standard output [default: NAME]",
        completes: "file",
      }),
      ...quietFlag,
      ...clientFlags,
    },
    exclusive,
    notes: [
      "A file appears under its name only when it is complete and its SHA-256 is right; what",
      "was there before is replaced then, and only then. A name that has a *, ? or [ in it is",
      "a pattern unless a file of exactly that name is stored.",
      ...targetNotes,
    ],
    isClient: true,
  },
  "list": {
    summary: "list the stored files",
    operands: [{ placeholder: "NAME", help: "only these names or patterns", count: "any" }],
    flags: {
      ...jsonFlag,
      "csv": switchFlag({ help: "print CSV: name, port of the first part's node, size" }),
      ...clientFlags,
    },
    exclusive: [...exclusive, ["json", "csv"]],
    notes: ["A table on a terminal; elsewhere CSV, as the ring answers it.", ...targetNotes],
    isClient: true,
  },
  "stat": {
    summary: "show what the ring knows of a file, and the state of every copy",
    operands: [storedName],
    flags: { ...jsonFlag, ...clientFlags },
    exclusive,
    notes: targetNotes,
    isClient: true,
  },
  "delete": {
    summary: "delete files from the ring",
    operands: [{ ...storedName, help: "a stored name, exactly; no patterns", count: "many" }],
    flags: { ...quietFlag, ...clientFlags },
    exclusive,
    notes: targetNotes,
    isClient: true,
  },
  "status": {
    summary: "show the ring and its nodes",
    operands: [],
    flags: {
      "watch": switchFlag({ short: "w", help: "show it again every second, until Ctrl-C" }),
      ...jsonFlag,
      ...clientFlags,
    },
    exclusive: [...exclusive, ["watch", "json"]],
    notes: ["Drawn on a terminal; elsewhere a line a node.", ...targetNotes],
    isClient: true,
  },
  "heal": {
    summary: "check every node now and start the dead ones again",
    operands: [],
    flags: { ...quietFlag, ...clientFlags },
    exclusive,
    notes: targetNotes,
    isClient: true,
  },
  "scrub": {
    summary: "verify every stored byte now, and repair what is damaged",
    operands: [],
    flags: { ...quietFlag, ...clientFlags },
    exclusive,
    notes: targetNotes,
    isClient: true,
  },
  "stop": {
    summary: "stop a ring that runs on this machine, its gateway included",
    operands: [],
    flags: {
      ...targetFlags,
      "data-dir": textFlag({
        placeholder: "DIR",
        help: "stop the ring that keeps its files there [default: nodes]",
        completes: "directory",
      }),
      ...configFlag,
    },
    exclusive: [
      ["addr", "host"],
      ["addr", "port"],
      ["data-dir", "addr"],
      ["data-dir", "host"],
      ["data-dir", "port"],
    ],
    notes: [
      "The ring is found by any of its ports, else by --data-dir, else by OUROBOROS_ADDR,",
      "else in the directory 'nodes', else on the usual ports 8000 and 7000.",
    ],
  },
  "completions": {
    summary: "print what makes a shell complete this command line",
    operands: [{ placeholder: "SHELL", help: "bash, zsh or fish", completes: shells }],
    flags: {},
    notes: [
      "bash: source <(ouroboros completions bash)",
      'zsh:  ouroboros completions zsh > "${fpath[1]}/_ouroboros"',
      "fish: ouroboros completions fish > ~/.config/fish/completions/ouroboros.fish",
    ],
  },
} as const satisfies Readonly<Record<string, CommandSpec>>;
