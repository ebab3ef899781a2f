/**
 * Draws what the benchmark found out: reads the JSON of a run, writes SVGs, and prints the table of figures
 * with bounds as Markdown.
 *
 * ```
 * deno task bench --json > result.json
 * deno run -A scripts/bench/plot.ts result.json DIR
 * ```
 *
 * @module
 */
import { chartsOf } from "./charts.ts";
import { parseReport } from "./compare.ts";
import { renderMarkdown } from "./markdown.ts";
import { drawBars } from "./svg.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main([file, directory]: readonly string[]): Promise<number> {
  if (file === undefined || directory === undefined) {
    console.error("usage: deno run -A scripts/bench/plot.ts RESULT.json DIR");
    return 2;
  }
  const report = parseReport(await Deno.readTextFile(file));
  await Deno.mkdir(directory, { recursive: true });
  for (const [name, chart] of chartsOf(report)) {
    await Deno.writeTextFile(`${directory}/${name}.svg`, drawBars(chart));
  }
  if (report.table.length > 0) console.log(renderMarkdown(report));
  return 0;
}
