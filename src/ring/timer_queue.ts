/** Something to do at a time. */
export interface QueuedTimer {
  readonly atMs: number;
  cancelled: boolean;
  readonly run: () => void;
}

/**
 * Timers in the order of their times; timers of one time in the order they were set. A binary heap:
 * the machine and the simulation both live on it. It has no clock: the owner says what time it is.
 */
export class TimerQueue {
  readonly #heap: QueuedEntry[] = [];
  #sequence = 0;

  /** Timers that have not run, cancelled ones included until their time comes. */
  get size(): number {
    return this.#heap.length;
  }

  /** The time of the first timer; `undefined` when there is none. */
  get firstAtMs(): number | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (!first.cancelled) return first.atMs;
      this.#removeFirst(first);
    }
    return undefined;
  }

  /** Sets a timer; to cancel it, set `cancelled`. */
  add(atMs: number, run: () => void): QueuedTimer {
    const entry: QueuedEntry = { atMs, cancelled: false, run, sequence: this.#sequence++ };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = entry;
    return entry;
  }

  /** Takes out the first timer that is due at `nowMs`; the caller runs it. */
  takeDue(nowMs: number): QueuedTimer | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.atMs > nowMs && !first.cancelled) return undefined;
      this.#removeFirst(first);
      if (!first.cancelled) return first;
    }
    return undefined;
  }

  /** Lets the last entry sink from the top to where it belongs. */
  #removeFirst(first: QueuedEntry): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || last === first) return;
    let at = 0;
    for (;;) {
      const leftAt = 2 * at + 1;
      const left = heap[leftAt];
      if (left === undefined) break;
      const right = heap[leftAt + 1];
      const isRight = right !== undefined && isBefore(right, left);
      const least = isRight ? right : left;
      if (!isBefore(least, last)) break;
      heap[at] = least;
      at = isRight ? leftAt + 1 : leftAt;
    }
    heap[at] = last;
  }
}

interface QueuedEntry extends QueuedTimer {
  /** Timers of one time keep the order in which they were set. */
  readonly sequence: number;
}

function isBefore(a: QueuedEntry, b: QueuedEntry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
