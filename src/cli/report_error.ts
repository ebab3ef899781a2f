import { printError } from "./output.ts";

/**
 * Tells a user in one line why the program could not do what it was asked, and says with which code
 * it exits: 2 for a command line that cannot be right, else 1. What is nobody's fault but the
 * programmer's is thrown on.
 */
export function reportError(error: unknown): number {
  if (!(error instanceof Error)) throw error;
  if (error instanceof Deno.errors.BrokenPipe) return 1;
  if (!userErrors.has(error.name) && !isSystemError(error)) throw error;
  printError(`error: ${error.message}`);
  if (error.name === "UsageError") return 2;
  return "exitCode" in error && error.exitCode === 2 ? 2 : 1;
}

/**
 * Errors whose message is written for the user. By name, so that nothing of a role is loaded only to
 * recognise its errors.
 */
const userErrors = new Set(["UsageError", "ClientError", "NetworkError", "StoreError"]);

/** An error of the file system or the network: the machine's answer, not a mistake of ours. */
function isSystemError(error: Error): boolean {
  return Object.values(Deno.errors).some((kind) => error instanceof kind);
}
