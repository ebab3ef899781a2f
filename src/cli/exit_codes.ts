/** What the program exits with; scripts rely on these numbers. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 4,
  outcomeUnknown: 5,
  interrupted: 130,
} as const;

/** The same for the help, a line each. */
export const exitCodeRows: readonly (readonly [string, string])[] = [
  [String(exitCodes.ok), "done, all of it"],
  [String(exitCodes.failed), "it failed, or some of several files did"],
  [String(exitCodes.usage), "the command line or the configuration cannot be right"],
  [String(exitCodes.notFound), "the ring has no such file"],
  [String(exitCodes.unreachable), "no ring answers"],
  [String(exitCodes.outcomeUnknown), "the ring went away before it said whether it was done"],
  [String(exitCodes.interrupted), "interrupted by Ctrl-C or a signal"],
];

/** Exit codes of failures, by the `kind` of a `ClientError`. */
const byKind: Readonly<Record<string, number>> = {
  "not-found": exitCodes.notFound,
  "unreachable": exitCodes.unreachable,
  "outcome-unknown": exitCodes.outcomeUnknown,
};

/**
 * The exit code for an error whose message a user was told. By its properties, so that nothing of a
 * role is loaded only to recognise its errors.
 */
export function exitCodeOf(error: Error): number {
  if (error.name === "UsageError") return exitCodes.usage;
  if (error.name === "ClientError" && "kind" in error) {
    return byKind[String(error.kind)] ?? exitCodes.failed;
  }
  return "exitCode" in error && error.exitCode === exitCodes.usage
    ? exitCodes.usage
    : exitCodes.failed;
}
