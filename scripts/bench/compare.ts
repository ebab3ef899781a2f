import type { BenchReport, CellFigures, CellReport, RingReport } from "./bench_report.ts";
import { pathNames } from "./render.ts";
import { showSize } from "./sizes.ts";
import { type Column, textTable } from "./text_table.ts";

const columns: readonly Column[] = [
  { head: "", align: "left" },
  { head: "", align: "left" },
  { head: "size", align: "right" },
  { head: "clients", align: "right" },
  { head: "way", align: "left" },
  { head: "× floor before", align: "right" },
  { head: "now", align: "right" },
  { head: "calls/s", align: "right" },
  { head: "p50", align: "right" },
  { head: "CPU", align: "right" },
  { head: "peak", align: "right" },
];

/**
 * Puts a report beside an earlier one: what both measured, and by how much it changed. The ratios to the
 * floor are the fair part of it: the machine may have been a faster one that day.
 */
export function renderComparison(now: BenchReport, before: BenchReport): string {
  const rows = now.rings.flatMap((ring) => {
    const earlier = before.rings.find((other) =>
      other.nodes === ring.nodes && other.durability === ring.durability
    );
    return earlier === undefined ? [] : compareRings(ring, earlier);
  });
  if (rows.length === 0) return `Nothing of this was measured on ${before.began}\n`;
  return [`Beside ${before.began}:`, "", ...textTable(columns, rows)].join("\n") + "\n";
}

/**
 * Reads a report that `--json` printed.
 *
 * @throws {SyntaxError} When it is none of this form.
 */
export function parseReport(text: string): BenchReport {
  const report: unknown = JSON.parse(text);
  const isReport = typeof report === "object" && report !== null && "schema" in report &&
    report.schema === 1 && "rings" in report && Array.isArray(report.rings);
  if (!isReport) throw new SyntaxError("not a report of this benchmark");
  // Written by this program; a wrong field shows as NaN in a table.
  return report as unknown as BenchReport;
}

function compareRings(now: RingReport, before: RingReport): string[][] {
  return now.cells.flatMap((cell) => {
    const earlier = before.cells.find((other) => isSameCell(cell, other));
    if (cell.kind !== "measured" || earlier?.kind !== "measured") return [];
    const name = now.nodes === undefined ? "" : `${now.nodes} nodes, ${now.durability}`;
    return [[
      ...[name, cell.operation, showSize(cell.size), String(cell.clients), pathNames[cell.path]],
      earlier.timesFloor?.toFixed(2) ?? "",
      cell.timesFloor?.toFixed(2) ?? "",
      change(cell, earlier, ({ callsPerSecond }) => callsPerSecond.median),
      change(cell, earlier, ({ p50Ms }) => p50Ms),
      change(cell, earlier, ({ cpuSeconds, calls }) => cpuSeconds / calls),
      change(cell, earlier, ({ peakBytes }) => peakBytes),
    ]];
  });
}

function isSameCell(a: CellReport, b: CellReport): boolean {
  return a.operation === b.operation && a.size === b.size && a.clients === b.clients &&
    a.path === b.path;
}

function change(
  now: CellFigures,
  before: CellFigures,
  figure: (cell: CellFigures) => number,
): string {
  const percent = (figure(now) / figure(before) - 1) * 100;
  if (!Number.isFinite(percent)) return "";
  return `${percent > 0 ? "+" : ""}${percent.toFixed(0)} %`;
}
