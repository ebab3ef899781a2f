/** Waits so many milliseconds, or until the signal aborts; then it rejects with its reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}

/** Looks until it is so; false when it is not after `timeoutMs`. An error of a look is a no. */
export async function isSoWithin(
  timeoutMs: number,
  signal: AbortSignal,
  isSo: () => Promise<boolean>,
): Promise<boolean> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    if (await isSo().catch(() => false)) return true;
    if (performance.now() >= endMs) return false;
    await pause(lookMs, signal);
  }
}

/** The pause between two looks, in ms. */
const lookMs = 50;
