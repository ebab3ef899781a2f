import { exitCodeOf, exitCodes } from "./exit_codes.ts";
import { printError } from "./output.ts";

/**
 * Tells a user in one line why the program could not do what it was asked, and says with which code
 * it exits. What is nobody's fault but the programmer's is thrown on.
 */
export function reportError(error: unknown): number {
  // Whoever read the output has gone, as in `list | head`: there is nobody to tell.
  if (error instanceof Deno.errors.BrokenPipe) return exitCodes.failed;
  if (!isUserError(error)) throw error;
  printError(`error: ${error.message}`);
  return exitCodeOf(error);
}

/** Whether an error's message is for the user: no mistake of this program. */
export function isUserError(error: unknown): error is Error {
  return error instanceof Error && (userErrors.has(error.name) || isSystemError(error));
}

/**
 * Errors whose message is written for the user. By name, so that nothing of a role is loaded only to
 * recognise its errors.
 */
const userErrors = new Set(["UsageError", "ClientError", "NetworkError", "StoreError"]);

/** An error of the file system or the network: the machine's answer, not a mistake of ours. */
function isSystemError(error: Error): boolean {
  return Object.values(Deno.errors).some((kind) => error instanceof kind) ||
    systemReason(error) !== undefined;
}

/** What the system said, "No space left on device"; `undefined` when it did not. */
export function systemReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // Most kinds of system errors have no class of their own, but all say their number.
  return /^(.*?) \(os error \d+\)/.exec(error.message)?.[1];
}
