import {
  type CompletedCommand,
  type CompletedFlag,
  completionTable,
  quoteForShell,
} from "./completion_table.ts";
import type { Completion } from "./flag.ts";

/** The completion function for zsh, for a file `_ouroboros` in a directory of `fpath`. */
export function zshCompletions(): string {
  const commands = completionTable();
  const rows = commands.map(({ name, summary }) =>
    `    ${quoteForShell(`${name}:${summary.replaceAll(":", "\\:")}`)}`
  );
  return `#compdef ouroboros
# Completions of ouroboros for zsh: a file _ouroboros in a directory of $fpath.

_ouroboros() {
  local -a commands
  commands=(
${rows.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe -t commands 'command' commands
    return
  fi
  local command=$words[2]
  # The command stands in the place of the program, so that its own operands are counted.
  shift words
  ((CURRENT--))
  case $command in
${commands.map(commandCase).join("\n")}
    help) _describe -t commands 'command' commands ;;
  esac
}

# Sourced rather than found by its file's name, it says itself what it completes.
if [[ $funcstack[1] == _ouroboros ]]; then
  _ouroboros "$@"
else
  compdef _ouroboros ouroboros
fi
`;
}

function commandCase({ name, flags, operand }: CompletedCommand): string {
  const specs = flags.map(flagSpec);
  if (operand !== undefined) specs.push(quoteForShell(`*:operand:${action(operand)}`));
  return [`    ${name})`, "      _arguments -s \\", ...specs.map((spec) => `        ${spec} \\`)]
    .join("\n").replace(/ \\$/, "") + "\n      ;;";
}

/** `'(-p --port)'{-p,--port=}'[help]:PORT:'`, as _arguments wants it. */
function flagSpec({ name, short, help, placeholder, completes }: CompletedFlag): string {
  const described = `[${help.replace(/[[\]\\:]/g, "\\$&")}]`;
  const value = placeholder === undefined
    ? ""
    : `:${placeholder.replaceAll(":", "\\:")}:${action(completes)}`;
  const long = placeholder === undefined ? `--${name}` : `--${name}=`;
  if (short === undefined) return quoteForShell(`${long}${described}${value}`);
  const brief = placeholder === undefined ? `-${short}` : `-${short}+`;
  return `'(-${short} --${name})'{${brief},${long}}${quoteForShell(`${described}${value}`)}`;
}

function action(completion: Completion | undefined): string {
  if (completion === undefined) return " ";
  if (completion === "file") return "_files";
  return completion === "directory" ? "_files -/" : `(${completion.join(" ")})`;
}
