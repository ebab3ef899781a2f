/**
 * The wish of the outside that this process stops: SIGINT, SIGTERM or SIGHUP.
 *
 * Further signals are ignored on purpose: a terminal that closes sends several in a row, and a
 * supervisor that dies in the middle of stopping would leave its nodes behind. Whoever stops must
 * therefore do it within a bound.
 */
export class ShutdownSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #listeners = new Map<Deno.Signal, () => void>();

  /** Starts to listen; dispose gives the signals back to the system's default, which is death. */
  constructor() {
    for (const name of shutdownSignals) {
      const listener = () => this.#controller.abort(new ShutdownError(name));
      try {
        Deno.addSignalListener(name, listener);
        this.#listeners.set(name, listener);
      } catch (error) {
        // Windows lacks some of them; the others still work there.
        if (!(error instanceof TypeError)) throw error;
      }
    }
  }

  /** Aborts at the first signal, with a {@linkcode ShutdownError}. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
    this.#listeners.clear();
  }
}

/** The reason with which {@linkcode ShutdownSignal.signal} aborts. */
export class ShutdownError extends Error {
  override readonly name = "ShutdownError";

  /** @param signalName such as `SIGTERM`. */
  constructor(readonly signalName: string) {
    super(`stopping on ${signalName}`);
  }
}

const shutdownSignals: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
