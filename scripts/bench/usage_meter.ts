import { readUsage, resetPeak, type RingProcess, type Usage } from "./process_usage.ts";
import { sum } from "./statistics.ts";

/** What some processes used while something was measured. */
export interface Used {
  /** Of all of them. */
  readonly cpuSeconds: number;
  /** The largest peak of any of them, in bytes. */
  readonly peakBytes: number;
}

/** Measures what processes use meanwhile, and remembers the peak of each. */
export class UsageMeter {
  /** Bytes by process id: the peaks themselves are reset by every measurement. */
  readonly #peaks = new Map<number, number>();

  /** Runs something and tells what the processes used for it. */
  async measure<T>(pids: readonly number[], action: () => Promise<T>): Promise<[T, Used]> {
    await Promise.all(pids.map(resetPeak));
    const before = await readAll(pids);
    const result = await action();
    const after = await readAll(pids);
    const peaks = pids.map((pid, index) => this.#remember(pid, after[index]));
    const cpuSeconds = sum(after.map(cpuSecondsOf)) - sum(before.map(cpuSecondsOf));
    return [result, { cpuSeconds, peakBytes: Math.max(0, ...peaks) }];
  }

  /** What processes have used since they started; those that are gone are left out. */
  async usageOf(processes: readonly RingProcess[]): Promise<(RingProcess & Usage)[]> {
    const usages = await readAll(processes.map(({ pid }) => pid));
    return processes.flatMap((process, index) => {
      const usage = usages[index];
      if (usage === undefined) return [];
      this.#remember(process.pid, usage);
      const peakBytes = this.#peaks.get(process.pid) ?? usage.peakBytes;
      return [{ ...process, ...usage, peakBytes }];
    });
  }

  #remember(pid: number, usage: Usage | undefined): number {
    const peakBytes = usage?.peakBytes ?? 0;
    this.#peaks.set(pid, Math.max(peakBytes, this.#peaks.get(pid) ?? 0));
    return peakBytes;
  }
}

async function readAll(pids: readonly number[]): Promise<(Usage | undefined)[]> {
  return await Promise.all(pids.map(readUsage));
}

function cpuSecondsOf(usage: Usage | undefined): number {
  return usage === undefined ? 0 : usage.userSeconds + usage.systemSeconds;
}
