import { assertEquals } from "@std/assert";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  plural,
} from "../../../src/gateway/dashboard/page/model/format.js";

const pure = { permissions: "none" } as const;

Deno.test("formatBytes() keeps three digits and knows where a unit ends", pure, () => {
  const kib = 1024;
  const cases: [number, string][] = [
    [0, "0 B"],
    [1, "1 B"],
    [1023, "1023 B"],
    [kib, "1 KiB"],
    [1500, "1.46 KiB"],
    [15_000, "14.6 KiB"],
    [150_000, "146 KiB"],
    [kib ** 2 - 1, "1 MiB"],
    [1.5 * kib ** 3, "1.50 GiB"],
    [Number.MAX_SAFE_INTEGER, "8 PiB"],
    [NaN, "–"],
    [-5, "0 B"],
  ];
  for (const [bytes, text] of cases) assertEquals(formatBytes(bytes), text, String(bytes));
});

Deno.test("formatCount() and plural() write numbers for people", pure, () => {
  assertEquals([0, 999, 1_000, 1_234_567].map(formatCount), ["0", "999", "1,000", "1,234,567"]);
  assertEquals([0, 1, 2].map((count) => plural(count, "part")), ["0 parts", "1 part", "2 parts"]);
});

Deno.test("formatDuration() tells the two largest units", pure, () => {
  const cases: [number, string][] = [
    [0.4, "0 s"],
    [59.9, "59 s"],
    [60, "1 min"],
    [3_599, "59 min"],
    [3_600, "1 h"],
    [11_520, "3 h 12 min"],
    [86_400, "1 d"],
    [100_000, "1 d 3 h"],
    [NaN, "–"],
  ];
  for (const [seconds, text] of cases) assertEquals(formatDuration(seconds), text);
});

Deno.test("formatAge() is rough, and never negative", pure, () => {
  const nowMs = 1_700_000_000_000;
  const ages = [-3_000, 9_000, 31_000, 61_000, 7_300_000].map((ms) => formatAge(nowMs - ms, nowMs));
  assertEquals(ages, ["just now", "just now", "30 s ago", "1 min ago", "2 h ago"]);
  assertEquals(formatAge(NaN, nowMs), "–");
});
