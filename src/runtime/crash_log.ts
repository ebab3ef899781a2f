import type { Logger } from "./log.ts";

/**
 * Logs errors that nobody caught, before the process dies of them: a node's stderr goes nowhere,
 * so its log file is the only witness. Dispose stops to listen.
 */
export function logCrashes(log: Logger): Disposable {
  const onError = (event: ErrorEvent) => {
    log.error("crashed", { error: event.error ?? event.message, stack: stackOf(event.error) });
  };
  const onRejection = (event: PromiseRejectionEvent) => {
    log.error("crashed on a rejected promise", {
      error: event.reason,
      stack: stackOf(event.reason),
    });
  };
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("error", onError);
      globalThis.removeEventListener("unhandledrejection", onRejection);
    },
  };
}

function stackOf(thrown: unknown): string | undefined {
  return thrown instanceof Error ? thrown.stack : undefined;
}
