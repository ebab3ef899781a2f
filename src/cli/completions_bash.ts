import { type CompletedCommand, completionTable } from "./completion_table.ts";
import type { Completion } from "./flag.ts";

/**
 * The completion function for bash, of version 3.2 on. It needs no other package; `--flag=value`, which
 * readline hands over as three words, is put together again.
 */
export function bashCompletions(): string {
  const commands = completionTable();
  const names = [...commands.map(({ name }) => name), "--help", "--version"].join(" ");
  return `# Completions of ouroboros for bash: source <(ouroboros completions bash)

_ouroboros() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="\${COMP_WORDS[1]}"
  COMPREPLY=()
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${names}' -- "$current"))
    return
  fi
  case "$command" in
${commands.map(commandCase).join("\n")}
  help)
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(" ")}' -- "$current"))
    ;;
  esac
}

# _ouroboros_paths -f|-d PREFIX: the names of files or of directories, spaces and all.
_ouroboros_paths() {
  local path
  compopt -o filenames 2>/dev/null
  COMPREPLY=()
  while IFS= read -r path; do
    COMPREPLY+=("$path")
  done < <(compgen "$1" -- "$2")
}

complete -F _ouroboros ouroboros
`;
}

function commandCase({ name, flags, operand }: CompletedCommand): string {
  const lines = [`  ${name})`, `    case "$previous" in`];
  for (const { name, short, placeholder, completes } of flags) {
    if (placeholder === undefined) continue;
    const words = short === undefined ? `--${name}` : `--${name} | -${short}`;
    lines.push(`    ${words})`, `      ${reply(completes)}`, "      return", "      ;;");
  }
  const words = flags.flatMap(({ name, short }) =>
    short ? [`--${name}`, `-${short}`] : [`--${name}`]
  );
  lines.push(
    "    esac",
    "    if [[ $current == -* ]]; then",
    `      ${reply(words)}`,
    "    else",
    `      ${reply(operand)}`,
    "    fi",
    "    ;;",
  );
  return lines.join("\n");
}

function reply(completion: Completion | undefined): string {
  if (completion === undefined) return ":";
  if (completion === "file") return '_ouroboros_paths -f "$current"';
  if (completion === "directory") return '_ouroboros_paths -d "$current"';
  return `COMPREPLY=($(compgen -W '${completion.join(" ")}' -- "$current"))`;
}
