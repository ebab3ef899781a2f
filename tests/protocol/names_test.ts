import { assert, assertEquals } from "@std/assert";
import { nameBytesMax, partsMax } from "../../src/protocol/limits.ts";
import {
  chunkName,
  compareNames,
  isId,
  normalizeChunk,
  normalizeName,
  parseChunkName,
  partLengths,
  partOffset,
  quote,
  utf8Bytes,
} from "../../src/protocol/names.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { nasty } from "./samples.ts";

const pure = { permissions: "none" } as const;
const encoder = new TextEncoder();

Deno.test("normalizeName() keeps what follows the last slash", pure, () => {
  const cases = [
    ["a.txt", "a.txt"],
    ["/a/b/c.txt", "c.txt"],
    ["../../x", "x"],
    [" a b ", " a b "],
    ["...", "..."],
    [".hidden", ".hidden"],
    ['a "b", c', 'a "b", c'],
    ["a\\b\0c:d|e;f\ng\rh", "a_b_c_d_e_f_g_h"],
    ["..\\..\\x", ".._.._x"],
    ["\uD800", "\uFFFD"],
    ["ü漢\u{1F600}", "ü漢\u{1F600}"],
  ] as const;
  for (const [raw, name] of cases) assertEquals(normalizeName(raw), { ok: true, name });
});

Deno.test("normalizeName() refuses '.', '..' and an empty name", pure, () => {
  for (const raw of ["", ".", "..", "/", "a/", "a/.", "/../.."]) {
    assertEquals(normalizeName(raw), { ok: false, error: `invalid file name '${raw}'` });
  }
});

Deno.test("normalizeName() counts bytes of UTF-8, not characters", pure, () => {
  assert(normalizeName("a".repeat(200)).ok);
  assert(normalizeName("é".repeat(100)).ok);
  assert(normalizeName("\u{1F600}".repeat(50)).ok);
  assert(normalizeName(`${"x".repeat(5000)}/a`).ok);
  const tooLong = (bytes: number) => ({
    ok: false,
    error: `file name too long (${bytes} > 200 bytes)`,
  } as const);
  assertEquals(normalizeName("a".repeat(201)), tooLong(201));
  assertEquals(normalizeName("é".repeat(308)), tooLong(616));
  assertEquals(normalizeName("漢".repeat(67)), tooLong(201));
  assertEquals(normalizeName("\u{1F600}".repeat(51)), tooLong(204));
});

Deno.test("normalizeName() gives a plain file name that it does not change again", pure, () => {
  for (let seed = 1; seed <= 5000; seed++) {
    const result = normalizeName(new SeededRandom(seed).text(nasty, 90));
    if (!result.ok) continue;
    const { name } = result;
    const message = `seed ${seed}: ${name}`;
    assertEquals(normalizeName(name), result, message);
    assert(!/[\\/:|;\n\r\0]/.test(name) && name.isWellFormed(), message);
    assert(name !== "" && name !== "." && name !== "..", message);
    assert(encoder.encode(name).length <= nameBytesMax, message);
  }
});

Deno.test("utf8Bytes() counts as the encoder does", pure, () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const text = new SeededRandom(seed).text([...nasty, "\uDC00"], 30);
    assertEquals(utf8Bytes(text), encoder.encode(text).length, `seed ${seed}`);
  }
});

Deno.test("parseChunkName() and chunkName() are inverse", pure, () => {
  for (const parts of [1, 9, 10, 99, 100, 999, 1000, partsMax]) {
    for (const part of [0, parts >> 1, parts - 1]) {
      const name = "a.part-001-of-002";
      assertEquals(parseChunkName(chunkName(name, part, parts)), { name, part, parts });
    }
  }
  assertEquals(chunkName("a", 999, 1000), "a.part-1000-of-1000");
});

Deno.test("parseChunkName() takes one spelling only", pure, () => {
  const wrong = ["", "a", ".part-001-of-001", "a.part-000-of-001", "a.part-002-of-001"];
  wrong.push(
    "a.part-1-of-1",
    "a.part-0001-of-0001",
    "a.part-001-of-10001",
    "a.part-001-of-005 ",
    "a.part-001-of-",
  );
  for (const chunk of wrong) assertEquals(parseChunkName(chunk), undefined, chunk);
});

Deno.test("normalizeChunk() normalises the file's name", pure, () => {
  assertEquals(normalizeChunk("x/a;b.part-001-of-001"), { ok: true, name: "a_b.part-001-of-001" });
  assert(!normalizeChunk("a/.part-001-of-001").ok);
  assert(!normalizeChunk("...part-001-of-001").ok);
  assert(!normalizeChunk(`${"a".repeat(201)}.part-001-of-001`).ok);
  const longest = normalizeChunk(chunkName("a".repeat(200), partsMax - 1, partsMax));
  assert(longest.ok && longest.name.length <= 255);
});

Deno.test("partLengths() adds up, and partOffset() agrees with it", pure, () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const size = random.pick([0, random.integer(50), random.integer(1e9), Number.MAX_SAFE_INTEGER]);
    const parts = 1 + random.integer(random.pick([5, 100]));
    const lengths = partLengths(size, parts);
    let offset = 0;
    lengths.forEach((length, part) => {
      assertEquals(partOffset(size, parts, part), offset, `seed ${seed}`);
      offset += length;
    });
    assertEquals(offset, size, `seed ${seed}`);
    assertEquals(partOffset(size, parts, parts), size, `seed ${seed}`);
    assert(Math.max(...lengths) - Math.min(...lengths) <= 1, `seed ${seed}`);
  }
  assertEquals(partLengths(3, 5), [1, 1, 1, 0, 0]);
  // Here size / parts is rounded up to the next integer.
  const parts = partsMax - 1;
  const size = Number.MAX_SAFE_INTEGER - (Number.MAX_SAFE_INTEGER % parts) - 1;
  assertEquals(partOffset(size, parts, parts), size);
  assertEquals(partLengths(size, parts).reduce((sum, length) => sum + length, 0), size);
});

Deno.test("compareNames() orders by bytes of UTF-8", pure, () => {
  const units = [...nasty, "\uE000", "\uFFFF", "\u{10000}", "\u{10FFFF}"];
  const byBytes = (a: string, b: string) => {
    const bytesA = encoder.encode(a);
    const bytesB = encoder.encode(b);
    const at = bytesA.findIndex((byte, i) => byte !== bytesB[i]);
    return at < 0 ? bytesA.length - bytesB.length : (bytesA[at] ?? 0) - (bytesB[at] ?? -1);
  };
  for (let seed = 1; seed <= 5000; seed++) {
    const random = new SeededRandom(seed);
    const [a, b] = [random.text(units, 4), random.text(units, 4)].map((text) =>
      text.toWellFormed()
    );
    const order = Math.sign(compareNames(a ?? "", b ?? ""));
    assertEquals(order, Math.sign(byBytes(a ?? "", b ?? "")), `seed ${seed}: ${a} ${b}`);
  }
});

Deno.test("isId() takes what is safe as a file name", pure, () => {
  for (const id of ["a", "-", "foreign-1_2", "A".repeat(64)]) assert(isId(id), id);
  for (const id of ["", ".", "..", "a/b", "a b", "a.b", "é", "a\n", "A".repeat(65)]) {
    assert(!isId(id), id);
  }
});

Deno.test("quote() shows no control characters and not much", pure, () => {
  assertEquals(quote("a\tb\x9bc"), "'a?b?c'");
  assertEquals(quote("x".repeat(100)), `'${"x".repeat(80)}…'`);
  assert(quote(`${"x".repeat(79)}\u{1F600}`).isWellFormed());
});
