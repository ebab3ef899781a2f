/** Why a network cannot be started or stopped; the message is one line for its user. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  /** What the program exits with: 2 when another command line would help, else 1. */
  readonly exitCode: 1 | 2;

  constructor(message: string, options: ErrorOptions & { readonly exitCode?: 1 | 2 } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? 1;
  }
}
