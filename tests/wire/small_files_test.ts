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
import { ask, askText, sha256 } from "../support/live_ring.ts";
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
  await askText(first, bytesOf("FILE PUSH 786387 big\n", randomBytes(786_387)));
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
    // More than one answer holds of several parts.
    { sent: `FILE FETCH ${big} 0,1`, answer: missing },
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
  // A part of 786,385 bytes needs a longer buffer, and 1 MiB is the longest file that is gathered.
  for (
    const size of [0, 1, 2, 3, 4, 4_096, 65_535, 65_536, 65_537, 100_000]
      .concat([262_144, 786_384, 786_385, 1_048_576, 1_048_577])
  ) {
    const bytes = randomBytes(size);
    const [taker = 0] = nodes.ports;
    await ask(taker, bytesOf(`FILE PUSH ${size} f${size}\n`, bytes));
    for (const port of nodes.ports) {
      for (const _again of [false, true]) {
        assertEquals(sha256(await ask(port, `FILE PULL f${size}\n`)), sha256(bytes));
        const answer = await ask(port, `FILE GET f${size}\nNODE PING\n`);
        const start = answer.indexOf(0x0a) + 1;
        assertEquals(sha256(answer.subarray(start)), sha256(bytesOf(bytes, "PONG\n")));
      }
    }
  }
});

Deno.test("who says more while a gathered file is still on its way gets all of it", async () => {
  await using nodes = await liveNodes(1);
  const [port = 0] = nodes.ports;
  const bytes = randomBytes(1_000_000);
  await ask(port, bytesOf("FILE PUSH 1000000 a\n", bytes));
  using conn = await Deno.connect({ port });
  await conn.write(bytesOf("FILE PULL a\n"));
  const buffer = new Uint8Array(bytes.length + 1);
  let filled = await conn.read(buffer.subarray(0, 1_000)) ?? 0;
  // The node has written everything by now, and the system has it.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await conn.write(bytesOf("NODE PING\n"));
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (;;) {
    const count = await conn.read(buffer.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  assertEquals(sha256(buffer.subarray(0, filled)), sha256(bytes));
});

/** Waits until a file has these bytes again. */
async function untilRestored(path: string, bytes: Uint8Array): Promise<void> {
  const endMs = Date.now() + 10_000;
  for (;;) {
    const now = await Deno.readFile(path).catch(() => undefined);
    if (now !== undefined && equalBytes(now, bytes)) return;
    if (Date.now() > endMs) throw new Error(`${path} was not restored`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function equalBytes(some: Uint8Array, others: Uint8Array): boolean {
  return some.length === others.length && some.every((byte, index) => byte === others[index]);
}

Deno.test("a damaged chunk of a gathered file is read from its other copy, and restored", async () => {
  await using nodes = await liveNodes(3);
  await wireRing(nodes.ports);
  const [first = 0, , third = 0] = nodes.ports;
  const bytes = randomBytes(700_000);
  await ask(first, bytesOf("FILE PUSH 700000 a\n", bytes));
  for (const [port, part] of [[first, 1], [third, 3]]) {
    const path = `${nodes.dataDir}/${port}/content/a.part-00${part}-of-003`;
    const whole = await Deno.readFile(path);
    const damaged = whole.slice();
    damaged[damaged.length - 1]! ^= 1;
    await Deno.writeFile(path, damaged);
    assertEquals(sha256(await ask(first, "FILE PULL a\n")), sha256(bytes));
    await untilRestored(path, whole);
    assertEquals(sha256(await ask(first, "FILE PULL a\n")), sha256(bytes));
  }
});
