/**
 * The commands of clients, row by row as PROTOCOL.md has them, against nodes that run: the answers are
 * compared byte by byte, and whether the connection then goes on.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertAnswers, bytesOf, LineClient } from "../support/line_client.ts";
import { liveNodes, portsInRow, wireRing } from "../support/live_node.ts";
import { askText, sha256 } from "../support/live_ring.ts";
import { OriginalNode } from "../support/original_node.ts";
import { waitUntil } from "../support/program.ts";
import { chunksOf, stagedFiles, storedChunks } from "../support/ring_disk.ts";

const header = "name,start,size\n";
const hello = bytesOf("hello");

Deno.test("a node that nobody has wired answers every client command", async () => {
  await using nodes = await liveNodes(1);
  const { port, address } = nodes.at(0);
  await assertAnswers(port, [
    { sent: "NODE PING", answer: "PONG\n" },
    { sent: "NODE STATUS", answer: `PORT ${address}\nNEXT <unset>\nOK\n` },
    { sent: "NETMAP GET", answer: "(empty)\nOK\n" },
    { sent: "NETMAP DISCOVER", answer: "ERR no next hop set\n" },
    { sent: "TOPOLOGY WALK", answer: "ERR no next hop set\n" },
    { sent: "NODE HEAL", answer: "OK network healed\n" },
    { sent: "RING FORWARD 3 hello to all", answer: "OK\n" },
    { sent: "RING FORWARD 0 hello", answer: "OK\n" },
    { sent: "FILE LIST", answer: header, closes: true },
    { sent: "FILE PULL a b.txt", answer: "ERR file not found\n", closes: true },
    { sent: "FILE GET a b.txt", answer: "ERR file not found\n" },
    { sent: "FILE STAT a b.txt", answer: "ERR file not found\n" },
    { sent: "FILE DELETE a b.txt", answer: "ERR file not found\n" },
    {
      sent: "FILE PUSH 5 a b.txt\nhello",
      answer: "FILE 5 bytes 'a b.txt' stored locally\nOK\n",
    },
    { sent: "FILE PUSH 0 none\n", answer: "FILE 0 bytes 'none' stored locally\nOK\n" },
    { sent: "FILE PULL a b.txt", answer: "hello", closes: true },
    { sent: "FILE PULL none", answer: "", closes: true },
    {
      sent: "FILE LIST",
      answer: `${header}a b.txt,${port},5\nnone,${port},0\n`,
      closes: true,
    },
    { sent: "FILE DELETE none", answer: "OK\n" },
    { sent: "FILE LIST", answer: `${header}a b.txt,${port},5\n`, closes: true },
  ]);
  const placed = { name: "a b.txt", bytes: hello, start: port };
  assertEquals(await storedChunks(nodes.dataDir, [port]), chunksOf([port], [placed]));
});

Deno.test("nodes wired with NODE NEXT and NETMAP DISCOVER answer every client command", async () => {
  await using nodes = await liveNodes(3);
  const { ports } = nodes;
  const [first = 0, second = 0, third = 0] = ports;
  await wireRing(ports);
  const netmap = `${first}=Alive\n${second}=Alive\n${third}=Alive\nOK\n`;
  for (const [index, port] of ports.entries()) {
    const next = ports[(index + 1) % 3] ?? 0;
    const last = ports[(index + 2) % 3] ?? 0;
    await assertAnswers(port, [
      { sent: "NODE PING", answer: "PONG\n" },
      {
        sent: "NODE STATUS",
        answer: `PORT 127.0.0.1:${port}\nNEXT 127.0.0.1:${next}\nOK\n`,
      },
      { sent: `NODE NEXT 127.0.0.1:${next}`, answer: `OK next=127.0.0.1:${next}\n` },
      { sent: "NETMAP GET", answer: netmap },
      { sent: "NETMAP DISCOVER", answer: "OK\n" },
      {
        sent: "TOPOLOGY WALK",
        answer: `${port}->${next}\n${next}->${last}\n${last}->${port}\nOK\n`,
      },
      { sent: "NODE HEAL", answer: "OK network healed\n" },
      { sent: "RING FORWARD 2 hello", answer: "OK\n" },
      {
        sent: `FILE PUSH 5 to ${index}\nhello`,
        answer: "FILE 5 bytes split into 3 chunks and distributed\nOK\n",
      },
    ]);
  }
  const rows = ports.map((port, index) => `to ${index},${port},5\n`).join("");
  for (const port of ports) {
    await assertAnswers(port, [
      { sent: "FILE LIST", answer: header + rows, closes: true },
      { sent: "FILE PULL to 0", answer: "hello", closes: true },
      { sent: "FILE PULL to 2", answer: "hello", closes: true },
      { sent: "FILE PULL to 3", answer: "ERR file not found\n", closes: true },
    ]);
  }
  const files = ports.map((start, index) => ({ name: `to ${index}`, bytes: hello, start }));
  assertEquals(await storedChunks(nodes.dataDir, ports), chunksOf(ports, files));
});

Deno.test("a node that is wired to itself is a ring of one", async () => {
  await using nodes = await liveNodes(1);
  const { port, address } = nodes.at(0);
  await wireRing([port]);
  await assertAnswers(port, [
    { sent: "NODE STATUS", answer: `PORT ${address}\nNEXT ${address}\nOK\n` },
    { sent: "NETMAP GET", answer: `${port}=Alive\nOK\n` },
    { sent: "TOPOLOGY WALK", answer: `${port}->${port}\nOK\n` },
    { sent: "NODE HEAL", answer: "OK network healed\n" },
    { sent: "FILE PUSH 5 a\nhello", answer: "FILE 5 bytes 'a' stored locally\nOK\n" },
    { sent: "FILE PULL a", answer: "hello", closes: true },
    {
      sent: "FILE GET-CHUNK a.part-001-of-001",
      answer: `FILE RESP-CHUNK ${address} 5 a.part-001-of-001\nhello`,
    },
    { sent: "FILE GET-BACKUP-CHUNK a.part-001-of-001", answer: "ERR chunk not found\n" },
  ]);
});

Deno.test("FILE STAT says where the copies of each part are, FILE DELETE takes them away", async () => {
  await using nodes = await liveNodes(3);
  await wireRing(nodes.ports);
  const [first, second = 0, third] = nodes.ports.map((port) => `127.0.0.1:${port}`);
  await askText(nodes.at(1).port, "FILE PUSH 5 a b\nhello");
  for (const port of nodes.ports) {
    assertMatch(
      await askText(port, "FILE STAT a b\n"),
      new RegExp(
        `^name: a b\nsize: 5\nsha256: ${sha256(hello)}\nversion: [0-9A-HJKMNP-TV-Z]{26}\n` +
          `parts: 3\npart 1: ${second} ok, ${first} ok\npart 2: ${third} ok, ${second} ok\n` +
          `part 3: ${first} ok, ${third} ok\nOK\n$`,
      ),
    );
  }
  await assertAnswers(nodes.at(2).port, [{ sent: "FILE DELETE a b", answer: "OK\n" }]);
  for (const port of nodes.ports) {
    await assertAnswers(port, [
      { sent: "FILE STAT a b", answer: "ERR file not found\n" },
      { sent: "FILE DELETE a b", answer: "ERR file not found\n" },
      { sent: "FILE PULL a b", answer: "ERR file not found\n", closes: true },
      { sent: "FILE LIST", answer: header, closes: true },
    ]);
  }
});

Deno.test("a list is CSV, sorted by the bytes of the names and quoted where it must be", async () => {
  await using nodes = await liveNodes(1);
  const { port } = nodes.at(0);
  const names = ["b", "a,b", `say "hi"`, "B", "\u{1F40D}", "\uFF5E", "a b", "-", "tab\there"];
  for (const name of names) await askText(port, `FILE PUSH 1 ${name}\nx`);
  const rows = [
    `-,${port},1`,
    `B,${port},1`,
    `a b,${port},1`,
    `"a,b",${port},1`,
    `b,${port},1`,
    `"say ""hi""",${port},1`,
    `tab\there,${port},1`,
    `\uFF5E,${port},1`,
    `\u{1F40D},${port},1`,
  ];
  await assertAnswers(port, [
    { sent: "FILE LIST", answer: header + rows.map((row) => `${row}\n`).join(""), closes: true },
  ]);
});

Deno.test("FILE GET says size, version and SHA-256 and leaves the connection open", async () => {
  await using nodes = await liveNodes(3);
  await wireRing(nodes.ports);
  await askText(nodes.at(0).port, "FILE PUSH 5 a b\nhello");
  await askText(nodes.at(0).port, "FILE PUSH 0 none\n");
  for (const port of nodes.ports) {
    using client = await LineClient.open(
      port,
      "FILE GET a b\nFILE GET c\nFILE GET none\nNODE PING\n",
    );
    assertMatch(
      await client.line(),
      new RegExp(`^FILE 5 [0-9A-HJKMNP-TV-Z]{26} ${sha256(hello)} a b\n$`),
    );
    assertEquals(await client.text(5), "hello");
    assertEquals(await client.line(), "ERR file not found\n");
    assertMatch(
      await client.line(),
      new RegExp(`^FILE 0 [0-9A-HJKMNP-TV-Z]{26} ${sha256(bytesOf())} none\n$`),
    );
    assertEquals(await client.line(), "PONG\n");
  }
});

Deno.test("NODE INFO tells who answers, and NODE STOP needs to be told the same", async () => {
  await using nodes = await liveNodes(1);
  const { port, address, program } = nodes.at(0);
  const text = await askText(port, "NODE INFO\n");
  assert(text.endsWith("\nOK\n"), text);
  const info = new Map(
    text.split("\n").slice(0, -2).map((line) => {
      const [key = "", ...value] = line.split(": ");
      return [key, value.join(": ")];
    }),
  );
  assertEquals(info.get("address"), address);
  assertEquals(info.get("pid"), String(program.pid));
  assertEquals(info.get("program"), "ouroboros");
  assertMatch(info.get("version") ?? "", /^[0-9]+\.[0-9]+\.[0-9]+/);
  assertMatch(info.get("uptime") ?? "", /^[0-9]+$/);
  assertMatch(info.get("free_bytes") ?? "", /^[0-9]+$/);
  assertMatch(info.get("verbs") ?? "", /FILE GET.*NODE INFO STOP/);
  const incarnation = info.get("incarnation") ?? "";
  await assertAnswers(port, [
    { sent: "NODE STOP", answer: "ERR missing incarnation for NODE STOP\n" },
    { sent: "NODE STOP wrong", answer: "ERR another incarnation runs here\n" },
    { sent: `NODE STOP ${incarnation} too`, answer: "ERR too many parameters for NODE STOP\n" },
  ]);
  assertEquals(await askText(port, `NODE STOP ${incarnation}\n`), "OK\n");
  assertEquals(await program.exited, 0);
});

Deno.test("NODE RESTRICT keeps one connection from wiring and stopping the node", async () => {
  await using nodes = await liveNodes(1);
  const { port } = nodes.at(0);
  const [, incarnation] = /^incarnation: (.+)$/m.exec(await askText(port, "NODE INFO\n")) ?? [];
  const tries = `NODE RESTRICT\nNODE NEXT 127.0.0.1:1\nNODE STOP ${incarnation}\nNODE STATUS\n`;
  assertEquals(
    await askText(port, tries),
    "OK\nERR NODE NEXT is refused on this connection\n" +
      "ERR NODE STOP is refused on this connection\n" +
      `PORT 127.0.0.1:${port}\nNEXT <unset>\nOK\n`,
  );
  await assertAnswers(port, [
    { sent: "NODE NEXT 127.0.0.1:1", answer: "OK next=127.0.0.1:1\n" },
  ]);
});

Deno.test("RING FORWARD goes on to the next hop with one less to live", async () => {
  const [port = 0, nextPort = 0] = portsInRow(2);
  await using nodes = await liveNodes([port]);
  await using next = new OriginalNode({ port: nextPort, dataDir: nodes.dataDir });
  const forwarded = () => next.lines.filter((line) => line.startsWith("RING FORWARD"));
  await assertAnswers(port, [
    { sent: `NODE NEXT 127.0.0.1:${nextPort}`, answer: `OK next=127.0.0.1:${nextPort}\n` },
    { sent: "RING FORWARD 0 nobody hears this", answer: "OK\n" },
    { sent: "RING FORWARD 2 to  all", answer: "OK\n" },
    { sent: "RING FORWARD -1 never", answer: "ERR invalid ttl for RING FORWARD\n" },
  ]);
  await waitUntil("it was forwarded", 5_000, () => forwarded().length > 0);
  assertEquals(forwarded(), ["RING FORWARD 1 to  all"]);
});

Deno.test("a file over the limit is refused, and what came of it is thrown away", async () => {
  await using nodes = await liveNodes(3, { args: ["--file-size=1000"] });
  await wireRing(nodes.ports);
  const { port } = nodes.at(1);
  const drained = 1024 * 1024;
  await assertAnswers(port, [
    {
      sent: bytesOf("FILE PUSH 1000 fits\n", new Uint8Array(1000)),
      answer: "FILE 1000 bytes split into 3 chunks and distributed\nOK\n",
    },
    {
      sent: bytesOf("FILE PUSH 1001 a\n", new Uint8Array(1001)),
      answer: "ERR File size is too large (1001 > 1000)\n",
    },
    {
      sent: bytesOf(`FILE PUSH ${drained} a\n`, new Uint8Array(drained).fill(10)),
      answer: `ERR File size is too large (${drained} > 1000)\n`,
    },
    {
      sent: bytesOf(`FILE PUSH ${drained + 1} a\n`, new Uint8Array(drained + 1).fill(10)),
      answer: `ERR File size is too large (${drained + 1} > 1000)\n`,
      closes: true,
    },
    { sent: "FILE LIST", answer: `${header}fits,${port},1000\n`, closes: true },
  ]);
  for (const each of nodes.ports) assertEquals(await stagedFiles(nodes.dataDir, each), []);
});
