import { programVersion } from "../runtime/version.ts";
import { type CommandName, commands, type CommandSpec } from "./commands.ts";
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
      return [
        [name, ...operands.map((operand) => operand.placeholder)].join(" "),
        summary,
      ] as const;
    });
    lines.push("", `${title}:`, ...columns(rows));
  }
  const general = [
    ["-h, --help", "this help; behind a command, the command's"],
    ["-V, --version", "the program's version"],
  ] as const;
  lines.push("", "Flags:", ...columns(general));
  lines.push("", "A first ring: ouroboros set-network --nodes 5 --dns-port 8000");
  return lines.join("\n") + "\n";
}

/** The help of one subcommand, flags meant for the program itself left out. Ends with a newline. */
export function commandHelp(name: CommandName): string {
  const { summary, operands, flags, notes }: CommandSpec = commands[name];
  const usage = ["ouroboros", name, ...operands.map((operand) => operand.placeholder), "[flags]"];
  const lines = [`ouroboros ${name}: ${summary}.`, "", `Usage: ${usage.join(" ")}`];
  if (operands.length > 0) {
    lines.push("", ...columns(operands.map(({ placeholder, help }) => [placeholder, help])));
  }
  const rows = Object.entries(flags)
    .filter(([, flag]) => flag.hidden !== true)
    .map(([flagName, flag]) => [spelling(flagName, flag), explanation(flag)] as const);
  lines.push("", "Flags:", ...columns([...rows, ["-h, --help", "this help"]]));
  if (notes !== undefined) lines.push("", ...notes);
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
