import { assert, assertEquals, assertThrows } from "@std/assert";
import { blockBytes, copiesMax } from "../../src/protocol/limits.ts";
import { partLengths } from "../../src/protocol/names.ts";
import type { FileRecord, StoredFile } from "../../src/protocol/record.ts";
import { formatRecord, parseRecord } from "../../src/protocol/record_codec.ts";
import { nextVersion } from "../../src/protocol/ulid.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { local, nasty, randomName } from "./samples.ts";

const pure = { permissions: "none" } as const;

function randomFile(random: SeededRandom): StoredFile {
  const parts = 1 + random.integer(6);
  const copies = 1 + random.integer(Math.min(parts, copiesMax));
  const size = random.pick([0, 3, 100, random.integer(5 * blockBytes), 3 * blockBytes * parts]);
  const foreign = random.integer(4) === 0;
  return {
    kind: "file",
    name: randomName(random),
    version: nextVersion(random.integer(2 ** 40), random.bytes(10), undefined),
    pushId: foreign
      ? "foreign-1"
      : nextVersion(random.integer(2 ** 40), random.bytes(10), undefined),
    size,
    sha256: foreign ? "" : "0123456789abcdef".repeat(4),
    start: local(7000),
    timeMs: random.integer(2 ** 41),
    foreign,
    placement: partLengths(size, parts).map((length, part) => ({
      nodes: Array.from({ length: copies }, (_, k) => local(7000 + (part + parts - k) % parts)),
      length,
      checksums: foreign ? "" : "00c0ffee".repeat(Math.ceil(length / blockBytes)),
    })),
  };
}

function fileText(change: Record<string, unknown>): string {
  const file = randomFile(new SeededRandom(3));
  return JSON.stringify({ ...file, ...change });
}

Deno.test("parseRecord() is inverse to formatRecord()", pure, () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new SeededRandom(seed);
    const file = randomFile(random);
    const { name, version, pushId, timeMs } = file;
    const records: FileRecord[] = [file, { kind: "tombstone", name, version, pushId, timeMs }];
    for (const record of records) {
      const line = formatRecord(record);
      assert(!/[\r\n]/.test(line), `seed ${seed}`);
      assertEquals(parseRecord(line), record, `seed ${seed}`);
      assertEquals(formatRecord(parseRecord(line)), line, `seed ${seed}`);
    }
  }
});

Deno.test("formatRecord() gives equal records one text, and nothing that is no field", pure, () => {
  const file = randomFile(new SeededRandom(7));
  const shuffled = Object.fromEntries(Object.entries({ ...file, note: "x" }).reverse());
  assertEquals(formatRecord(shuffled as unknown as FileRecord), formatRecord(file));
});

Deno.test("parseRecord() refuses what is no record", pure, () => {
  const texts = [
    "",
    "{",
    "null",
    "1",
    "[]",
    '"file"',
    "{}",
    '{"kind":"directory"}',
    '{"kind":"file"}',
  ];
  for (const text of texts) assertThrows(() => parseRecord(text), SyntaxError, undefined, text);
});

Deno.test("parseRecord() names the field that is wrong", pure, () => {
  const refuses = (change: Record<string, unknown>, message: string) => {
    assertThrows(() => parseRecord(fileText(change)), SyntaxError, message);
  };
  parseRecord(fileText({}));
  refuses({ name: "a/b" }, "'name' is not normalised");
  refuses({ name: ".." }, "'name' is not normalised");
  refuses({ name: undefined }, "'name' is no text");
  refuses({ version: "1" }, "'version' is no ULID");
  refuses({ pushId: "../x" }, "'pushId' is no id");
  refuses({ size: -1 }, "'size' is no count");
  refuses({ size: 1.5 }, "'size' is no count");
  refuses({ size: "1" }, "'size' is no count");
  refuses({ timeMs: 1e300 }, "'timeMs' is no count");
  refuses({ sha256: "AB".repeat(32) }, "'sha256' is not 64 hex digits");
  refuses({ sha256: "" }, "'sha256' is not 64 hex digits");
  refuses({ start: "7000" }, "'7000' is no address");
  refuses({ start: "LOCALHOST:1" }, "is no address");
  refuses({ foreign: 0 }, "'foreign' is neither true nor false");
  refuses({ placement: [] }, "'placement' is no list of 1 to 10000");
  refuses({ placement: {} }, "'placement' is no list");
  refuses({ placement: [null] }, "part 0 is no object");
  refuses({ extra: 1 }, "'extra' is unknown");
});

Deno.test("parseRecord() refuses parts that do not make the file", pure, () => {
  const part = { nodes: [local(7000), local(7001)], length: 5, checksums: "00c0ffee" };
  const refuses = (placement: unknown, message: string) => {
    assertThrows(
      () => parseRecord(fileText({ size: 5, foreign: false, placement })),
      SyntaxError,
      message,
    );
  };
  parseRecord(fileText({ size: 5, foreign: false, placement: [part] }));
  refuses([{ ...part, length: 4 }], "part 0 of 1 has 4 of 5 bytes");
  refuses([part, part], "part 0 of 2 has 5 of 5 bytes");
  refuses([{ ...part, checksums: "" }], "has 0 checksums");
  refuses([{ ...part, checksums: "00c0ffe" }], "checksums");
  refuses([{ ...part, checksums: "00C0FFEE" }], "'checksums' is not hex digits");
  refuses([{ ...part, nodes: [] }], "'nodes' is no list of 1 to 4");
  refuses([{ ...part, nodes: [local(1), local(1)] }], "a part lies twice on one node");
  refuses([{ ...part, nodes: [1] }], "'address' is no text");
  refuses([{ ...part, more: 1 }], "'more' is unknown");
});

Deno.test("parseRecord() throws nothing but SyntaxError, whatever the text", pure, () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const random = new SeededRandom(seed);
    const units = [...formatRecord(randomFile(random))];
    for (let i = random.integer(3); i >= 0; i--) {
      const junk = random.pick([...nasty, "null", "{}", "[]", "1e999", '"'])!;
      units.splice(random.integer(units.length), random.integer(8), junk);
    }
    try {
      const record = parseRecord(units.join(""));
      assertEquals(parseRecord(formatRecord(record)), record, `seed ${seed}`);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
