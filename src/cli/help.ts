import { programVersion } from "../runtime/version.ts";
import { type CommandSpec, showOperand } from "./command_spec.ts";
import { type CommandName, commands } from "./commands.ts";
import { exitCodeRows } from "./exit_codes.ts";
import type { Flag } from "./flag.ts";
import { print, printError } from "./output.ts";

/** What help is wanted of, and whether it was asked for (0) or a command line is missing (2). */
export interface HelpRequest {
  readonly command?: CommandName;
  readonly exitCode: 0 | 2;
}

/** `--help`, or the lack of a command line: then it goes to standard error. */
export function help({ command, exitCode }: HelpRequest): number {
  const text = command === undefined ? programHelp() : commandHelp(command);
  if (exitCode === 0) print(text);
  else printError(text.trimEnd());
  return exitCode;
}

/** `--version`. */
export function version(): number {
  print(`ouroboros ${programVersion}\n`);
  return 0;
}

/** The groups of the overview, in the order in which a newcomer meets them. */
const groups: readonly { readonly title: string; readonly names: readonly CommandName[] }[] = [
  { title: "Run a ring", names: ["set-network", "stop", "run", "gateway"] },
  { title: "Use it", names: ["push", "pull", "list", "stat", "delete", "status", "heal", "scrub"] },
  { title: "At the command line", names: ["completions"] },
];

/** The help of the whole program. Ends with a newline. */
export function programHelp(): string {
  const lines = [
    "OuroborosFS: a ring of nodes that stores files, every part of them twice.",
    "",
    "Usage: ouroboros COMMAND [flags]",
  ];
  for (const { title, names } of groups) {
    const rows = names.map((name) => {
      const { summary, operands }: CommandSpec = commands[name];
      return [[name, ...operands.map(showOperand)].join(" "), summary] as const;
    });
    lines.push("", `${title}:`, ...columns(rows));
  }
  const general = [
    ["-h, --help", "this help; behind a command, the command's"],
    ["-V, --version", "the program's version"],
  ] as const;
  lines.push("", "Flags:", ...columns(general));
  lines.push("", "Exit codes of those that use a ring:", ...columns(exitCodeRows));
  lines.push("", "A first ring: ouroboros set-network --nodes 5 --dns-port 8000");
  return lines.join("\n") + "\n";
}

/** The help of one subcommand, flags meant for the program itself left out. Ends with a newline. */
export function commandHelp(name: CommandName): string {
  const { summary, operands, flags, notes, isClient }: CommandSpec = commands[name];
  const usage = ["ouroboros", name, ...operands.map(showOperand), "[flags]"];
  const lines = [`ouroboros ${name}: ${summary}.`, "", `Usage: ${usage.join(" ")}`];
  if (operands.length > 0) {
    lines.push("", ...columns(operands.map(({ placeholder, help }) => [placeholder, help])));
  }
  const rows = Object.entries(flags)
    .filter(([, flag]) => flag.hidden !== true)
    .map(([flagName, flag]) => [spelling(flagName, flag), explanation(flag)] as const);
  lines.push("", "Flags:", ...columns([...rows, ["-h, --help", "this help"]]));
  if (notes !== undefined) lines.push("", ...notes);
  if (isClient === true) lines.push("", "Exit codes:", ...columns(exitCodeRows));
  return lines.join("\n") + "\n";
}

function spelling(name: string, flag: Flag<unknown>): string {
  const short = flag.short === undefined ? "" : `-${flag.short}, `;
  const value = flag.placeholder === undefined ? "" : ` ${flag.placeholder}`;
  return `${short}--${name}${value}`;
}

function explanation(flag: Flag<unknown>): string {
  return flag.fallback === undefined ? flag.help : `${flag.help} [default: ${flag.fallback}]`;
}

/** Two columns; a left one that is wide for its neighbours gets a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const widthMax = 28;
  const width = Math.max(
    ...rows.map(([left]) => left.length).filter((length) => length <= widthMax),
  );
  return rows.flatMap(([left, right]) =>
    left.length <= width
      ? [`  ${left.padEnd(width)}  ${right}`]
      : [`  ${left}`, `  ${" ".repeat(width)}  ${right}`]
  );
}
