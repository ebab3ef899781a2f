/** What a subcommand gets of the process. */
export interface CliContext {
  /** Aborts on Ctrl-C and the like. */
  readonly signal: AbortSignal;
}
