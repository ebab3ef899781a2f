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
  readonly #heap: { readonly timer: QueuedTimer; readonly sequence: number }[] = [];
  #sequence = 0;

  /** Timers that have not run, cancelled ones included until their time comes. */
  get size(): number {
    return this.#heap.length;
  }

  /** The time of the first timer; `undefined` when there is none. */
  get firstAtMs(): number | undefined {
    while (this.#heap[0]?.timer.cancelled) this.#removeFirst();
    return this.#heap[0]?.timer.atMs;
  }

  /** Sets a timer; to cancel it, set `cancelled`. */
  add(atMs: number, run: () => void): QueuedTimer {
    const timer: QueuedTimer = { atMs, cancelled: false, run };
    const entry = { timer, sequence: this.#sequence++ };
    let at = this.#heap.length;
    this.#heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
    return timer;
  }

  /** Takes out the first timer that is due at `nowMs`; the caller runs it. */
  takeDue(nowMs: number): QueuedTimer | undefined {
    const firstAtMs = this.firstAtMs;
    if (firstAtMs === undefined || firstAtMs > nowMs) return undefined;
    return this.#removeFirst();
  }

  #removeFirst(): QueuedTimer | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || this.#heap.length === 0) return first?.timer;
    this.#heap[0] = last;
    for (let at = 0;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#before(child, least)) least = child;
      }
      if (least === at) return first.timer;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(a: number, b: number): boolean {
    const left = this.#heap[a];
    const right = this.#heap[b];
    if (left === undefined || right === undefined) return false;
    return left.timer.atMs < right.timer.atMs ||
      (left.timer.atMs === right.timer.atMs && left.sequence < right.sequence);
  }

  #swap(a: number, b: number): void {
    const left = this.#heap[a];
    const right = this.#heap[b];
    if (left === undefined || right === undefined) return;
    this.#heap[a] = right;
    this.#heap[b] = left;
  }
}
