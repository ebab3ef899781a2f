/**
 * Small files, which are read the short way: `FILE FETCH` between nodes, and the memory of what was read
 * lately.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { digestBytes } from "../../src/protocol/digest.ts";
import { parseRecord } from "../../src/protocol/record_codec.ts";
import { assertAnswers, bytesOf } from "../support/line_client.ts";
import { type LiveNodes, liveNodes, wireRing } from "../support/live_node.ts";
import { ask, askText } from "../support/live_ring.ts";
import { randomBytes } from "../support/real_file.ts";

/** The push id of the current version of a name, as a node's catalog has it. */
async function pushIdOf(port: number, name: string): Promise<string> {
  const request = bytesOf(`CATALOG PULL ${digestBytes}\n`, new Uint8Array(digestBytes));
  const lines = (await askText(port, request)).split("\n").filter((line) => line.startsWith("{"));
  const record = lines.map(parseRecord).find((record) => record.name === name);
  return record?.pushId ?? "";
}

/** Removes all chunks of all nodes whose file names contain `name`. */
async function removeChunks({ dataDir, ports }: LiveNodes, name: string): Promise<number> {
  let removed = 0;
  for (const port of ports) {
    for (const place of ["content", "backup"]) {
      const directory = `${dataDir}/${port}/${place}`;
      for (const entry of await Array.fromAsync(Deno.readDir(directory))) {
        if (!entry.name.includes(name)) continue;
        await Deno.remove(`${directory}/${entry.name}`);
        removed++;
      }
    }
  }
  return removed;
}

/** What `FILE GET` gives, without its line. */
async function contentOf(port: number, name: string): Promise<string> {
  const answer = await askText(port, `FILE GET ${name}\n`);
  return answer.startsWith("FILE ") ? answer.slice(answer.indexOf("\n") + 1) : answer;
}

Deno.test("FILE FETCH gives parts of a push, in the order asked for, or none", async () => {
  await using nodes = await liveNodes(3);
  await wireRing(nodes.ports);
  const [first = 0, second = 0] = nodes.ports;
  await askText(first, "FILE PUSH 8 a\nabcdefgh");
  await askText(first, bytesOf("FILE PUSH 196800 big\n", randomBytes(196_800)));
  const id = await pushIdOf(first, "a");
  const big = await pushIdOf(first, "big");
  const missing = "ERR chunk not found\n";
  await assertAnswers(first, [
    { sent: `FILE FETCH ${id} 0`, answer: "DATA 3\nabc" },
    { sent: `FILE FETCH ${id} 0,1`, answer: "DATA 6\nabcdef" },
    { sent: `FILE FETCH ${id} 1,0`, answer: "DATA 6\ndefabc" },
    { sent: `FILE FETCH ${id} 0,2`, answer: missing },
    { sent: `FILE FETCH ${id} 2`, answer: missing },
    { sent: `FILE FETCH ${second}none 0`, answer: missing },
    // 65,600 bytes, and 64 KiB is the most.
    { sent: `FILE FETCH ${big} 0`, answer: missing },
    { sent: `FILE FETCH ${id} `, answer: "ERR invalid parts for FILE FETCH\n" },
    { sent: `FILE FETCH ${id} 0,,1`, answer: "ERR invalid parts for FILE FETCH\n" },
    { sent: `FILE FETCH ${id} 0 1`, answer: "ERR too many parameters for FILE FETCH\n" },
  ]);
  await Deno.writeTextFile(`${nodes.dataDir}/${first}/content/a.part-001-of-003`, "abX");
  await assertAnswers(first, [{ sent: `FILE FETCH ${id} 0`, answer: missing }]);
  assertEquals(await contentOf(first, "a"), "abcdefgh");
});

Deno.test("a small file that was read is given from memory, and only its current version", async () => {
  await using nodes = await liveNodes(3);
  await wireRing(nodes.ports);
  const [first = 0, second = 0, third = 0] = nodes.ports;
  await askText(first, "FILE PUSH 8 a\nabcdefgh");
  await askText(first, "FILE PUSH 3 cold\nxyz");
  assertEquals(await contentOf(first, "a"), "abcdefgh");
  assertEquals(await askText(second, "FILE PULL a\n"), "abcdefgh");

  assertEquals(await removeChunks(nodes, ".part-"), 12);
  assertEquals(await contentOf(first, "a"), "abcdefgh");
  assertEquals(await askText(second, "FILE PULL a\n"), "abcdefgh");
  assertMatch(
    await askText(third, "FILE PULL cold\n"),
    /^ERR part [123] of 3 of 'cold' is not available/,
  );

  // A version that another node took.
  await askText(third, "FILE PUSH 5 a\n12345");
  for (const port of nodes.ports) {
    assertEquals(await contentOf(port, "a"), "12345");
    assertEquals(await askText(port, "FILE PULL a\n"), "12345");
  }
  await askText(second, "FILE DELETE a\n");
  for (const port of nodes.ports) {
    assertEquals(await askText(port, "FILE GET a\n"), "ERR file not found\n");
  }
});

Deno.test("--cache-bytes 0 remembers no file", async () => {
  await using nodes = await liveNodes(1, { args: ["--cache-bytes=0"] });
  const [port = 0] = nodes.ports;
  await askText(port, "FILE PUSH 8 a\nabcdefgh");
  assertEquals(await contentOf(port, "a"), "abcdefgh");
  await removeChunks(nodes, "a.part-");
  assertMatch(await contentOf(port, "a"), /^ERR part 1 of 1 of 'a' is not available/);
});

Deno.test("files around the length of small ones read right from every node", async () => {
  await using nodes = await liveNodes(3);
  await wireRing(nodes.ports);
  for (const size of [0, 1, 2, 3, 4, 4_096, 65_535, 65_536, 65_537, 100_000]) {
    const bytes = randomBytes(size);
    const [taker = 0] = nodes.ports;
    await ask(taker, bytesOf(`FILE PUSH ${size} f${size}\n`, bytes));
    for (const port of nodes.ports) {
      for (const _again of [false, true]) {
        assertEquals(await ask(port, `FILE PULL f${size}\n`), bytes);
        const answer = await ask(port, `FILE GET f${size}\nNODE PING\n`);
        const start = answer.indexOf(0x0a) + 1;
        assertEquals(answer.subarray(start), bytesOf(bytes, "PONG\n"));
      }
    }
  }
});
