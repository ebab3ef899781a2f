import type { BenchReport, RingReport } from "./bench_report.ts";
import { smallBytesMax } from "./cell.ts";
import { pathNames } from "./render.ts";
import { showSize } from "./sizes.ts";
import type { Bar, Chart } from "./svg.ts";
import { showMeasured } from "./table/render_table.ts";
import type { RowReport } from "./table/table_row.ts";

/** The charts of a report, by the name of their file. */
export function chartsOf(report: BenchReport): Map<string, Chart> {
  const charts = new Map<string, Chart>();
  if (report.table.some(({ kind }) => kind === "measured")) {
    charts.set("table", boundsChart(report.table));
  }
  for (const ring of report.rings) {
    const name = `${ring.nodes ?? "peer"}_${ring.durability}`;
    const what = ring.nodes === undefined ? "a running ring" : `${ring.nodes} nodes`;
    const title = `${what}, ${ring.durability}, one client`;
    const parts = [
      { kind: "throughput", unit: "MB/s", bars: throughput(ring) },
      { kind: "latency", unit: "p50, ms", bars: latency(ring) },
    ];
    for (const { kind, unit, bars } of parts) {
      if (bars.length > 0) charts.set(`${kind}_${name}`, { title: `${title}: ${unit}`, bars });
    }
  }
  return charts;
}

/** How much of its bound each figure takes, so that all of them are the better the shorter. */
function boundsChart(table: readonly RowReport[]): Chart {
  const bars = table.flatMap((row): Bar[] => {
    if (row.kind !== "measured") return [];
    const figure = row.ratio ?? row.measured.median;
    const value = row.unit === "/s" ? row.bound / figure : figure / row.bound;
    const text = showMeasured(row);
    // A bar that leaves the picture makes all others too short to tell apart.
    return [{
      label: row.title,
      value: Math.min(value, 3),
      text,
      mood: row.passes ? "good" : "bad",
    }];
  });
  const title = "Each figure by its bound: left of the line is within it";
  return { title, bars, mark: { value: 1, text: "bound" } };
}

/** Large files. */
function throughput({ cells }: RingReport): Bar[] {
  return cells.flatMap((cell): Bar[] => {
    const { kind, operation, size, clients, path } = cell;
    if (kind !== "measured" || clients !== 1 || size <= smallBytesMax) return [];
    const { median, max } = cell.megabytesPerSecond;
    const value = path === "floor" ? max : median;
    const ratio = cell.timesFloor === undefined ? "" : ` (${cell.timesFloor.toFixed(2)} × floor)`;
    const label = `${operation} ${showSize(size)} ${pathNames[path]}`;
    return [{ label, value, text: `${value.toFixed(0)}${ratio}` }];
  });
}

/** Small files. */
function latency({ cells }: RingReport): Bar[] {
  return cells.flatMap((cell): Bar[] => {
    const { kind, operation, size, clients, path } = cell;
    if (kind !== "measured" || clients !== 1 || size > smallBytesMax) return [];
    const label = `${operation} ${showSize(size)} ${pathNames[path]}`;
    return [{ label, value: cell.p50Ms, text: `${cell.p50Ms.toFixed(2)} ms` }];
  });
}
