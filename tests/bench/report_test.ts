import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { BenchReport } from "../../scripts/bench/bench_report.ts";
import type { Cell } from "../../scripts/bench/cell.ts";
import { parseReport, renderComparison } from "../../scripts/bench/compare.ts";
import { chartsOf } from "../../scripts/bench/charts.ts";
import { renderMarkdown } from "../../scripts/bench/markdown.ts";
import { judge } from "../../scripts/bench/table/judge.ts";
import { parseBenchOptions } from "../../scripts/bench/options.ts";
import { Recorder } from "../../scripts/bench/recorder.ts";
import { renderReport } from "../../scripts/bench/render.ts";

const size = 64 * 1024 ** 2;
const floor: Cell = { operation: "push", size, clients: 1, path: "floor" };
const direct: Cell = { ...floor, path: "direct" };
const gateway: Cell = { ...floor, path: "gateway" };

/** A report of pushes that took so many ms each. */
function reportOf(times: readonly (readonly [Cell, readonly number[]])[]): BenchReport {
  const recorder = new Recorder();
  for (const [cell, runs] of times) {
    for (const elapsedMs of runs) {
      const result = { callsMs: [elapsedMs], elapsedMs, sha256: [] };
      recorder.add(cell, { result, cpuSeconds: 0.1, peakBytes: 50 * 1024 ** 2 });
    }
  }
  recorder.fail(gateway, "ERR busy");
  const options = parseBenchOptions([])!;
  return {
    schema: 2,
    began: "2025-01-01T00:00:00.000Z",
    seconds: 10,
    machine: {
      cpu: "Abacus",
      cores: 2,
      memoryBytes: 8 * 1024 ** 3,
      system: "linux 6",
      deno: "2.9.6",
      loadBefore: 0,
    },
    options,
    rings: [{
      nodes: 5,
      durability: "fsync",
      startMs: 900,
      healMs: { median: 1_000, min: 900, max: 1_200 },
      syncMs: undefined,
      rounds: 3,
      cells: recorder.report([floor, direct, gateway]),
      notes: [],
      processes: [],
    }],
    table: [{
      id: "push-256",
      title: "push 256 MiB",
      unit: "s",
      bound: 3,
      ...judge({ unit: "s", bound: 3 }, [{ measured: 1.2, floors: [0.5, 0.4] }]),
    }, {
      id: "get-16-warm",
      title: "16 clients",
      unit: "/s",
      bound: 5500,
      ...judge({ unit: "/s", bound: 5500 }, [{ measured: 6000 }, { measured: 5000 }]),
    }, { id: "x", title: "", unit: "ms", bound: 1, kind: "unavailable", reason: "no --x" }],
  };
}

Deno.test("renderReport() shows the table with bounds, and what misses them", () => {
  const text = renderReport(reportOf([]));
  assert(/^push-256 .* ≤ 3 × +3.00 × +1.20 s .* 0.400 s +1 +pass$/m.test(text), text);
  assert(/^get-16-warm .* ≥ 5500 \/s +5500\/s +5000\/s–6000\/s +2 +pass$/m.test(text), text);
  assert(/^x unavailable: no --x$/m.test(text), text);
});

Deno.test("chartsOf() shows the table and each ring", () => {
  const report = reportOf([[floor, [100]], [direct, [200]]]);
  const charts = chartsOf(report);
  const bars = charts.get("table")?.bars ?? [];
  assertEquals(bars.map(({ label, value, mood }) => [label, value.toFixed(2), mood]), [
    ["push 256 MiB", "1.00", "good"],
    ["16 clients", "1.00", "good"],
  ]);
  const [, ...rings] = charts.keys();
  assertEquals(rings, ["throughput_5_fsync"]);
  const texts = charts.get("throughput_5_fsync")?.bars.map(({ text }) => text);
  assert(texts?.[1]?.endsWith(" (2.00 × floor)"), texts?.join());
});

Deno.test("renderMarkdown() sets off what misses its bound", () => {
  const missed = judge({ unit: "ms", bound: 1 }, [{ measured: 1.25 }]);
  const report = reportOf([]);
  const row = { id: "x", title: "pull", unit: "ms", bound: 1, ...missed } as const;
  const lines = renderMarkdown({ ...report, table: [...report.table, row] }).split("\n");
  assertEquals(lines[0], "2 × Abacus, 8 GiB, linux 6, Deno 2.9.6");
  assertEquals(lines.slice(4), [
    "| push 256 MiB | ≤ 3 × | 3.00 × (1.20 s) | 1.20 s–1.20 s | 0.400 s | 1 |",
    "| 16 clients | ≥ 5500/s | 5500/s | 5000/s–6000/s |  | 2 |",
    "| pull | ≤ 1 ms | **1.25 ms** | 1.25 ms–1.25 ms |  | 1 |",
    "",
  ]);
});

Deno.test("judge() wants a rate to be more, everything else less", () => {
  const samples = [{ measured: 10, floors: [4, 5] }];
  const verdicts = (["s", "/s"] as const).flatMap((unit) =>
    [1.9, 2.1, 2.6].map((bound) => judge({ unit, bound }, samples).passes)
  );
  // The best of what is compared with is 4 seconds, but 5 a second.
  assertEquals(verdicts, [false, false, true, true, false, false]);
  const { ratio } = judge({ unit: "s", bound: 1, against: "median" }, samples);
  assertEquals(ratio, 10 / 4.5);
});

Deno.test("Recorder measures a median by the floor's best round", () => {
  const { rings } = reportOf([[floor, [100, 50, 200]], [direct, [100, 400, 200]]]);
  const [best, ours, failed] = rings[0]!.cells;
  assertEquals(best?.kind === "measured" && best.timesFloor, undefined);
  assertEquals(ours?.kind === "measured" && ours.timesFloor, 4);
  assertEquals(failed?.kind === "failed" && failed.reason, "ERR busy");
});

Deno.test("renderReport() shows figures, and failures apart from them", () => {
  const text = renderReport(reportOf([[floor, [100]], [direct, [200, 400]]]));
  assertStringIncludes(text, "5 nodes, fsync: ready after 0.90 s");
  assertStringIncludes(text, "alive again after 1.00 s (0.90 s–1.20 s), 3 rounds");
  assertStringIncludes(text, "FAILED push 64 MiB gateway: ERR busy");
  const row = text.split("\n").find((line) => line.includes("direct"));
  // 64 MiB a call, 3.75 calls a second (the middle of 2.5 and 5), 0.2 CPU seconds for both calls.
  assertEquals(row?.split(/\s{2,}/), [
    ...["push", "64 MiB", "1", "direct", "252", "168–336", "2.67", "3.75", "200", "1.60 s/GiB"],
    "50",
  ]);
});

Deno.test("renderComparison() shows by how much the same cells changed", () => {
  const before = reportOf([[floor, [100]], [direct, [400]]]);
  const now = reportOf([[floor, [100]], [direct, [200]]]);
  const text = renderComparison(now, parseReport(JSON.stringify(before)));
  const row = text.split("\n").find((line) => line.includes("direct"));
  assertEquals(row?.split(/\s{2,}/), [
    ...["5 nodes, fsync", "push", "64 MiB", "1", "direct", "4.00", "2.00", "+100 %", "-50 %"],
    ...["0 %", "0 %"],
  ]);
});

Deno.test("parseReport() refuses what is no report", () => {
  for (const text of ["", "{}", "[]", '{"schema":2,"rings":[]}']) {
    assertThrows(() => parseReport(text), SyntaxError);
  }
});
