import { BenchClient } from "./client.ts";

/** Thrown when the ring does not do what every measurement needs of it. */
export class RingError extends Error {
  override readonly name = "RingError";
}

/** Time between two looks at a node that is to come back, in ms. */
const lookMs = 10;

/** How long an answer to a short question may take, in ms. */
const answerMs = 2_000;

/**
 * Looks until it is so; what does not answer is not so yet.
 *
 * @throws {RingError} When the signal is aborted first.
 */
export async function until(signal: AbortSignal, isSo: () => Promise<boolean>): Promise<void> {
  while (!await isSo().catch(() => false)) {
    if (signal.aborted) {
      throw new RingError("A killed node did not come back", { cause: signal.reason });
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** Asks a node one thing, on a connection of its own, and gives its answer without the `OK`. */
export async function ask(address: string, command: string): Promise<string> {
  const client = new BenchClient(address);
  const timer = setTimeout(() => client.close(), answerMs);
  try {
    return await client.ask(command);
  } finally {
    clearTimeout(timer);
    client.close();
  }
}
