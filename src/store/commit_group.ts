import { setImmediate } from "node:timers";
import type { Commit, CommitResult } from "./commit.ts";

/** Records that are committed together at most: a transaction of some tens of milliseconds. */
const recordsMax = 256;

/** One that waits to be committed. */
interface Waiting {
  readonly commit: Commit;
  readonly settle: PromiseWithResolvers<CommitResult>;
}

/**
 * Commits records that come at the same time in one transaction, with one sync: those that are here
 * when the event loop has been round once. A commit that comes alone waits for nobody else.
 */
export class CommitGroup {
  readonly #commitAll: (commits: readonly Commit[]) => Promise<readonly CommitResult[]>;
  #waiting: Waiting[] = [];

  /** @param commitAll gives a result for each commit, in order, or throws for all of them. */
  constructor(commitAll: (commits: readonly Commit[]) => Promise<readonly CommitResult[]>) {
    this.#commitAll = commitAll;
  }

  /** Commits a record, with whatever else comes now. */
  commit(commit: Commit): Promise<CommitResult> {
    const settle = Promise.withResolvers<CommitResult>();
    this.#waiting.push({ commit, settle });
    if (this.#waiting.length === 1) setImmediate(() => this.#run());
    return settle.promise;
  }

  async #run(): Promise<void> {
    const group = this.#waiting.splice(0, recordsMax);
    if (this.#waiting.length > 0) setImmediate(() => this.#run());
    try {
      const results = await this.#commitAll(group.map(({ commit }) => commit));
      for (const [index, { settle }] of group.entries()) {
        const result = results[index];
        if (result === undefined) settle.reject(new Error("A commit has no result"));
        else settle.resolve(result);
      }
    } catch (error) {
      for (const { settle } of group) settle.reject(error);
    }
  }
}
