import {
  type CompletedCommand,
  type CompletedFlag,
  completionTable,
  quoteForShell,
} from "./completion_table.ts";
import type { Completion } from "./flag.ts";

/** The completions for fish, a line a command and a line a flag. */
export function fishCompletions(): string {
  const lines = [
    "# Completions of ouroboros for fish: ~/.config/fish/completions/ouroboros.fish",
    "",
    // Names of files come where a command takes them, and nowhere else.
    "complete -c ouroboros -f",
    "complete -c ouroboros -n __fish_use_subcommand -s h -l help -d 'show the help'",
    "complete -c ouroboros -n __fish_use_subcommand -s V -l version -d 'show the version'",
  ];
  for (const command of completionTable()) lines.push("", ...commandLines(command));
  return lines.join("\n") + "\n";
}

function commandLines({ name, summary, flags, operand }: CompletedCommand): string[] {
  const lines = [
    `complete -c ouroboros -n __fish_use_subcommand -a ${name} -d ${quoteFish(summary)}`,
  ];
  const inCommand = `complete -c ouroboros -n '__fish_seen_subcommand_from ${name}'`;
  for (const flag of flags) lines.push(`${inCommand} ${flagWords(flag)}`);
  if (operand !== undefined) lines.push(`${inCommand} ${values(operand)}`);
  return lines;
}

function flagWords({ name, short, help, placeholder, completes }: CompletedFlag): string {
  const words = short === undefined ? [] : [`-s ${short}`];
  words.push(`-l ${name}`);
  if (placeholder !== undefined) words.push(completes === "file" ? "-r" : "-x");
  if (completes !== undefined) words.push(values(completes));
  return [...words, `-d ${quoteFish(help)}`].join(" ");
}

function values(completion: Completion): string {
  if (completion === "file") return "-F";
  if (completion === "directory") return "-a '(__fish_complete_directories)'";
  return `-a ${quoteForShell(completion.join(" "))}`;
}

/** In fish, a backslash escapes within single quotes. */
function quoteFish(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
