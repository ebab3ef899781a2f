import { type Column, textTable } from "../text_table.ts";
import type { RowReport, Unit } from "./table_row.ts";

const columns: readonly Column[] = [
  { head: "", align: "left" },
  { head: "", align: "left" },
  { head: "bound", align: "right" },
  { head: "ratio", align: "right" },
  { head: "measured", align: "right" },
  { head: "min–max", align: "right" },
  { head: "floor", align: "right" },
  { head: "runs", align: "right" },
  { head: "", align: "left" },
];

/** The table for people. */
export function renderTable(rows: readonly RowReport[]): string[] {
  const missing = rows.flatMap((row) =>
    row.kind === "measured" ? [] : [`${row.id} ${row.kind}: ${row.reason}`]
  );
  return [...textTable(columns, rows.map(renderRow)), ...missing];
}

/** A figure with its unit, three digits of it, as no more are the same next time. */
export function showFigure(number: number, unit: Unit): string {
  const digits = number >= 100 ? 0 : number >= 10 ? 1 : number >= 1 ? 2 : 3;
  return `${number.toFixed(digits)}${unit === "/s" ? unit : ` ${unit}`}`;
}

/** What was measured, by its floor or the other way where there is one. */
export function showMeasured({ measured, ratio, unit }: MeasuredRow): string {
  const median = showFigure(measured.median, unit);
  return ratio === undefined ? median : `${ratio.toFixed(2)} × (${median})`;
}

/** A row that was measured. */
type MeasuredRow = Extract<RowReport, { readonly kind: "measured" }>;

function renderRow(row: RowReport): string[] {
  const { id, title, unit, bound } = row;
  const sign = unit === "/s" ? "≥" : "≤";
  if (row.kind !== "measured") return [id, title, `${sign} ${bound}`, "", row.kind];
  const { measured, floor, ratio, runs, passes } = row;
  return [
    id,
    title,
    ratio === undefined ? `${sign} ${bound} ${unit}` : `${sign} ${bound} ×`,
    ratio === undefined ? "" : `${ratio.toFixed(2)} ×`,
    showFigure(measured.median, unit),
    `${showFigure(measured.min, unit)}–${showFigure(measured.max, unit)}`,
    floor === undefined ? "" : showFigure(floor, unit),
    String(runs),
    passes ? "pass" : "MISS",
  ];
}
