/** A bar of a chart. */
export interface Bar {
  /** What it says before the bar. */
  readonly label: string;
  readonly value: number;
  /** What it says behind the bar. */
  readonly text: string;
  /** Good news or bad; a bar without either is grey. */
  readonly mood?: "good" | "bad";
}

/** What a chart shows. */
export interface Chart {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** Where a line goes through all bars, in their unit. */
  readonly mark?: { readonly value: number; readonly text: string };
}

const barHeight = 16;
const barGap = 6;
const labelWidth = 400;
const plotWidth = 330;
const textWidth = 160;
const headHeight = 52;

const colors = { good: "#2e8b57", bad: "#c0504d", none: "#6b7f99" };

/** The style works on white and on black, as the page that shows it may be either. */
const style = "text{font:12px system-ui,sans-serif;fill:#57606a}.t{font-size:14px;font-weight:600}";

/**
 * Draws a chart of bars as SVG, the longest as wide as there is room.
 *
 * @example
 * ```ts
 * import { drawBars } from "./svg.ts";
 * import { assert } from "@std/assert";
 *
 * const svg = drawBars({ title: "push & pull", bars: [{ label: "push", value: 2, text: "2 s" }] });
 * assert(svg.startsWith("<svg ") && svg.includes("push &amp; pull"));
 * ```
 */
export function drawBars({ title, bars, mark }: Chart): string {
  const max = Math.max(...bars.map(({ value }) => value), mark?.value ?? 0) || 1;
  const width = labelWidth + plotWidth + textWidth;
  const height = headHeight + bars.length * (barHeight + barGap) + barGap;
  const x = (value: number) => labelWidth + value / max * plotWidth;
  const lines = bars.flatMap(({ label, value, text, mood }, index) => {
    const top = headHeight + index * (barHeight + barGap);
    const baseline = top + barHeight - 4;
    return [
      `<text x="${labelWidth - 8}" y="${baseline}" text-anchor="end">${escape(label)}</text>`,
      `<rect x="${labelWidth}" y="${top}" width="${(x(value) - labelWidth).toFixed(1)}"` +
      ` height="${barHeight}" fill="${colors[mood ?? "none"]}"/>`,
      `<text x="${(x(value) + 6).toFixed(1)}" y="${baseline}">${escape(text)}</text>`,
    ];
  });
  const line = mark === undefined ? [] : [
    `<line x1="${x(mark.value).toFixed(1)}" x2="${x(mark.value).toFixed(1)}" y1="${
      headHeight - 8
    }"` +
    ` y2="${height}" stroke="#57606a" stroke-dasharray="3 3"/>`,
    `<text x="${x(mark.value).toFixed(1)}" y="${headHeight - 12}" text-anchor="middle">` +
    `${escape(mark.text)}</text>`,
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}">`,
    `<style>${style}</style>`,
    `<text class="t" x="8" y="20">${escape(title)}</text>`,
    ...lines,
    ...line,
    "</svg>",
    "",
  ].join("\n");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
