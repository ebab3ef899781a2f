import { assert, assertEquals } from "@std/assert";
import { listJson, listTable } from "../../src/cli/list.ts";
import { TerminalProgress } from "../../src/cli/progress.ts";
import { progressLine, type ProgressView } from "../../src/cli/progress_line.ts";
import { inRingOrder, type NodeReport } from "../../src/cli/ring_report.ts";
import { ringScreen } from "../../src/cli/ring_screen.ts";
import { paintAnsi, paintNothing } from "../../src/cli/terminal.ts";
import { textWidth } from "../../src/cli/text_width.ts";
import { formatAddress } from "../../src/protocol/address.ts";
import { FakeClock } from "../support/fake_clock.ts";

const pure = { permissions: "none" } as const;
const mebibyte = 1024 ** 2;

const half: ProgressView = {
  name: "holiday.mp4",
  doneBytes: 50 * mebibyte,
  totalBytes: 100 * mebibyte,
  bytesPerSecond: 10 * mebibyte,
  elapsedMs: 5_000,
  atEnd: "storing",
};

Deno.test(
  "progressLine() tells bytes, rate and time left in one line of the terminal",
  pure,
  () => {
    const bar = "━".repeat(11) + "─".repeat(12);
    assertEquals(
      progressLine(half, 80),
      `holiday.mp4  50% ${bar}   50.0/100.0 MiB   10.0 MiB/s     0:05`,
    );
    const views: ProgressView[] = [
      half,
      { ...half, name: "日本".repeat(40) },
      { ...half, doneBytes: 0, bytesPerSecond: undefined },
      { ...half, doneBytes: 0, bytesPerSecond: 0 },
      { ...half, totalBytes: 0, doneBytes: 0 },
      { ...half, totalBytes: undefined },
      { ...half, totalBytes: 2 ** 50, bytesPerSecond: 1 },
    ];
    for (const columns of [200, 80, 60, 40]) {
      for (const view of views) {
        const line = progressLine(view, columns);
        assert(textWidth(line) < columns, `${columns}: ${line}`);
      }
    }
    assert(progressLine({ ...half, doneBytes: 100 * mebibyte }, 80).endsWith("storing"));
  },
);

Deno.test("TerminalProgress draws what lasts, with the rate of the last seconds, and cleans up", async () => {
  const clock = new FakeClock();
  let written = "";
  const progress = new TerminalProgress({
    clock,
    name: "a\x1b[2J",
    atEnd: "",
    columns: () => 80,
    write: (text) => written += text,
  });
  progress.setTotal(100 * mebibyte);
  await clock.advance(250);
  assertEquals(written, "");
  for (let second = 1; second <= 8; second++) {
    // Slow at first, then 10 MiB a second.
    progress.set(second <= 2 ? second : (second - 2) * 10 * mebibyte);
    await clock.advance(1_000);
  }
  const last = written.split("\r").at(-1) ?? "";
  assert(last.startsWith("a�[2J  60% ") && last.endsWith("\x1b[K"), last);
  assert(/ (9|10|11|12)\.\d MiB\/s +0:0[45]/.test(last), last);
  written = "";
  progress[Symbol.dispose]();
  assertEquals(written, "\r\x1b[K");
  await clock.advance(1_000);
  assertEquals(written, "\r\x1b[K");
});

Deno.test(
  "listTable() and listJson() show names that could steer a terminal or break JSON",
  pure,
  () => {
    const start = formatAddress("127.0.0.1", 7000);
    const rows = [
      { name: "a\x1b[2J.txt", start, size: 1_536 },
      { name: `${"long".repeat(30)}.bin`, start, size: 1 },
    ];
    const look = { columns: () => 60, paint: paintNothing, hostname: "127.0.0.1" };
    const text = listTable(rows, look);
    assertEquals(text.split("\n")[1], "1.5 KiB  7000       a�[2J.txt");
    for (const line of text.split("\n")) assert(textWidth(line) <= 60, line);
    assert(text.endsWith("\n2 files, 1.5 KiB\n"));
    assertEquals(listTable([], look), "no files\n");
    assertEquals(JSON.parse(listJson(rows)), rows);
    assertEquals(listJson([]), "[]\n");
  },
);

/** A ring of so many nodes; the second is dead, the third not ready. */
function reportsOf(count: number): NodeReport[] {
  return Array.from({ length: count }, (_, index): NodeReport => {
    const address = formatAddress("127.0.0.1", 7000 + index);
    if (index === 1) return { address, status: "Dead" };
    const state = index === 2 ? "catching up" : "ready";
    return { address, status: "Alive", state, files: 2, chunks: 4, storedBytes: 10 };
  });
}

Deno.test("ringScreen() draws every node once, clockwise, within the terminal", pure, () => {
  const columns = () => 80;
  for (const count of [1, 2, 3, 5, 8, 13, 20, 41, 60]) {
    const lines = ringScreen(reportsOf(count), { columns, paint: paintNothing });
    const picture = lines.slice(0, lines.findIndex((line) => line.startsWith("NODE")));
    for (const line of lines) assert(textWidth(line) < 80, line);
    const shown = picture.join("\n").match(/[●◐✗] 7\d{3}|7\d{3} [●◐✗]/g) ?? [];
    const expected = Array.from({ length: count }, (_, index) => String(7000 + index));
    assertEquals(shown.map((text) => /\d+/.exec(text)?.[0]).sort(), expected);
    assertEquals(picture.join("").includes("✗ 7001"), count > 1);
    assertEquals(lines.filter((line) => line.startsWith("127.0.0.1:")).length, count);
  }
  const five = ringScreen(reportsOf(5), { columns, paint: paintNothing });
  assert(/● 7000 ─+▸ ✗ 7001 ─+▸ ◐ 7002/.test(five.join("\n")), five.join("\n"));
  assert(/● 7004 ◂─+ ● 7003 ◂/.test(five.join("\n")), five.join("\n"));
  assert(five.some((line) => line.includes("  5 nodes, 1 Dead  ")));
});

Deno.test("ringScreen() colours nothing but signs and words, and fits into few lines", pure, () => {
  const columns = () => 80;
  const [painted, plain] = [paintAnsi, paintNothing].map((paint) =>
    ringScreen(reportsOf(5), { columns, paint })
  );
  // deno-lint-ignore no-control-regex -- this is what colours are made of
  assertEquals(painted?.map((line) => line.replace(/\x1b\[\d+m/g, "")), plain);
  for (const [count, rows] of [[5, 20], [5, 9], [5, 7], [5, 4], [60, 20], [100, 5]] as const) {
    const lines = ringScreen(reportsOf(count), { columns, paint: paintNothing }, rows);
    assert(lines.length <= rows, `${count} nodes in ${rows} lines: ${lines.length}`);
  }
  assert(
    ringScreen(reportsOf(100), { columns, paint: paintNothing }, 5).join().includes("7001  Dead"),
  );
  assertEquals(ringScreen([], { columns, paint: paintNothing }), ["a node that is in no ring yet"]);
});

Deno.test("inRingOrder() follows the ring where it is known as a whole", pure, () => {
  const report = (port: number, next?: number): NodeReport => ({
    address: formatAddress("127.0.0.1", port),
    status: next === undefined ? "Dead" : "Alive",
    ...(next !== undefined && { next: `127.0.0.1:${next}` }),
  });
  const ports = (reports: NodeReport[]) =>
    inRingOrder(reports).map(({ address }) => Number(address.split(":")[1]));
  assertEquals(ports([report(1, 3), report(2, 1), report(3, 2)]), [1, 3, 2]);
  assertEquals(ports([report(1, 3), report(2), report(3, 1)]), [1, 2, 3]);
  assertEquals(ports([]), []);
});
