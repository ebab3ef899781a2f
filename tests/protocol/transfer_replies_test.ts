import { assertEquals } from "@std/assert";
import {
  formatCondition,
  holds,
  parseCondition,
  type WriteCondition,
} from "../../src/protocol/condition.ts";
import { decodeText, encodeText } from "../../src/protocol/encoded_text.ts";
import { formatFilePage, parseFilePage } from "../../src/protocol/file_page.ts";
import {
  parseRangeHeader,
  parseStoredReply,
  rangeHeader,
  storedReply,
} from "../../src/protocol/transfer_replies.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { local, nasty, randomName } from "./samples.ts";

const pure = { permissions: "none" } as const;
const version = "01HF7YAT000000000000000000";
const other = "01HF7YAT000000000000000001";
const sha256 = "0123456789abcdef".repeat(4);

Deno.test("answers of transfers and pages are inverse to their parse functions", pure, () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const name = randomName(random);
    const size = random.integer(2 ** 40);
    const offset = random.integer(size + 1);
    const count = random.integer(size - offset + 1);
    const sum = random.pick(["", sha256]);
    const header = {
      offset,
      count,
      size,
      version,
      sha256: sum,
      timeMs: random.integer(2 ** 40),
      name,
    };
    assertEquals(parseRangeHeader(rangeHeader(header).slice(0, -1)), header, `seed ${seed}`);
    const stored = { version, sha256, size, replaced: random.pick([true, false]), name };
    assertEquals(parseStoredReply(storedReply(stored).slice(0, -1)), stored, `seed ${seed}`);
    const rows = Array.from({ length: random.integer(4) }, () => ({
      name: randomName(random),
      size,
      version,
      sha256: sum,
      timeMs: header.timeMs,
      parts: 3,
      start: local(7001),
    }));
    assertEquals(parseFilePage(formatFilePage(rows)), rows, `seed ${seed}`);
    const text = random.text([...nasty, "%", "-"], 10).toWellFormed();
    const word = encodeText(text);
    assertEquals([decodeText(word), /[\s\0]|^$/.test(word)], [text, false], `seed ${seed}`);
  }
});

Deno.test("parseRangeHeader() and parseStoredReply() refuse what cannot be", pure, () => {
  for (
    const line of [
      "",
      `RANGE 0 1 1 ${version} - 7`,
      `RANGE 0 1 1 ${version} x 7 a`,
      `RANGE 0 1 1 01 - 7 a`,
      `RANGE 5 5 9 ${version} - 7 a`,
      `RANGE 0 1 99999999999999999 ${version} - 7 a`,
      `RANGE 0 1 1 ${version} - 7 ..`,
      "ERR file not found",
    ]
  ) assertEquals(parseRangeHeader(line), undefined, line);
  for (
    const line of [
      "OK",
      `STORED ${version} ${sha256} 5 perhaps a`,
      `STORED ${version} - 5 new a`,
      `STORED x ${sha256} 5 new a`,
    ]
  ) assertEquals(parseStoredReply(line), undefined, line);
});

Deno.test("parseFilePage() refuses a page that is cut or holds something else", pure, () => {
  const row = { name: "a", size: 1, version, sha256, timeMs: 7, parts: 3, start: local(7000) };
  const text = formatFilePage([row]);
  assertEquals(parseFilePage(text.slice(0, -1)), undefined);
  for (
    const change of [
      { name: "a/b/.." },
      { size: -1 },
      { size: "1" },
      { version: "x" },
      { sha256: "ABC" },
      { timeMs: null },
      { parts: 1.5 },
      { start: "7000" },
    ]
  ) {
    assertEquals(parseFilePage(`${JSON.stringify({ ...row, ...change })}\n`), undefined);
  }
  for (const line of ["null", "[]", "7", "{"]) assertEquals(parseFilePage(`${line}\n`), undefined);
});

Deno.test("holds() looks at the version there is", pure, () => {
  const rows: [WriteCondition, whenAbsent: boolean, whenThere: boolean][] = [
    [{ kind: "any" }, true, true],
    [{ kind: "absent" }, true, false],
    [{ kind: "present" }, false, true],
    [{ kind: "is", versions: [other, version] }, false, true],
    [{ kind: "is", versions: [other] }, false, false],
    [{ kind: "not", versions: [other] }, true, true],
    [{ kind: "not", versions: [other, version] }, true, false],
  ];
  for (const [condition, whenAbsent, whenThere] of rows) {
    const word = formatCondition(condition);
    assertEquals([holds(condition, undefined), holds(condition, version)], [whenAbsent, whenThere]);
    assertEquals(parseCondition(word), condition, word);
  }
});

Deno.test("parseCondition() refuses versions that are none, and too many", pure, () => {
  const many = `is:${Array.from({ length: 65 }, () => version).join(",")}`;
  for (const word of ["", "is", "is:", "is:x", `is:${version},`, `was:${version}`, many]) {
    assertEquals(parseCondition(word), undefined, word);
  }
});
