import type { Clock, Timer } from "../runtime/clock.ts";
import { showName } from "./output.ts";
import { progressLine } from "./progress_line.ts";

/** Shows how far one thing is, until it is disposed of. */
export interface Progress extends Disposable {
  /** Says how much there is, in bytes. */
  setTotal(bytes: number): void;
  /** Says how much is done so far, in bytes. */
  set(doneBytes: number): void;
  /** Removes the line, so that something else can be printed. */
  clear(): void;
}

/** What a {@linkcode TerminalProgress} shows and where. */
export interface ProgressOptions {
  readonly clock: Clock;
  /** What stands at the beginning of the line. */
  readonly name: string;
  /** What still goes on when all bytes have moved. */
  readonly atEnd: string;
  readonly columns: () => number;
  /** Writes to the terminal. */
  readonly write: (text: string) => void;
}

/** How often the line is drawn, in ms: fluent to the eye, nothing to the processor. */
const drawMs = 125;

/** How far back the rate looks, in ms: long enough to be steady, short enough to be the present. */
const rateWindowMs = 4_000;

/** Nothing is shown of what is over by then, in ms: a line that flashes says nothing. */
const patienceMs = 300;

/** Draws one line over and over at the bottom of a terminal. */
export class TerminalProgress implements Progress {
  readonly #options: ProgressOptions;
  readonly #startMs: number;
  readonly #timer: Timer;
  /** Of the last {@linkcode rateWindowMs}, the oldest first. */
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];
  #doneBytes = 0;
  #totalBytes: number | undefined;
  #isDrawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startMs = options.clock.nowMs();
    this.#timer = options.clock.every(drawMs, () => this.#draw());
  }

  setTotal(bytes: number): void {
    this.#totalBytes = bytes;
  }

  set(doneBytes: number): void {
    // Less than before: it starts again.
    if (doneBytes < this.#doneBytes) this.#samples.length = 0;
    this.#doneBytes = doneBytes;
  }

  clear(): void {
    if (this.#isDrawn) this.#options.write("\r\x1b[K");
    this.#isDrawn = false;
  }

  [Symbol.dispose](): void {
    this.#timer.stop();
    this.clear();
  }

  #draw(): void {
    const { atEnd, clock, columns, name, write } = this.#options;
    const nowMs = clock.nowMs();
    this.#samples.push({ atMs: nowMs, bytes: this.#doneBytes });
    while ((this.#samples[0]?.atMs ?? nowMs) < nowMs - rateWindowMs) this.#samples.shift();
    const elapsedMs = nowMs - this.#startMs;
    if (elapsedMs < patienceMs) return;
    const line = progressLine({
      name: showName(name).slice(1, -1),
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond: this.#rate(nowMs),
      elapsedMs,
      atEnd,
    }, columns());
    write(`\r${line}\x1b[K`);
    this.#isDrawn = true;
  }

  #rate(nowMs: number): number | undefined {
    const [oldest] = this.#samples;
    if (oldest === undefined || nowMs - oldest.atMs < drawMs) return undefined;
    return (this.#doneBytes - oldest.bytes) * 1_000 / (nowMs - oldest.atMs);
  }
}

/** What a pipe, a file and `--quiet` get. */
export const noProgress: Progress = {
  setTotal() {},
  set() {},
  clear() {},
  [Symbol.dispose]() {},
};
