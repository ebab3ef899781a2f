/**
 * Promises that were started and will be awaited together, later.
 *
 * A promise that rejects before anybody awaits it would end the process; one in a group is handled
 * from the moment it is added, and {@linkcode TaskGroup.all} reports the first failure. Whoever
 * adds must call `all` on every path, or what was started would outlive its owner.
 */
export class TaskGroup {
  readonly #tasks: Promise<unknown>[] = [];

  /** Takes over a promise. */
  add(task: Promise<unknown>): void {
    // `all` reports the failure; this only keeps it from counting as unhandled until then.
    task.catch(() => {});
    this.#tasks.push(task);
  }

  /** Waits for every task, failed ones included, then throws the first failure in order of `add`. */
  async all(): Promise<void> {
    let failure: PromiseRejectedResult | undefined;
    while (this.#tasks.length > 0) {
      const settled = await Promise.allSettled(this.#tasks.splice(0));
      failure ??= settled.find((result) => result.status === "rejected");
    }
    if (failure !== undefined) throw failure.reason;
  }
}
