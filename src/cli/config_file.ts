import { textFlag, UsageError } from "./flag.ts";

/** What a configuration says: values by the names of flags, not yet looked at. */
export interface Config {
  /** As the command line names it. */
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The flag that every subcommand has. */
export const configFlag = {
  "config": textFlag({
    placeholder: "FILE",
    help: "read flags from this JSON file; those given here count before it",
    completes: "file",
  }),
};

/** Far more than all flags need; a file that is larger was named by mistake. Bytes. */
export const configBytesMax = 64 * 1024;

/**
 * Reads the file that `--config` names: one JSON object, which has the names of the command's flags,
 * without dashes. At once, as a command line is read before anything else happens.
 *
 * @throws {UsageError} When it cannot be read, is too large, or is no JSON object.
 */
export function readConfigFile(path: string): Config {
  const cannot = (why: string, cause?: unknown) =>
    new UsageError(`cannot use the configuration '${path}': ${why}`, { cause });
  let text: string;
  try {
    text = readBounded(path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw cannot(reasonOf(error), error);
  }
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : "";
    throw cannot(`it is not JSON (${why})`, error);
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw cannot('it has to be one JSON object, such as {"port": 8000}');
  }
  return { path, values: { ...values } };
}

/** The first bytes decide: the file may be a pipe, or grow while it is read. */
function readBounded(path: string): string {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(configBytesMax + 1);
  let filled = 0;
  while (filled < buffer.length) {
    const count = file.readSync(buffer.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  if (filled > configBytesMax) throw new RangeError(`it is larger than ${configBytesMax} bytes`);
  return new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, filled));
}

function reasonOf(error: Error): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  return error instanceof TypeError ? "it is not UTF-8" : error.message;
}
