/** How a stream of this process is to be written to. */
export interface Terminal {
  /** Whether somebody looks at it; else it is a file or a pipe. */
  readonly isTerminal: boolean;
  /** Colours a text, or gives it back unchanged. */
  readonly paint: Paint;
  /** Characters a line, now: a window can be dragged. */
  readonly columns: () => number;
  /** Lines, now. */
  readonly rows: () => number;
}

/** What a text can look like. */
export type Look = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Makes a text look like something. */
export type Paint = (look: Look, text: string) => string;

const codes: Readonly<Record<Look, string>> = {
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  cyan: "36",
};

/** Colours by the escape sequences that every terminal knows. */
export function paintAnsi(look: Look, text: string): string {
  return text === "" ? "" : `\x1b[${codes[look]}m${text}\x1b[0m`;
}

/** No colours: for files, pipes, and users who set NO_COLOR. */
export function paintNothing(_look: Look, text: string): string {
  return text;
}

/** Standard output or standard error. */
export function terminalOf(stream: "stdout" | "stderr"): Terminal {
  const isTerminal = Deno[stream].isTerminal();
  return {
    isTerminal,
    paint: isTerminal && !Deno.noColor ? paintAnsi : paintNothing,
    columns: () => size().columns,
    rows: () => size().rows,
  };
}

/** The window that a terminal had before it could be asked. */
const defaultSize = { columns: 80, rows: 24 };

function size(): { readonly columns: number; readonly rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    // A terminal that was started without a window says 0.
    return columns > 0 && rows > 0 ? { columns, rows } : defaultSize;
  } catch {
    // There is no terminal to ask.
    return defaultSize;
  }
}
