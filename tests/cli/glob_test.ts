import { assertEquals } from "@std/assert";
import { globMatcher, isPattern } from "../../src/cli/glob.ts";

const pure = { permissions: "none" } as const;

Deno.test("globMatcher() knows stars, marks and sets, and takes all else as it is", pure, () => {
  const cases: [string, string[], string[]][] = [
    ["*.txt", ["a.txt", ".txt", "a.b.txt"], ["a.txt2", "txt"]],
    ["a*b*c", ["abc", "aXbYc", "abcbc"], ["ab", "acb", "abcd"]],
    ["?.t", ["a.t", "日.t", "🙂.t"], [".t", "ab.t"]],
    ["[a-cx].t", ["a.t", "c.t", "x.t"], ["d.t", "-.t"]],
    ["[!a-c]", ["d", "é"], ["a", "dd"]],
    ["[^a]", ["b"], ["a"]],
    ["[]x]", ["]", "x"], ["[]x]"]],
    ["a[1", ["a[1"], ["a1"]],
    ["[a-]", ["a", "-"], ["b"]],
    ["**", ["", "a"], []],
    ["a.+(b)|c\\", ["a.+(b)|c\\"], ["aab"]],
    ["", [""], ["a"]],
  ];
  for (const [pattern, good, bad] of cases) {
    const matches = globMatcher(pattern);
    for (const name of good) assertEquals(matches(name), true, `${pattern} ${name}`);
    for (const name of bad) assertEquals(matches(name), false, `${pattern} ${name}`);
  }
});

Deno.test("globMatcher() takes no longer for a pattern that is made to take long", pure, () => {
  const startMs = performance.now();
  assertEquals(globMatcher("*a".repeat(60) + "b")("a".repeat(200)), false);
  // Backtracking over every star would take longer than the universe has been there.
  assertEquals(performance.now() - startMs < 1_000, true);
});

Deno.test("isPattern() looks for the signs only", pure, () => {
  assertEquals(["a", "a]", "*", "a?", "[a"].map(isPattern), [false, false, true, true, true]);
});
