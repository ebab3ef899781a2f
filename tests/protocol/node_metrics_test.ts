import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  durationBounds,
  formatMetrics,
  metricsBytesMax,
  noCounts,
  type NodeMetrics,
  noDurations,
  operations,
  parseMetrics,
} from "../../src/protocol/node_metrics.ts";

const pure = { permissions: "none" } as const;

/** Metrics in which no two numbers are the same. */
function distinctMetrics(): NodeMetrics {
  let last = 0;
  const fill = (like: unknown): unknown => {
    if (typeof like === "number") return ++last;
    if (typeof like === "string") return `text ${++last}`;
    if (Array.isArray(like)) return like.map(fill);
    return Object.fromEntries(Object.entries(like ?? {}).map(([key, each]) => [key, fill(each)]));
  };
  const counted = Object.fromEntries(operations.map((operation) => [operation, noCounts()]));
  return fill({ ...parseMetrics("{}"), operations: counted }) as NodeMetrics;
}

Deno.test("parseMetrics() reads what formatMetrics() writes", pure, () => {
  const metrics = distinctMetrics();
  const text = formatMetrics(metrics);
  assertEquals(parseMetrics(text), metrics);
  assert(text.length < metricsBytesMax / 4);
  assert(text.includes('"push"'));
});

Deno.test("parseMetrics() takes what another version of the program writes", pure, () => {
  const metrics = parseMetrics('{"run":"a","new":{"x":1},"operations":{"dance":1,"push":{}}}');
  assertEquals(metrics.run, "a");
  assertEquals(metrics.operations, { push: noCounts() });
  assertEquals(metrics.repair.checked, 0);
});

Deno.test("parseMetrics() refuses what is none", pure, () => {
  const bad = [
    ...["", "[]", "7", "null", '{"pid":-1}', '{"pid":"7"}', '{"pid":1e999}', '{"run":7}'],
    ...['{"disk":7}', '{"disk":[]}', '{"operations":{"push":7}}'],
    `{"run":"${"x".repeat(1000)}"}`,
    '{"healing":{"durations":{"count":0,"sum":0,"classes":[1,2]}}}',
  ];
  for (const text of bad) assertThrows(() => parseMetrics(text), SyntaxError, undefined, text);
});

Deno.test("durationBounds ascend, and a class more takes the longest", pure, () => {
  assertEquals(durationBounds.toSorted((a, b) => a - b), [...durationBounds]);
  assertEquals(noDurations().classes.length, durationBounds.length + 1);
});
