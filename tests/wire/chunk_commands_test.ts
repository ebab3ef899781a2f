/**
 * The commands of nodes between each other about files, row by row as PROTOCOL.md has them, as nodes of
 * the original send them: by the names of chunks, with tokens that are not ours.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { assertAnswers, bytesOf, LineClient } from "../support/line_client.ts";
import { liveNodes, portsInRow, wireRing } from "../support/live_node.ts";
import { ask, askText } from "../support/live_ring.ts";
import { OriginalNode } from "../support/original_node.ts";
import { waitUntil } from "../support/program.ts";
import { randomBytes } from "../support/real_file.ts";
import { chunksOf, stagedFiles, storedChunks } from "../support/ring_disk.ts";

/** A length as `FILE GET-CHUNK-FOR-BACKUP` says it. */
function lengthBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length));
  return bytes;
}

Deno.test("chunks are given by name from content and from backup", async () => {
  await using nodes = await liveNodes(3);
  await wireRing(nodes.ports);
  const [first = 0, second = 0, third = 0] = nodes.ports;
  await askText(first, "FILE PUSH 8 a b\nabcdefgh");
  await askText(first, "FILE PUSH 1 ü\nx");
  const missing = "ERR chunk not found\n";
  const rows = [
    [first, "GET-CHUNK", "a b.part-001-of-003", second, "abc"],
    [second, "GET-CHUNK", "a b.part-002-of-003", third, "def"],
    [third, "GET-CHUNK", "a b.part-003-of-003", first, "gh"],
    [third, "GET-BACKUP-CHUNK", "a b.part-001-of-003", first, "abc"],
    [first, "GET-BACKUP-CHUNK", "a b.part-002-of-003", second, "def"],
    [second, "GET-BACKUP-CHUNK", "a b.part-003-of-003", third, "gh"],
    [first, "GET-CHUNK", "ü.part-001-of-003", second, "x"],
    [second, "GET-CHUNK", "ü.part-002-of-003", third, ""],
    [second, "GET-BACKUP-CHUNK", "ü.part-003-of-003", third, ""],
  ] as const;
  for (const [port, verb, chunk, next, bytes] of rows) {
    const size = bytesOf(bytes).length;
    await assertAnswers(port, [{
      sent: `FILE ${verb} ${chunk}`,
      answer: `FILE RESP-CHUNK 127.0.0.1:${next} ${size} ${chunk}\n${bytes}`,
    }]);
  }
  await assertAnswers(first, [
    { sent: "FILE GET-CHUNK a b.part-002-of-003", answer: missing },
    { sent: "FILE GET-BACKUP-CHUNK a b.part-001-of-003", answer: missing },
    { sent: "FILE GET-CHUNK a b.part-001-of-004", answer: missing },
    { sent: "FILE GET-CHUNK none.part-001-of-003", answer: missing },
  ]);
});

Deno.test("a chunk for a backup comes after its length in 8 bytes, which are 0 for none", async () => {
  await using nodes = await liveNodes(2);
  await wireRing(nodes.ports);
  const [first = 0, second = 0] = nodes.ports;
  const bytes = randomBytes(700_001);
  await ask(first, bytesOf(`FILE PUSH ${bytes.length} big\n`, bytes));
  const half = Math.ceil(bytes.length / 2);
  const get = (part: number) => `FILE GET-CHUNK-FOR-BACKUP big.part-00${part}-of-002\n`;
  const parts = [bytes.subarray(0, half), bytes.subarray(half)];
  assertEquals(
    await ask(first, `${get(1)}${get(2)}NODE PING\n`),
    bytesOf(lengthBytes(half), parts[0] ?? "", lengthBytes(0), "PONG\n"),
  );
  assertEquals(
    await ask(second, `${get(1)}${get(2)}`),
    bytesOf(lengthBytes(0), lengthBytes(half - 1), parts[1] ?? ""),
  );
});

Deno.test("NOTIFY-CHUNK-SAVED is acknowledged, then the successor's chunk is copied", async () => {
  const [port = 0, nextPort = 0] = portsInRow(2);
  await using nodes = await liveNodes([port]);
  await using next = new OriginalNode({ port: nextPort, dataDir: nodes.dataDir });
  await askText(port, `NODE NEXT 127.0.0.1:${nextPort}\n`);
  const chunk = "n.part-002-of-003";
  await Deno.writeTextFile(`${nodes.dataDir}/${nextPort}/content/${chunk}`, "from next");
  await assertAnswers(port, [
    { sent: `FILE NOTIFY-CHUNK-SAVED ${chunk}`, answer: "OK\n" },
    { sent: "FILE NOTIFY-CHUNK-SAVED gone.part-001-of-003", answer: "OK\n" },
  ]);
  const found = { sent: `FILE GET-BACKUP-CHUNK ${chunk}\n` };
  const answer = `FILE RESP-CHUNK 127.0.0.1:${nextPort} 9 ${chunk}\nfrom next`;
  await waitUntil("it is copied", 10_000, async () => await askText(port, found.sent) === answer);
  assertEquals(await Deno.readTextFile(`${nodes.dataDir}/${port}/backup/${chunk}`), "from next");
  const asked = next.lines.filter((line) => line.startsWith("FILE GET-CHUNK-FOR-BACKUP"));
  assertEquals(asked.toSorted(), [
    "FILE GET-CHUNK-FOR-BACKUP gone.part-001-of-003",
    `FILE GET-CHUNK-FOR-BACKUP ${chunk}`,
  ]);
});

Deno.test("the backup of a part that is known to be empty is an empty file", async () => {
  const [port = 0, nextPort = 0] = portsInRow(2);
  await using nodes = await liveNodes([port]);
  await using _next = new OriginalNode({ port: nextPort, dataDir: nodes.dataDir });
  await wireRing([port, nextPort]);
  const chunk = "empty.part-001-of-002";
  await assertAnswers(port, [
    { sent: `FILE TAGS-SET empty:${nextPort}:0:2`, answer: "OK\n" },
    { sent: `FILE NOTIFY-CHUNK-SAVED ${chunk}`, answer: "OK\n" },
  ]);
  const answer = `FILE RESP-CHUNK 127.0.0.1:${nextPort} 0 ${chunk}\n`;
  await waitUntil("it is kept", 10_000, async () => {
    return await askText(port, `FILE GET-BACKUP-CHUNK ${chunk}\n`) === answer;
  });
});

Deno.test("RELAY-STREAM of an original leaves each part with its holder and its predecessor", async () => {
  const [start = 0, ...ours] = portsInRow(4);
  await using nodes = await liveNodes(ours);
  await using coordinator = new OriginalNode({ port: start, dataDir: nodes.dataDir });
  await wireRing([start, ...ours]);
  const ring = [start, ...ours];
  const files = [0, 1, 3, 4, 9, 1_000_003].map((size) => ({
    name: `of ${size}`,
    bytes: randomBytes(size),
    start,
  }));
  for (const { name, bytes } of files) {
    const rest = bytes.subarray(Math.ceil(bytes.length / 4));
    const head = `FILE RELAY-STREAM relay-17 127.0.0.1:${start} ${bytes.length} 4 1 ${name}\n`;
    await assertAnswers(ours[0] ?? 0, [{ sent: bytesOf(head, rest), answer: "OK\n" }]);
  }
  // What the stand-in would have, as it began; the backup of part 2 is what it is told to copy.
  const all = chunksOf(ring, files);
  const expected = new Map([...all].filter(([path]) => !path.startsWith(`${start}/`)));
  // Nobody has said that the first part is there, so nobody has copied it.
  for (const path of expected.keys()) if (/backup.*part-001/.test(path)) expected.delete(path);
  await waitUntil("every part is in its places", 10_000, async () => {
    const stored = await storedChunks(nodes.dataDir, ours);
    return [...expected.keys()].every((path) => stored.has(path));
  });
  assertEquals(await storedChunks(nodes.dataDir, ours), expected);
  const told = coordinator.lines.filter((line) => line.startsWith("FILE NOTIFY-CHUNK-SAVED"));
  assertEquals(told, files.map(({ name }) => `FILE NOTIFY-CHUNK-SAVED ${name}.part-002-of-004`));
  for (const port of ours) {
    assertEquals(await stagedFiles(nodes.dataDir, port), []);
    const rows = [0, 1, 1_000_003, 3, 4, 9].map((size) => `of ${size},${start},${size}\n`);
    assertEquals(await askText(port, "FILE LIST\n"), `name,start,size\n${rows.join("")}`);
  }
});

Deno.test("RELAY-STREAM that ends early changes nothing, and one that is complete replaces", async () => {
  const [start = 0, ...ours] = portsInRow(3);
  await using nodes = await liveNodes(ours);
  await using _coordinator = new OriginalNode({ port: start, dataDir: nodes.dataDir });
  await wireRing([start, ...ours]);
  const [first = 0, second = 0] = ours;
  const head = (token: string) => `FILE RELAY-STREAM ${token} 127.0.0.1:${start} 9 3 1 r\n`;
  const chunk = (part: number) => `FILE GET-CHUNK r.part-00${part}-of-003`;
  const resp = (part: number, next: number, bytes: string) =>
    `FILE RESP-CHUNK 127.0.0.1:${next} 3 r.part-00${part}-of-003\n${bytes}`;
  await assertAnswers(first, [{ sent: `${head("one")}OLDold`, answer: "OK\n" }]);
  {
    using client = await LineClient.open(first, `${head("two")}NEWne`);
    await client.endSending();
    assertEquals((await client.restText()).slice(0, 4), "ERR ");
  }
  await assertAnswers(first, [{ sent: chunk(2), answer: resp(2, second, "OLD") }]);
  await assertAnswers(second, [{ sent: chunk(3), answer: resp(3, start, "old") }]);
  await assertAnswers(first, [{ sent: `${head("three")}NEWnew`, answer: "OK\n" }]);
  await assertAnswers(first, [{ sent: chunk(2), answer: resp(2, second, "NEW") }]);
  await assertAnswers(second, [{ sent: chunk(3), answer: resp(3, start, "new") }]);
  for (const port of ours) assertEquals(await stagedFiles(nodes.dataDir, port), []);
});

Deno.test("RELAY-BLOB brings a whole file", async () => {
  await using nodes = await liveNodes(3);
  await wireRing(nodes.ports);
  const port = nodes.at(2).port;
  await assertAnswers(port, [
    { sent: "FILE RELAY-BLOB t 127.0.0.1:1 8 a b\nabcdefgh", answer: "OK\n" },
    { sent: "FILE RELAY-BLOB t 127.0.0.1:1 0 none\n", answer: "OK\n" },
  ]);
  const files = [{ name: "a b", bytes: bytesOf("abcdefgh"), start: port }, {
    name: "none",
    bytes: bytesOf(),
    start: port,
  }];
  assertEquals(await storedChunks(nodes.dataDir, nodes.ports), chunksOf(nodes.ports, files));
  await assertAnswers(nodes.at(0).port, [
    { sent: "FILE PULL a b", answer: "abcdefgh", closes: true },
  ]);
});

Deno.test("TAGS-SET adds what was unknown and drops nothing", async () => {
  await using nodes = await liveNodes(2);
  await wireRing(nodes.ports);
  const [port = 0, other = 0] = nodes.ports;
  await askText(port, "FILE PUSH 3 mine\nabc");
  await askText(port, "FILE PUSH 3 deleted\nabc");
  await askText(port, "FILE DELETE deleted\n");
  const list = (...rows: string[]) => `name,start,size\n${rows.map((row) => `${row}\n`).join("")}`;
  await assertAnswers(port, [
    { sent: "FILE TAGS-SET", answer: "OK\n" },
    { sent: "FILE LIST", answer: list(`mine,${port},3`), closes: true },
    {
      sent: `FILE TAGS-SET a b:${other}:7:2;mine:${other}:99:2;deleted:${other}:3:2;`,
      answer: "OK\n",
    },
    { sent: "FILE LIST", answer: list(`a b,${other},7`, `mine,${port},3`), closes: true },
    { sent: "FILE PULL mine", answer: "abc", closes: true },
  ]);
});
