/**
 * The names of files, as PROTOCOL.md has them: what is kept of a name, what is refused, and that no
 * name leads out of the node's directory.
 *
 * @module
 */
import { walk } from "@std/fs/walk";
import { assert, assertEquals } from "@std/assert";
import { assertAnswers, bytesOf, type Row } from "../support/line_client.ts";
import { liveNodes, wireRing } from "../support/live_node.ts";
import { chunksOf, storedChunks } from "../support/ring_disk.ts";

/** What a client calls a file, and the name that it is kept under. */
const kept: readonly (readonly [string, string])[] = [
  ["../../etc/passwd", "passwd"],
  ["/absolute", "absolute"],
  ["a/b/c.txt", "c.txt"],
  ["C:\\Users\\me", "C__Users_me"],
  ["nul\0nul", "nul_nul"],
  ["a:b|c;d", "a_b_c_d"],
  ["car\rriage", "car_riage"],
  ["dir/..\\..\\x", ".._.._x"],
  [".hidden", ".hidden"],
  ["...", "..."],
  ["  two  spaces  ", "  two  spaces  "],
  ["-rf *", "-rf *"],
  ["$(id) `id` 'x' \"y\"", "$(id) `id` 'x' \"y\""],
  ["grüße-日本語-\u{1F40D}", "grüße-日本語-\u{1F40D}"],
  ["%2e%2e%2fx", "%2e%2e%2fx"],
  ["x.part-001-of-001", "x.part-001-of-001"],
  ["n".repeat(200), "n".repeat(200)],
  ["日".repeat(66) + "nn", "日".repeat(66) + "nn"],
  [`${"deep/".repeat(500)}file`, "file"],
];

/** What no file may be called, and the answer. */
const refused: readonly (readonly [string, string])[] = [
  [".", "ERR invalid file name '.'\n"],
  ["..", "ERR invalid file name '..'\n"],
  ["/", "ERR invalid file name '/'\n"],
  ["a/", "ERR invalid file name 'a/'\n"],
  ["a/..", "ERR invalid file name 'a/..'\n"],
  ["../.", "ERR invalid file name '../.'\n"],
  ["n".repeat(201), "ERR file name too long (201 > 200 bytes)\n"],
  ["ü".repeat(308), "ERR file name too long (616 > 200 bytes)\n"],
];

Deno.test("a file is kept under what is safe of its name, and found under either", async () => {
  await using nodes = await liveNodes(1);
  const { port } = nodes.at(0);
  for (const [raw, name] of kept) {
    const chunks = chunksOf([port], [{ name, bytes: bytesOf(raw), start: port }]);
    const size = bytesOf(raw).length;
    await assertAnswers(port, [
      {
        sent: bytesOf(`FILE PUSH ${size} ${raw}\n${raw}`),
        answer: `FILE ${size} bytes '${name}' stored locally\nOK\n`,
      },
      { sent: `FILE PULL ${raw}`, answer: raw, closes: true },
      { sent: `FILE PULL ${name}`, answer: raw, closes: true },
    ]);
    assertEquals(await storedChunks(nodes.dataDir, [port]), chunks, raw);
    await assertAnswers(port, [
      { sent: `FILE DELETE ${raw}`, answer: "OK\n" },
      { sent: "FILE LIST", answer: "name,start,size\n", closes: true },
    ]);
  }
  const outside = [];
  for await (const { path } of walk(nodes.dataDir)) {
    if (!path.startsWith(`${nodes.dataDir}/${port}`) && path !== nodes.dataDir) outside.push(path);
  }
  assertEquals(outside, []);
});

Deno.test("names that cannot be are refused by every command, and nothing is stored", async () => {
  await using nodes = await liveNodes(2);
  await wireRing(nodes.ports);
  const { port } = nodes.at(0);
  const rows = refused.flatMap(([raw, answer]): Row[] => [
    { sent: `FILE PUSH 3 ${raw}\nabc`, answer },
    ...["PULL", "GET", "STAT", "DELETE"].map((verb) => ({ sent: `FILE ${verb} ${raw}`, answer })),
    { sent: `FILE RELAY-BLOB t 127.0.0.1:1 3 ${raw}\nabc`, answer },
    { sent: `FILE RELAY-STREAM t 127.0.0.1:1 3 2 1 ${raw}\nc`, answer },
  ]);
  const chunkVerbs = [
    "GET-CHUNK",
    "GET-BACKUP-CHUNK",
    "GET-CHUNK-FOR-BACKUP",
    "NOTIFY-CHUNK-SAVED",
  ];
  for (const verb of chunkVerbs) {
    rows.push({
      sent: `FILE ${verb} ../...part-001-of-002`,
      answer: "ERR invalid file name '../..'\n",
    });
    rows.push({
      sent: `FILE ${verb} ${"n".repeat(201)}.part-001-of-002`,
      answer: "ERR file name too long (201 > 200 bytes)\n",
    });
    rows.push({ sent: `FILE ${verb} ../../x`, answer: "ERR invalid chunk name '../../x'\n" });
  }
  await assertAnswers(port, rows);
  for (const each of nodes.ports) {
    await assertAnswers(each, [{ sent: "FILE LIST", answer: "name,start,size\n", closes: true }]);
  }
  assertEquals(await storedChunks(nodes.dataDir, nodes.ports), new Map());
});

Deno.test("a chunk is asked for by a name that cannot lead out of its directory", async () => {
  await using nodes = await liveNodes(1);
  const { port } = nodes.at(0);
  await Deno.writeTextFile(`${nodes.dataDir}/out.part-001-of-001`, "secret");
  await Deno.writeTextFile(`${nodes.dataDir}/${port}/out.part-001-of-001`, "secret");
  const missing = "ERR chunk not found\n";
  await assertAnswers(port, [
    { sent: "FILE GET-CHUNK ../out.part-001-of-001", answer: missing },
    { sent: "FILE GET-CHUNK ../../out.part-001-of-001", answer: missing },
    { sent: "FILE GET-BACKUP-CHUNK ..\\out.part-001-of-001", answer: missing },
    { sent: `FILE GET-CHUNK ${nodes.dataDir}/out.part-001-of-001`, answer: missing },
  ]);
  assert((await storedChunks(nodes.dataDir, [port])).size === 0);
});
