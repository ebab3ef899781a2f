import { ClientError } from "../client/client_error.ts";
import type { ClientContext } from "./client_context.ts";
import { exitCodeOf, exitCodes } from "./exit_codes.ts";
import { printError, showBytes, showCount } from "./output.ts";
import { isUserError } from "./report_error.ts";

/** What is done with several files, one after the other. */
export interface EachFile<T> {
  readonly items: readonly T[];
  /** What was done with a file, for the sum: "stored". */
  readonly done: string;
  /** Does it with one file and gives its size, if that says anything. */
  run(item: T): Promise<number | undefined>;
}

/**
 * Does the same with every file. One that fails is told and does not keep the others from their
 * turn, unless no ring answers any more. Several files end with a line that sums up.
 *
 * @returns The exit code: that of the failures if they all have the same one.
 */
export async function eachFile<T>(client: ClientContext, work: EachFile<T>): Promise<number> {
  const { items, done, run } = work;
  const codes = new Set<number>();
  let [count, bytes] = [0, 0];
  let hasSizes = false;
  for (const item of items) {
    try {
      client.signal.throwIfAborted();
      const size = await run(item);
      count += 1;
      bytes += size ?? 0;
      hasSizes ||= size !== undefined;
    } catch (error) {
      if (client.signal.aborted && items.length > 1) {
        client.note(`interrupted: ${count} of ${items.length} files ${done}`);
      }
      client.signal.throwIfAborted();
      if (items.length === 1 || !isUserError(error)) throw error;
      printError(`error: ${error.message}`);
      codes.add(exitCodeOf(error));
      if (error instanceof ClientError && error.kind === "unreachable") break;
    }
  }
  if (items.length > 1) {
    const size = hasSizes ? `, ${showBytes(bytes)}` : "";
    const rest = count === items.length ? "" : ` of ${items.length}`;
    client.tell(
      rest === ""
        ? `${showCount(count, "file")} ${done}${size}`
        : `${count}${rest} files ${done}${size}`,
    );
  }
  const [code = exitCodes.ok, ...others] = codes;
  return others.length > 0 ? exitCodes.failed : code;
}
