import { splitAddress } from "../protocol/address.ts";
import { showBytes, showCount, showSeconds } from "./output.ts";
import { ringPicture } from "./ring_picture.ts";
import { netmapSummary, type NodeReport } from "./ring_report.ts";
import { table } from "./table.ts";
import type { Look, Paint, Terminal } from "./terminal.ts";

/** Nodes up to which a picture tells more than a list. */
const pictureNodesMax = 60;

/**
 * What `status` shows on a terminal: the ring, and a table of its nodes. If that is more than
 * `rowsMax` lines, the picture or the nodes that are well are left out.
 */
export function ringScreen(
  reports: readonly NodeReport[],
  { columns, paint }: Pick<Terminal, "columns" | "paint">,
  rowsMax: number = Infinity,
): string[] {
  if (reports.length === 0) return [netmapSummary(reports)];
  const picture = reports.length > pictureNodesMax ? [] : ["", ...draw(reports, columns(), paint)];
  const summary = paint("bold", centerOf(reports).join(" · "));
  const rows = nodeTable(reports, paint);
  if (picture.length > 0 && picture.length + 1 + rows.length <= rowsMax) {
    return [...picture, "", ...rows];
  }
  if (1 + rows.length <= rowsMax) return [summary, ...rows];
  if (picture.length > 0 && picture.length <= rowsMax) return picture;
  const unwell = reports.filter((report) => lookOf(report) !== "green");
  return [summary, ...(unwell.length > 0 ? nodeTable(unwell, paint) : ["All of them are well."])];
}

function draw(reports: readonly NodeReport[], columns: number, paint: Paint): string[] {
  const hosts = new Set(reports.map(({ address }) => splitAddress(address).hostname));
  return ringPicture(
    reports.map((report) => {
      const look = lookOf(report);
      return {
        name: hosts.size > 1 ? report.address : String(splitAddress(report.address).port),
        sign: signs[look],
        paint: (text) => paint(look, text),
      };
    }),
    {
      columns: Math.min(columns - 1, 100),
      center: centerOf(reports),
      paintRing: (text) => paint("dim", text),
      paintTitle: (text) => paint("bold", text),
    },
  );
}

/** How a node is, by more than its colour. */
const signs = { green: "●", yellow: "◐", red: "✗" } as const;

function lookOf({ status, silence, state }: NodeReport): keyof typeof signs & Look {
  if (status === "Dead") return "red";
  if (silence === "original program") return "green";
  return silence === undefined && (state === undefined || state === "ready") ? "green" : "yellow";
}

function centerOf(reports: readonly NodeReport[]): string[] {
  const told = reports.filter(({ files }) => files !== undefined);
  if (told.length === 0) return [netmapSummary(reports)];
  const files = Math.max(...told.map(({ files = 0 }) => files));
  const stored = told.reduce((sum, { storedBytes = 0 }) => sum + storedBytes, 0);
  return [
    netmapSummary(reports),
    `${showCount(files, "file")}, ${showBytes(stored)} on disk`,
  ];
}

function nodeTable(reports: readonly NodeReport[], paint: Paint): string[] {
  const cell = (value: number | undefined, show: (value: number) => string = String) =>
    value === undefined ? "" : show(value);
  const [title = "", ...lines] = table(
    [
      { title: "NODE" },
      { title: "STATE" },
      { title: "UP", align: "right" },
      { title: "CHUNKS", align: "right" },
      { title: "ON DISK", align: "right" },
      { title: "FREE", align: "right" },
    ],
    reports.map((report) => [
      report.address,
      report.status === "Dead" ? "Dead" : report.silence ?? report.state ?? "Alive",
      cell(report.uptime, showSeconds),
      cell(report.chunks),
      cell(report.storedBytes, showBytes),
      cell(report.freeBytes, showBytes),
    ]),
  );
  const painted = lines.map((line, index) => {
    const report = reports[index];
    const look = report === undefined ? "green" : lookOf(report);
    return look === "green" ? line : paint(look, line);
  });
  return [paint("bold", title), ...painted];
}
