import type { Clock } from "../runtime/clock.ts";
import { ClientError } from "./client_error.ts";

/** How {@linkcode retrying} waits. */
export interface RetryOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long after the first failure another try may still begin, in ms; asked at each failure. */
  readonly forMs: () => number;
  /** Told of every failure that another try follows. */
  readonly onRetry: (error: ClientError) => void;
}

/** The pause before the second try, in ms; each later one is twice as long. */
const firstPauseMs = 200;

/** The longest pause, in ms: a node is back within a second or two of its death being noticed. */
const pauseMsMax = 1_000;

/**
 * Runs `attempt` until it succeeds, or fails in a way that another try cannot mend or might do twice:
 * only a {@linkcode ClientError} that says it is `retryable` is tried again.
 */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, signal, forMs, onRetry } = options;
  let firstMs: number | undefined;
  for (let pauseMs = firstPauseMs;; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ClientError) || !error.retryable) throw error;
      firstMs ??= clock.nowMs();
      if (clock.nowMs() + pauseMs > firstMs + forMs()) throw error;
      onRetry(error);
      await clock.sleep(pauseMs, signal);
    }
  }
}
