/**
 * What our nodes know beyond PROTOCOL.md's tables for programs that want more than a whole file: ranges,
 * pages of the list, and pushes and deletes with conditions.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { partRanges } from "../../src/node/byte_range.ts";
import { parseFilePage } from "../../src/protocol/file_page.ts";
import { partLengths } from "../../src/protocol/names.ts";
import { parseRangeHeader, parseStoredReply } from "../../src/protocol/transfer_replies.ts";
import { bytesOf, LineClient } from "../support/line_client.ts";
import { liveNodes, wireRing } from "../support/live_node.ts";
import { waitUntil } from "../support/program.ts";
import { askText, sha256 } from "../support/live_ring.ts";
import { randomBytes } from "../support/real_file.ts";
import { stagedFiles } from "../support/ring_disk.ts";
import { SeededRandom } from "../support/seeded_random.ts";

/** One `FILE PUT` on a connection of its own: the answers before and after the body. */
async function put(
  port: number,
  line: string,
  body: string | Uint8Array,
): Promise<[first: string, last: string]> {
  using client = await LineClient.open(port, `FILE PUT ${line}\n`);
  const first = await client.line();
  if (first !== "CONTINUE\n") return [first, ""];
  await client.send(body);
  return [first, await client.line()];
}

/** The version that a `FILE PUT` made. */
async function store(port: number, name: string, body: string): Promise<string> {
  const [, answer] = await put(port, `${bytesOf(body).length} - - ${name}`, body);
  const stored = parseStoredReply(answer.trimEnd());
  if (stored === undefined) throw new Error(`FILE PUT was answered '${answer}'`);
  return stored.version;
}

Deno.test("ranges, pages and conditions of our nodes", async (t) => {
  await using nodes = await liveNodes(3, { args: ["--file-size=4000000"] });
  await wireRing(nodes.ports);
  const [first = 0, second = 0] = nodes.ports;
  const bytes = randomBytes(1_900_003);

  await t.step(
    "FILE PUT says that bytes may come, stores them and tells what it stored",
    async () => {
      const sum = sha256(bytes);
      const [, answer] = await put(first, `${bytes.length} ${sum} absent big`, bytes);
      const stored = parseStoredReply(answer.trimEnd());
      assertEquals([stored?.sha256, stored?.size, stored?.replaced], [sum, bytes.length, false]);
      assert(sha256(bytesOf(await pullRange(second, "0 - - big"))) === sum);
    },
  );

  await t.step(
    "FILE RANGE gives exactly the bytes asked for, across blocks and parts",
    async () => {
      const random = new SeededRandom(1);
      using client = await LineClient.open(second);
      const { length } = bytes;
      const edges = [0, 1, 633_334, 633_335, 262_143, 262_144, 262_145, length - 1, length];
      for (let round = 0; round < 60; round++) {
        const offset = random.pick([...edges, random.integer(length)]);
        const count = random.pick([0, 1, 70_000, random.integer(length), length * 2]);
        await client.send(`FILE RANGE ${offset} ${count} - big\n`);
        const line = await client.line();
        const header = parseRangeHeader(line.trimEnd());
        const expected = bytes.subarray(offset, offset + count);
        assertEquals(
          [header?.offset, header?.count, header?.size],
          [offset, expected.length, length],
        );
        assertEquals(sha256(await client.read(expected.length)), sha256(expected));
      }
      await client.send(`FILE RANGE 99999999 - - big\nFILE RANGE 0 - - nothing\nNODE PING\n`);
      assertStringIncludes(await client.line(), `RANGE ${length} 0 ${length} `);
      assertEquals(await client.line(), "ERR file not found\n");
      assertEquals(await client.line(), "PONG\n");
    },
  );

  await t.step("FILE RANGE of a version gives that one or none", async () => {
    const old = await store(first, "v", "old");
    const now = await store(first, "v", "newer");
    assertEquals(await askText(second, `FILE RANGE 0 - ${old} v\n`), "ERR version gone\n");
    assertStringIncludes(await askText(second, `FILE RANGE 1 2 ${now} v\n`), " v\new");
  });

  await t.step("FILE PUT and FILE DELETE-IF keep to their condition", async () => {
    const version = await store(first, "c", "one");
    const rows = [
      ["absent", false],
      ["present", true],
      [`is:${version}`, false],
      [`not:${version}`, true],
    ] as const;
    for (const [condition, isDone] of rows) {
      const [, answer] = await put(second, `3 - ${condition} c`, "two");
      assertEquals(answer.startsWith("STORED"), isDone, condition);
    }
    const refused = await askText(first, `FILE DELETE-IF is:${version} c\n`);
    assertStringIncludes(refused, "ERR precondition failed for 'c': it is at version ");
    assertEquals(await askText(first, `FILE DELETE-IF present c\n`), "OK\n");
    assertStringIncludes(
      await askText(first, `FILE DELETE-IF absent c\n`),
      "ERR file not found\n",
    );
  });

  await t.step("of pushes at once that want no file there, one is done", async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => put(first, "2 - absent once", `${10 + index}`)),
    );
    const done = answers.filter(([, last]) => last.startsWith("STORED"));
    assertEquals(done.length, 1, JSON.stringify(answers));
    const others = answers.filter(([, last]) => !last.startsWith("STORED"));
    for (const answer of others) assertStringIncludes(answer.join(""), "ERR precondition failed");
  });

  await t.step("FILE PUT of other bytes than announced stores nothing", async () => {
    const wrong = sha256(bytesOf("other"));
    const [, answer] = await put(first, `5 ${wrong} - d`, "these");
    assertStringIncludes(answer, `ERR digest mismatch: SHA-256 ${wrong} was announced`);
    const { length } = bytes;
    const [, large] = await put(first, `${length} ${wrong} - d`, bytes);
    assertStringIncludes(large, "ERR digest mismatch");
    assertEquals(await askText(second, "FILE GET d\n"), "ERR file not found\n");
    await waitUntil("nothing is left staged", 10_000, async () => {
      const staged = nodes.ports.map((port) => stagedFiles(nodes.dataDir, port));
      return (await Promise.all(staged)).flat().length === 0;
    });
  });

  await t.step("a refused FILE PUT never has its bytes read as commands", async () => {
    for (const line of ["5 - absent v", "9999999 - - v", "x - - v", "5 - maybe v", "5 - - .."]) {
      const answer = await askText(first, `FILE PUT ${line}\nFILE DELETE v\n`);
      assertEquals([answer.slice(0, 4), answer.split("\n").length], ["ERR ", 2], line);
    }
    assertStringIncludes(await askText(first, "FILE GET v\n"), "newer");
  });

  await t.step("FILE PAGE gives the files behind a name, with a prefix", async () => {
    for (const name of ["p", "p 1", "p-", "pa", "pä", "q", "-"]) await store(first, name, name);
    const page = async (parameters: string) => {
      const answer = await askText(second, `FILE PAGE ${parameters}\n`);
      const [head = "", ...lines] = answer.split("\n");
      const text = lines.join("\n");
      assertEquals(head, `PAGE ${bytesOf(text).length}`);
      return parseFilePage(text)?.map(({ name }) => name);
    };
    assertEquals(await page("100 - p"), ["p", "p 1", "p-", "pa", "pä"]);
    assertEquals(await page("2 - p"), ["p", "p 1"]);
    assertEquals(await page("2 p%201 p"), ["p-", "pa"]);
    assertEquals(await page("3 pa -"), ["pä", "q", "v"]);
    assertEquals(await page("3 - %2D"), ["-"]);
    assertEquals(await page("3 zz p"), []);
    assertEquals(await page("3 - x"), []);
  });
});

/** The bytes of a range. */
async function pullRange(port: number, parameters: string): Promise<Uint8Array> {
  using client = await LineClient.open(port, `FILE RANGE ${parameters}\n`);
  const header = parseRangeHeader((await client.line()).trimEnd());
  return await client.read(header?.count ?? 0);
}

Deno.test(
  "partRanges() takes from each part what lies in the range",
  { permissions: "none" },
  () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new SeededRandom(seed);
      const size = random.integer(50);
      const lengths = partLengths(size, 1 + random.integer(7));
      const offset = random.integer(size + 1);
      const count = random.integer(size - offset + 1);
      const taken: number[] = [];
      let base = 0;
      for (const [part, { begin, end }] of partRanges(lengths, { offset, count }).entries()) {
        assert(begin >= 0 && begin <= end && end <= (lengths[part] ?? 0));
        for (let at = begin; at < end; at++) taken.push(base + at);
        base += lengths[part] ?? 0;
      }
      assertEquals(taken, Array.from({ length: count }, (_, index) => offset + index));
    }
  },
);
