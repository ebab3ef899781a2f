import { LineProcess } from "./line_process.ts";
import type { LoadAnswer, LoadDone, LoadJob } from "./load_job.ts";

/** A job for all load processes together. */
export type PoolJob = Omit<LoadJob, "deadlineMs">;

/** What came of a job. */
export interface LoadResult {
  /** Milliseconds of every call of every client. */
  readonly callsMs: readonly number[];
  /** From the begin of the first call to the end of the last one. */
  readonly elapsedMs: number;
  readonly sha256: readonly string[];
}

/** Thrown when a call failed; the message is what the client saw. */
export class LoadError extends Error {
  override readonly name = "LoadError";
}

/** Load processes, at most: clients beyond that share them. */
const processesMax = 4;

/** The slowest transfer that is waited for, in bytes a millisecond: 10 MB/s. */
const slowestBytesPerMs = 10_000;

/** What any call may take besides, in ms: the ring's own deadlines are shorter. */
const patienceMs = 30_000;

/** The processes that clients run in. */
export class LoadPool implements AsyncDisposable {
  readonly #processes: LineProcess[] = [];
  readonly #signal: AbortSignal;

  /** @param signal Ends every wait. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * Runs clients, a load process for each as far as there are, all at the same time.
   *
   * @throws {LoadError} When a call fails.
   */
  async run(job: PoolJob): Promise<LoadResult> {
    const shares = split(job.namePrefixes, processesMax);
    const bytes = job.size * job.namePrefixes.length;
    const deadlineMs = job.lengthMs + patienceMs + bytes / slowestBytesPerMs;
    // The processes have the deadline; this one is for those that do not keep it.
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(deadlineMs + patienceMs)]);
    const processes = shares.map((_, index) => this.#process(index));
    const ready = await Promise.all(processes.map(async (process, index) => {
      await process.say(JSON.stringify({ ...job, namePrefixes: shares[index], deadlineMs }));
      return await hearAnswer(process, signal);
    }));
    // Who could not connect is done already; the others are told to begin all the same.
    const answers = await Promise.all(processes.map(async (process, index) => {
      const answer = ready[index]!;
      if (answer.kind !== "ready") return answer;
      await process.say("begin");
      return await hearAnswer(process, signal);
    }));
    return combine(answers);
  }

  /** Ends the processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((process) => process[Symbol.asyncDispose]()));
  }

  #process(index: number): LineProcess {
    const process = this.#processes[index] ?? new LineProcess({ script: "./load.ts" });
    this.#processes[index] = process;
    return process;
  }
}

async function hearAnswer(process: LineProcess, signal: AbortSignal): Promise<LoadAnswer> {
  return JSON.parse(await process.hear(signal)) as LoadAnswer;
}

function combine(answers: readonly LoadAnswer[]): LoadResult {
  for (const answer of answers) {
    if (answer.kind === "failed") throw new LoadError(answer.reason);
  }
  const done = answers.filter((answer): answer is LoadDone => answer.kind === "done");
  const began = Math.min(...done.map(({ beganMs }) => beganMs));
  const ended = Math.max(...done.map(({ endedMs }) => endedMs));
  return {
    callsMs: done.flatMap(({ callsMs }) => callsMs),
    elapsedMs: ended - began,
    sha256: done.flatMap(({ sha256 }) => sha256),
  };
}

/** Shares items among at most so many lists, none of them empty. */
function split<T>(items: readonly T[], listsMax: number): T[][] {
  const count = Math.min(items.length, listsMax);
  return Array.from(
    { length: count },
    (_, list) => items.filter((_, index) => index % count === list),
  );
}
