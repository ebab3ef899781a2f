import type { BenchReport } from "./bench_report.ts";
import { describeMachineLine } from "./render.ts";
import { showFigure, showMeasured } from "./table/render_table.ts";
import type { RowReport } from "./table/table_row.ts";

/** The machine and the table of a report as Markdown, as the README shows it. */
export function renderMarkdown(report: BenchReport): string {
  const rows = report.table.filter(({ kind }) => kind === "measured").map(renderRow);
  const head = ["measure", "bound", "measured", "min–max", "floor", "runs"];
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  return [describeMachineLine(report.machine), "", ...lines, ""].join("\n");
}

function renderRow(row: RowReport): string[] {
  if (row.kind !== "measured") return [];
  const { title, unit, bound, measured, floor, ratio, runs, passes } = row;
  const sign = unit === "/s" ? "≥" : "≤";
  const figure = showMeasured(row);
  return [
    title,
    ratio === undefined
      ? `${sign} ${bound}${unit === "/s" ? "" : " "}${unit}`
      : `${sign} ${bound} ×`,
    passes ? figure : `**${figure}**`,
    `${showFigure(measured.min, unit)}–${showFigure(measured.max, unit)}`,
    floor === undefined ? "" : showFigure(floor, unit),
    String(runs),
  ];
}
