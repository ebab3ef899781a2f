const encoder = new TextEncoder();

/** Writes a text to standard output, all of it before it returns. */
export function print(text: string): void {
  writeSync(Deno.stdout, encoder.encode(text));
}

/**
 * Writes a text to standard output as far as anybody reads it: what a process tells that has more
 * important things to do.
 */
export function printNotice(text: string): void {
  try {
    print(text);
  } catch {
    // The reader has gone, as in `set-network | head -1`; the ring goes on.
  }
}

/** Writes a line to standard error: what a user should know beside the result. */
export function printError(line: string): void {
  writeSync(Deno.stderr, encoder.encode(`${line}\n`));
}

/** Writes to standard error as it is: what is drawn on a terminal. */
export function writeStderr(text: string): void {
  writeSync(Deno.stderr, encoder.encode(text));
}

/** A count of bytes for people: `17 bytes`, `1.5 KiB`, `100.0 MiB`. */
export function showBytes(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** A time span for people: `12 s`, `3 min`, `5 h`, `2 d`. */
export function showSeconds(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** A name for a message: quoted, and on one line whatever it holds. */
export function showName(name: string): string {
  // deno-lint-ignore no-control-regex -- control characters could steer the terminal
  return `'${name.replace(/[\x00-\x1f\x7f-\x9f]/g, "�")}'`;
}

/** A count of things: `1 file`, `3 files`. */
export function showCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function writeSync(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += stream.writeSync(bytes.subarray(written));
  }
}
