import type { BenchReport, CellFigures, CellReport, RingReport } from "./bench_report.ts";
import { pathNames } from "./render.ts";
import { showSize } from "./sizes.ts";
import { showFigure } from "./table/render_table.ts";
import type { RowReport } from "./table/table_row.ts";
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

const boundColumns: readonly Column[] = [
  { head: "", align: "left" },
  { head: "before", align: "right" },
  { head: "now", align: "right" },
  { head: "change", align: "right" },
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
  const bounds = compareTables(now.table, before.table);
  if (rows.length + bounds.length === 0) return `Nothing of this was measured on ${before.began}\n`;
  const tables = [textTable(boundColumns, bounds), textTable(columns, rows)];
  const filled = tables.filter((lines) => lines.length > 1);
  return [`Beside ${before.began}:`, ...filled.flatMap((lines) => ["", ...lines])].join("\n") +
    "\n";
}

/**
 * Reads a report that `--json` printed.
 *
 * @throws {SyntaxError} When it is none of this form.
 */
export function parseReport(text: string): BenchReport {
  const report: unknown = JSON.parse(text);
  const isReport = typeof report === "object" && report !== null && "schema" in report &&
    report.schema === 2 && "rings" in report && Array.isArray(report.rings) && "table" in report;
  if (!isReport) throw new SyntaxError("not a report of this benchmark");
  // Written by this program; a wrong field shows as NaN in a table.
  return report as unknown as BenchReport;
}

function compareTables(now: readonly RowReport[], before: readonly RowReport[]): string[][] {
  return now.flatMap((row) => {
    const earlier = before.find(({ id }) => id === row.id);
    if (row.kind !== "measured" || earlier?.kind !== "measured") return [];
    const figures = [earlier, row].map(({ ratio, measured }) => ratio ?? measured.median);
    const [old = NaN, current = NaN] = figures;
    return [[
      row.id,
      ...figures.map((figure) =>
        row.ratio === undefined ? showFigure(figure, row.unit) : `${figure.toFixed(2)} ×`
      ),
      changeOf(current, old),
    ]];
  });
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
  return changeOf(figure(now), figure(before));
}

function changeOf(now: number, before: number): string {
  const percent = (now / before - 1) * 100;
  if (!Number.isFinite(percent)) return "";
  return `${percent > 0 ? "+" : ""}${percent.toFixed(0)} %`;
}
