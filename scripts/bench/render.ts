import type { BenchReport, CellFigures, CellReport, RingReport } from "./bench_report.ts";
import { type Cell, smallBytesMax } from "./cell.ts";
import { showSize } from "./sizes.ts";
import type { Machine } from "./machine.ts";
import type { Spread } from "./statistics.ts";
import { renderTable } from "./table/render_table.ts";
import { type Column, textTable } from "./text_table.ts";

/** The report for people. */
export function renderReport(report: BenchReport): string {
  const { cores, loadBefore } = report.machine;
  const lines = [describeMachineLine(report.machine)];
  if (loadBefore > cores / 4) {
    lines.push(
      `Other work ran beside this (load ${loadBefore.toFixed(2)}): the figures are worse for it`,
    );
  }
  if (report.table.length > 0) lines.push("", ...renderTable(report.table));
  for (const ring of report.rings) lines.push("", ...renderRing(ring));
  lines.push("", `${report.seconds.toFixed(0)} s in all`);
  return lines.join("\n") + "\n";
}

/** The machine in a line. */
export function describeMachineLine({ cpu, cores, memoryBytes, system, deno }: Machine): string {
  const memory = `${Math.round(memoryBytes / 1024 ** 3)} GiB`;
  return `${cores} × ${cpu}, ${memory}, ${system}, Deno ${deno}`;
}

/** The names of the ways in the table. */
export const pathNames: Readonly<Record<Cell["path"], string>> = {
  floor: "floor",
  direct: "direct",
  other: "other node",
  gateway: "gateway",
};

function renderRing(ring: RingReport): string[] {
  const { nodes, durability, startMs, healMs, syncMs, rounds, cells, notes, processes } = ring;
  const what = nodes === undefined
    ? `A running ring; the floor with ${durability}`
    : `${nodes === 1 ? "1 node" : `${nodes} nodes`}, ${durability}`;
  const times = [
    ...(startMs === undefined ? [] : [`ready after ${seconds(startMs)}`]),
    ...(healMs === undefined ? [] : [`killed node alive again after ${secondsSpread(healMs)}`]),
    `${rounds} ${rounds === 1 ? "round" : "rounds"}`,
  ];
  const failed = cells.flatMap((cell) =>
    cell.kind === "failed"
      ? [`FAILED ${cell.operation} ${showSize(cell.size)} ${pathNames[cell.path]}: ${cell.reason}`]
      : []
  );
  return [
    `${what}: ${times.join(", ")}`,
    ...(syncMs === undefined ? [] : [
      `The copies of a small file synced side by side, then two syncs of a catalog: ${
        digits(syncMs.median)
      } ms`,
    ]),
    "",
    ...renderCells(cells),
    ...(failed.length === 0 ? [] : ["", ...failed]),
    ...(notes.length === 0 ? [] : ["", "Nobody asked for this:", ...notes]),
    ...(processes.length === 0 ? [] : ["", ...renderProcesses(processes)]),
  ];
}

const cellColumns: readonly Column[] = [
  { head: "", align: "left" },
  { head: "size", align: "right" },
  { head: "clients", align: "right" },
  { head: "way", align: "left" },
  { head: "MB/s", align: "right" },
  { head: "min–max", align: "right" },
  { head: "× floor", align: "right" },
  { head: "calls/s", align: "right" },
  { head: "p50 ms", align: "right" },
  { head: "p99 ms", align: "right" },
  { head: "CPU", align: "right" },
  { head: "peak MiB", align: "right" },
];

function renderCells(cells: readonly CellReport[]): string[] {
  const rows = cells.flatMap((cell) => cell.kind === "measured" ? [renderCell(cell)] : []);
  return textTable(cellColumns, rows);
}

function renderCell(cell: CellReport & CellFigures): string[] {
  const { operation, size, clients, path, megabytesPerSecond, callsPerSecond } = cell;
  // A floor is what it was at best, everything else what it was usually.
  const isFloor = path === "floor";
  return [
    operation,
    showSize(size),
    String(clients),
    pathNames[path],
    digits(isFloor ? megabytesPerSecond.max : megabytesPerSecond.median),
    `${digits(megabytesPerSecond.min)}–${digits(megabytesPerSecond.max)}`,
    cell.timesFloor === undefined ? "" : cell.timesFloor.toFixed(2),
    digits(isFloor ? callsPerSecond.max : callsPerSecond.median),
    digits(cell.p50Ms),
    // Of a few calls this would be the slowest one, which the min says already.
    cell.calls >= 20 ? digits(cell.p99Ms) : "",
    cpuOf(cell),
    cell.peakBytes === 0 ? "" : (cell.peakBytes / 1024 ** 2).toFixed(0),
  ];
}

/**
 * CPU time by what makes it comparable: by GiB where files are large, else by call. Nothing of the processes
 * of somebody else, which have no memory that could be seen either.
 */
function cpuOf({ cpuSeconds, calls, size, peakBytes }: CellReport & CellFigures): string {
  if (peakBytes === 0) return "";
  if (size > smallBytesMax) return `${digits(cpuSeconds / (calls * size / 1024 ** 3))} s/GiB`;
  return `${digits(cpuSeconds * 1000 / calls)} ms/call`;
}

const processColumns: readonly Column[] = [
  { head: "process", align: "left" },
  { head: "", align: "left" },
  { head: "peak MiB", align: "right" },
  { head: "CPU s", align: "right" },
  { head: "user", align: "right" },
  { head: "system", align: "right" },
];

function renderProcesses(processes: RingReport["processes"]): string[] {
  const rows = processes.map(({ role, address, peakBytes, userSeconds, systemSeconds }) => [
    role,
    address,
    (peakBytes / 1024 ** 2).toFixed(0),
    (userSeconds + systemSeconds).toFixed(1),
    userSeconds.toFixed(1),
    systemSeconds.toFixed(1),
  ]);
  return textTable(processColumns, rows);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function secondsSpread({ median, min, max }: Spread): string {
  return min === max ? seconds(median) : `${seconds(median)} (${seconds(min)}–${seconds(max)})`;
}

/** Three digits, as no more of them are the same next time. */
function digits(number: number): string {
  if (number >= 100) return number.toFixed(0);
  return number >= 10 ? number.toFixed(1) : number.toFixed(2);
}
