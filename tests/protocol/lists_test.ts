import { assert, assertEquals } from "@std/assert";
import { formatAddress } from "../../src/protocol/address.ts";
import { ringNodesMax } from "../../src/protocol/limits.ts";
import {
  formatEntries,
  formatHistory,
  formatNode,
  formatTags,
  parseEntries,
  parseHistory,
  parseNode,
  parseTags,
} from "../../src/protocol/lists.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { local, nasty } from "./samples.ts";

const pure = { permissions: "none" } as const;

Deno.test("formatNode() writes a bare port on the list's own host only", pure, () => {
  const other = formatAddress("10.0.0.2", 7000);
  assertEquals(formatNode(local(7000)), "7000");
  assertEquals(formatNode(other), "10.0.0.2:7000");
  assertEquals(formatNode(other, { hostname: "10.0.0.2" }), "7000");
  assertEquals(formatNode(local(7000), { hostname: "10.0.0.2" }), "127.0.0.1:7000");
  assertEquals(parseNode("7000", { hostname: "::1" }) as string, "[::1]:7000");
  assertEquals(formatNode(formatAddress("::1", 7000), { hostname: "::1" }), "7000");
});

Deno.test("lists may be empty, and empty items are passed over", pure, () => {
  assertEquals(parseHistory(""), []);
  assertEquals(parseEntries(""), []);
  assertEquals(parseTags(""), []);
  assertEquals(formatHistory([]) + formatEntries([]) + formatTags([]), "");
  assertEquals(parseHistory(";7000->7001;;")?.length, 1);
  assertEquals(parseEntries("7000=Dead,,")?.length, 1);
  assertEquals(parseTags("a:1:2:3;")?.length, 1);
});

Deno.test("parseHistory() and parseEntries() refuse what is none", pure, () => {
  for (
    const text of [
      "7000",
      "7000->",
      "->7000",
      "7000->7001->7002",
      "7000->7001,7001->7002",
      "x->y",
      "0->1",
    ]
  ) {
    assertEquals(parseHistory(text), undefined, text);
  }
  for (
    const text of [
      "7000",
      "7000=",
      "=Alive",
      "7000=alive",
      "7000=Alive;7001=Dead",
      "7000=Alive=Dead",
      "65536=Dead",
    ]
  ) {
    assertEquals(parseEntries(text), undefined, text);
  }
});

Deno.test("parseHistory() and parseEntries() are bounded", pure, () => {
  assertEquals(parseHistory("1->2;".repeat(ringNodesMax))?.length, ringNodesMax);
  assertEquals(parseHistory("1->2;".repeat(ringNodesMax + 1)), undefined);
  assertEquals(parseEntries("1=Dead,".repeat(ringNodesMax + 1)), undefined);
});

Deno.test("parseTags() refuses what is malformed and skips names it cannot keep", pure, () => {
  for (
    const text of [
      "a",
      "a:1",
      "a:1:2",
      "a:1:2:",
      "a:1:2:0",
      "a:1:2:10001",
      "a:0:2:3",
      "a:1:-2:3",
      ":",
      "::",
      ":::",
      "a:b:c:1:2:3",
    ]
  ) {
    assertEquals(parseTags(text), undefined, text);
  }
  const tags = parseTags(`${"x".repeat(201)}:7000:1:1;..:7000:1:1;:7000:1:1;b:7000:1:1`);
  assertEquals(tags?.map((tag) => tag.name), ["b"]);
});

Deno.test("parseTags() takes a start on another host", pure, () => {
  const tags = parseTags("a,b=c->d.txt:10.0.0.2:7000:5:2;b:[::1]:7000:5:2");
  assertEquals(tags?.map((tag) => [tag.name, tag.start as string]), [
    ["a,b=c->d.txt", "10.0.0.2:7000"],
    ["b", "[::1]:7000"],
  ]);
});

Deno.test("parse functions of lists never throw, and what they take is canonical", pure, () => {
  for (let seed = 1; seed <= 5000; seed++) {
    const text = new SeededRandom(seed).text([...nasty, "1", "7000", "->", "=Dead"], 12);
    const history = parseHistory(text);
    const entries = parseEntries(text);
    const tags = parseTags(text);
    const message = `seed ${seed}`;
    if (history !== undefined) assertEquals(parseHistory(formatHistory(history)), history, message);
    if (entries !== undefined) assertEquals(parseEntries(formatEntries(entries)), entries, message);
    if (tags !== undefined) assertEquals(parseTags(formatTags(tags)), tags, message);
  }
});

Deno.test("parseTags() reads 100,000 files at once", pure, () => {
  const files = Array.from({ length: 100_000 }, (_, i) => ({
    name: `file-${i}.txt`,
    start: local(7000 + i % 5),
    size: i,
    parts: 5,
  }));
  const startedMs = performance.now();
  assertEquals(parseTags(formatTags(files))?.length, files.length);
  assert(performance.now() - startedMs < 3_000);
});
