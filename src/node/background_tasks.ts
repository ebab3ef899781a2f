import type { Logger } from "../runtime/log.ts";

/** Tasks under way at most; nothing may depend on one, so beyond it they are left out. */
const tasksMax = 1_000;

/** The owner of tasks that nobody waits for: it logs their failures and can wait for all of them. */
export class BackgroundTasks {
  readonly #log: Logger;
  readonly #running = new Set<Promise<void>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Starts a task. */
  run(what: string, task: () => Promise<unknown>): void {
    if (this.#running.size >= tasksMax) {
      this.#log.warn("too many background tasks", { leftOut: what });
      return;
    }
    const running: Promise<void> = task()
      .then(() => undefined, (error) => {
        this.#log.info("background task failed", { what, reason: `${error}` });
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Waits for the tasks under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}
