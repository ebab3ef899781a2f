import { showBytes } from "./output.ts";
import { shorten, textWidth } from "./text_width.ts";

/** How far a transfer is. */
export interface ProgressView {
  readonly name: string;
  readonly doneBytes: number;
  /** `undefined` while it is not known. */
  readonly totalBytes: number | undefined;
  /** `undefined` until it can be told. */
  readonly bytesPerSecond: number | undefined;
  readonly elapsedMs: number;
  /** What still goes on when all bytes have moved: "storing". */
  readonly atEnd: string;
}

/** Columns of the name: long enough to tell files apart, short enough for a bar at 80 columns. */
const nameColumns = 24;

/** The least columns of a bar that tells anything. */
const barColumnsMin = 8;

/**
 * One line of progress, at most `columns - 1` wide: a full line would wrap on some terminals.
 *
 * @example
 * ```ts
 * import { progressLine } from "./progress_line.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const view = { name: "a.bin", doneBytes: 0, totalBytes: undefined, bytesPerSecond: undefined, atEnd: "" };
 * assertEquals(progressLine({ ...view, elapsedMs: 61_000 }, 80), "a.bin  1:01");
 * ```
 */
export function progressLine(view: ProgressView, columns: number): string {
  const { doneBytes, totalBytes, bytesPerSecond } = view;
  const width = columns - 1;
  if (totalBytes === undefined) {
    const parts = [shorten(view.name, Math.max(10, width - 24))];
    if (doneBytes > 0) parts.push(showBytes(doneBytes));
    return parts.concat(showClock(view.elapsedMs / 1_000)).join("  ");
  }
  const fraction = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
  const isAllSent = doneBytes >= totalBytes;
  const rate = bytesPerSecond === undefined ? "" : `${showBytes(bytesPerSecond)}/s`;
  const left = isAllSent
    ? view.atEnd
    : bytesPerSecond === undefined || bytesPerSecond < 1
    ? "-:--"
    : showClock((totalBytes - doneBytes) / bytesPerSecond);
  const head = shorten(view.name, nameColumns);
  const percent = `${Math.floor(fraction * 100)}%`.padStart(4);
  const sizes = showProgress(doneBytes, totalBytes);
  const tail = `${sizes}  ${rate.padStart(11)}  ${left.padStart(7)}`;
  const barColumns = width - textWidth(`${head} ${percent}   ${tail}`);
  if (barColumns < barColumnsMin) {
    return shorten(`${shorten(view.name, 16)} ${percent.trim()}  ${rate}  ${left}`, width);
  }
  return `${head} ${percent} ${bar(fraction, barColumns)}  ${tail}`;
}

/** `2.0/4.8 MiB`: both in the unit of the total, at a width that does not change on the way. */
function showProgress(done: number, total: number): string {
  const [number = "", unit = ""] = showBytes(total).split(" ");
  const unitBytes = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 }[unit] ?? 1;
  const shown = unitBytes === 1 ? String(done) : (done / unitBytes).toFixed(1);
  return `${shown.padStart(number.length)}/${number} ${unit}`;
}

function bar(fraction: number, columns: number): string {
  const filled = Math.floor(fraction * columns);
  return "━".repeat(filled) + "─".repeat(columns - filled);
}

/** `0:07`, `12:34`, `1:02:03`. */
function showClock(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole > 359_999) return ">99 h";
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}
