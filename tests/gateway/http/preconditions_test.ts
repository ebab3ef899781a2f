import { assertEquals, assertThrows } from "@std/assert";
import { parseEntityTags } from "../../../src/gateway/http/entity_tags.ts";
import {
  httpDate,
  rangeApplies,
  readOutcome,
  unmodifiedSinceMs,
  writeCondition,
} from "../../../src/gateway/http/preconditions.ts";
import { Problem } from "../../../src/gateway/http/problem.ts";
import { contentRange, parseRange, rangesMax } from "../../../src/gateway/http/ranges.ts";

const pure = { permissions: "none" } as const;
const version = "01HF7YAT000000000000000000";
const other = "01HF7YAT000000000000000001";
const timeMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const validators = { version, timeMs };
const then = httpDate(timeMs);
const earlier = httpDate(timeMs - 1_000);

Deno.test("parseEntityTags() reads lists, also with empty members", pure, () => {
  assertEquals(parseEntityTags(' "a" ,, W/"b" , '), [
    { weak: false, value: "a" },
    { weak: true, value: "b" },
  ]);
  for (const header of ["", ",", "a", '"a', '"a" "b"', 'w/"a"', '"a\tb"', '*, "a"']) {
    assertEquals(parseEntityTags(header), undefined, header);
  }
  assertEquals(parseEntityTags('"a",'.repeat(65)), undefined);
});

Deno.test("readOutcome() follows the order of RFC 9110", pure, () => {
  const rows: [Record<string, string>, number][] = [
    [{}, 200],
    [{ "if-match": `"${version}"` }, 200],
    [{ "if-match": `"${other}", "${version}"` }, 200],
    [{ "if-match": "*" }, 200],
    [{ "if-match": `W/"${version}"` }, 412],
    [{ "if-match": `"${other}"` }, 412],
    [{ "if-match": `"${version}"`, "if-unmodified-since": earlier }, 200],
    [{ "if-unmodified-since": then }, 200],
    [{ "if-unmodified-since": earlier }, 412],
    [{ "if-unmodified-since": "yesterday" }, 200],
    [{ "if-none-match": `"${version}"` }, 304],
    [{ "if-none-match": `W/"${version}"` }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": `"${other}"` }, 200],
    [{ "if-none-match": `"${other}"`, "if-modified-since": then }, 200],
    [{ "if-modified-since": then }, 304],
    [{ "if-modified-since": earlier }, 200],
    [{ "if-modified-since": "never" }, 200],
    [{ "if-match": `"${other}"`, "if-none-match": `"${version}"` }, 412],
  ];
  for (const [headers, outcome] of rows) {
    assertEquals(readOutcome(new Headers(headers), validators), outcome, JSON.stringify(headers));
  }
  const error = assertThrows(() => readOutcome(new Headers({ "if-match": "x" }), validators));
  assertEquals((error as Problem).status, 400);
});

Deno.test("rangeApplies() takes only what says exactly this version", pure, () => {
  const later = timeMs + 60_000;
  const rows: [string | undefined, boolean][] = [
    [undefined, true],
    [`"${version}"`, true],
    [`"${other}"`, false],
    [`W/"${version}"`, false],
    [then, true],
    [earlier, false],
    [httpDate(timeMs + 1_000), false],
    ["*", false],
  ];
  for (const [ifRange, applies] of rows) {
    const headers = new Headers(ifRange === undefined ? {} : { "if-range": ifRange });
    assertEquals(rangeApplies(headers, validators, later), applies, ifRange ?? "none");
  }
  // Within the second of its making a file may have changed twice.
  assertEquals(rangeApplies(new Headers({ "if-range": then }), validators, timeMs + 100), false);
});

Deno.test("writeCondition() turns headers into what the ring is asked", pure, () => {
  const of = (headers: Record<string, string>) => writeCondition(new Headers(headers));
  assertEquals(of({}), { kind: "any" });
  assertEquals(of({ "if-match": "*" }), { kind: "present" });
  assertEquals(of({ "if-none-match": "*" }), { kind: "absent" });
  assertEquals(of({ "if-match": `"${version}", "x", W/"${other}"` }), {
    kind: "is",
    versions: [version],
  });
  assertEquals(of({ "if-none-match": `"${version}", W/"${other}"` }), {
    kind: "not",
    versions: [version, other],
  });
  assertEquals(of({ "if-none-match": '"x"' }), { kind: "any" });
  const status = (headers: Record<string, string>) => {
    const error = assertThrows(() => of(headers));
    return error instanceof Problem ? error.status : error;
  };
  assertEquals(status({ "if-match": '"x"' }), 412);
  assertEquals(status({ "if-match": `W/"${version}"` }), 412);
  assertEquals(status({ "if-match": version }), 400);
  assertEquals(status({ "if-none-match": "" }), 400);
  assertEquals(status({ "if-match": "*", "if-none-match": "*" }), 400);
  const since = { "if-unmodified-since": then };
  assertEquals(unmodifiedSinceMs(new Headers(since)), Math.floor(timeMs / 1000) * 1000);
  assertEquals(unmodifiedSinceMs(new Headers({ ...since, "if-match": "*" })), undefined);
});

Deno.test("parseRange() reads what RFC 9110 has, and passes over all else", pure, () => {
  const of = (header: string, size = 10) => {
    const range = parseRange(header, size);
    return range.kind === "ranges"
      ? range.ranges.map(({ first, last }) => `${first}-${last}`).join()
      : range.kind;
  };
  const rows: [string, string][] = [
    ["bytes=0-0", "0-0"],
    ["bytes=2-", "2-9"],
    ["bytes=2-99", "2-9"],
    ["BYTES = 2-3", "2-3"],
    ["bytes=-3", "7-9"],
    ["bytes=-99", "0-9"],
    ["bytes=0-1, 4-5 ,-1", "0-1,4-5,9-9"],
    ["bytes=0-1,99-", "0-1"],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=10-,11-12", "unsatisfiable"],
    ["bytes=3-2", "whole"],
    ["bytes=a-b", "whole"],
    ["bytes=1", "whole"],
    ["bytes=1-2-3", "whole"],
    ["bytes=", "whole"],
    ["bytes=-", "whole"],
    ["bytes=1-99999999999999999999", "whole"],
    ["lines=1-2", "whole"],
    // More bytes than there are.
    ["bytes=0-,0-0", "whole"],
    [`bytes=${"0-0,".repeat(rangesMax + 1)}`, "whole"],
  ];
  for (const [header, expected] of rows) assertEquals(of(header), expected, header);
  assertEquals(of("bytes=0-", 0), "unsatisfiable");
  assertEquals(of("bytes=-1", 0), "unsatisfiable");
  assertEquals(parseRange(null, 10), { kind: "whole" });
  assertEquals(contentRange({ first: 2, last: 9 }, 10), "bytes 2-9/10");
});
