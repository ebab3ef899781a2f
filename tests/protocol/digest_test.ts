import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  bucketCount,
  bucketOf,
  CatalogDigest,
  differingBuckets,
  digestBytes,
} from "../../src/protocol/digest.ts";

const pure = { permissions: "none" } as const;
const version = "01HF7YAT000000000000000000";
const empty = "0".repeat(16);

function digestOf(names: readonly string[]): CatalogDigest {
  const digest = new CatalogDigest();
  for (const name of names) digest.toggle(name, version);
  return digest;
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `file-${i}.txt`);
}

Deno.test("CatalogDigest never changes what it gives: it is part of the wire", pure, () => {
  const digest = digestOf(["a.txt"]);
  assertEquals(digest.root(), "2f7aff7c3906809f");
  assertEquals(bucketOf("a.txt"), 1023);
  assertEquals(bucketOf(""), 119);
});

Deno.test("CatalogDigest does not depend on the order of changes", pure, () => {
  const all = names(1000);
  const forwards = digestOf(all);
  const backwards = digestOf(all.toReversed());
  assertEquals(forwards.root(), backwards.root());
  assertEquals(forwards.encodeBuckets(), backwards.encodeBuckets());
});

Deno.test("CatalogDigest.toggle() twice forgets the record and gives its bucket", pure, () => {
  const digest = digestOf([]);
  assertEquals(digest.root(), empty);
  for (const name of names(100)) assertEquals(digest.toggle(name, version), bucketOf(name));
  assertNotEquals(digest.root(), empty);
  for (const name of names(100)) digest.toggle(name, version);
  assertEquals(digest.root(), empty);
  assertEquals(digest.encodeBuckets(), new Uint8Array(digestBytes));
});

Deno.test("CatalogDigest tells versions, names and their border apart", pure, () => {
  const roots = new Set<string>();
  const pairs = [["a", "b"], ["b", "a"], ["ab", ""], ["", "ab"], ["a", "c"], ["ü", "b"], [
    "漢",
    "b",
  ]];
  for (const [name = "", of = ""] of pairs) {
    const digest = new CatalogDigest();
    digest.toggle(name, of);
    roots.add(digest.root());
  }
  assertEquals(roots.size, pairs.length);
});

Deno.test("CatalogDigest sees two records swap versions", pure, () => {
  const [one, two] = [new CatalogDigest(), new CatalogDigest()];
  one.toggle("a", "1");
  one.toggle("b", "2");
  two.toggle("a", "2");
  two.toggle("b", "1");
  assertNotEquals(one.root(), two.root());
});

Deno.test("bucketOf() spreads names evenly", pure, () => {
  const counts = new Array<number>(bucketCount).fill(0);
  for (const name of names(100_000)) counts[bucketOf(name)]! += 1;
  assert(
    Math.min(...counts) > 50 && Math.max(...counts) < 160,
    `${Math.min(...counts)} ${Math.max(...counts)}`,
  );
});

Deno.test("CatalogDigest gives 100,000 records as many roots", pure, () => {
  const digest = new CatalogDigest();
  const roots = new Set<string>();
  for (const name of names(100_000)) {
    digest.toggle(name, version);
    roots.add(digest.root());
    digest.toggle(name, version);
  }
  assertEquals(roots.size, 100_000);
});

Deno.test("differingBuckets() gives just the buckets of what differs", pure, () => {
  const mine = digestOf(names(5000));
  const theirs = digestOf(names(5000));
  theirs.toggle("file-17.txt", version);
  theirs.toggle("new", version);
  const expected = [...new Set([bucketOf("file-17.txt"), bucketOf("new")])].sort((a, b) => a - b);
  assertEquals(differingBuckets(mine.encodeBuckets(), theirs.encodeBuckets()), expected);
  assertEquals(differingBuckets(mine.encodeBuckets(), mine.encodeBuckets()), []);
  // A view into a longer buffer, as a reader gives one.
  const framed = new Uint8Array(digestBytes + 3);
  framed.set(theirs.encodeBuckets(), 3);
  assertEquals(differingBuckets(mine.encodeBuckets(), framed.subarray(3)), expected);
});

Deno.test("differingBuckets() refuses another length", pure, () => {
  const whole = new Uint8Array(digestBytes);
  assertThrows(() => differingBuckets(whole, whole.subarray(1)), RangeError, "8191 bytes");
});

Deno.test("CatalogDigest takes 100,000 records in well under a second", pure, () => {
  const all = names(100_000);
  const startedMs = performance.now();
  digestOf(all);
  assert(performance.now() - startedMs < 1_000);
});
