/**
 * How the protocol is framed, as PROTOCOL.md has it: lines, counted bodies, and connections that carry
 * many commands.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { assertAnswers, bytesOf, LineClient } from "../support/line_client.ts";
import { liveNodes, wireRing } from "../support/live_node.ts";

function stored(size: number, name: string): string {
  return `FILE ${size} bytes '${name}' stored locally\nOK\n`;
}

function unset(address: string): string {
  return `PORT ${address}\nNEXT <unset>\nOK\n`;
}

Deno.test("noun and verb are read in any case, and a \\r before the line end is dropped", async () => {
  await using nodes = await liveNodes(1);
  const { port, address } = nodes.at(0);
  await assertAnswers(port, [
    { sent: "node ping", answer: "PONG\n" },
    { sent: "NoDe StAtUs", answer: unset(address) },
    { sent: "NODE PING\r\n", answer: "PONG\n" },
    { sent: "NODE STATUS\r\n", answer: unset(address) },
    { sent: "file push 1 Aa\r\nx", answer: stored(1, "Aa") },
    { sent: "file pull Aa\r\n", answer: "x", closes: true },
    { sent: "file pull aa\r\n", answer: "ERR file not found\n", closes: true },
    { sent: "File List\r\n", answer: `name,start,size\nAa,${port},1\n`, closes: true },
    { sent: "FILE PUSH 2 crlf\n\r\n", answer: stored(2, "crlf") },
    { sent: "FILE PULL crlf", answer: "\r\n", closes: true },
  ]);
});

Deno.test("a last line without a line end counts once the client ends its side", async () => {
  await using nodes = await liveNodes(1);
  const { port, address } = nodes.at(0);
  const lasts = [
    ["NODE PING", "PONG\n"],
    ["NODE PING\r", "PONG\n"],
    ["NODE STATUS", unset(address)],
    ["NODE PING\nFOO", "PONG\nERR unknown command namespace: 'FOO'\n"],
    ["FILE PULL a", "ERR file not found\n"],
    ["", ""],
    ["\n", "ERR empty command\n"],
  ] as const;
  for (const [sent, answer] of lasts) {
    using client = await LineClient.open(port, sent);
    await client.endSending();
    assertEquals(await client.restText(), answer, sent);
  }
});

Deno.test("commands that come byte by byte are answered as those that come at once", async () => {
  await using nodes = await liveNodes(1);
  using client = await LineClient.open(nodes.at(0).port);
  const sent = bytesOf("NODE PING\r\nFILE PUSH 12 ü\nNODE PING\n\0\nFOO\nFILE PULL ü\n");
  for (const at of sent.keys()) await client.send(sent.subarray(at, at + 1));
  assertEquals(
    await client.restText(),
    `PONG\n${stored(12, "ü")}ERR unknown command namespace: 'FOO'\nNODE PING\n\0\n`,
  );
});

Deno.test("commands may be sent ahead: each answer is whole and in its turn", async () => {
  await using nodes = await liveNodes(3);
  await wireRing(nodes.ports);
  const [port = 0, next] = nodes.ports;
  const sent: Uint8Array[] = [];
  let answers = "";
  for (let turn = 0; turn < 60; turn++) {
    const size = [0, 1, 7, 5_000][turn % 4] ?? 0;
    // A body that is taken for commands would be answered.
    const body = bytesOf("\nNODE PING\nFILE DELETE f\n".repeat(250)).subarray(0, size);
    sent.push(bytesOf(`FILE PUSH ${size} f\n`, body, "NODE PING\nFOO\nFILE PUSH 2\n\n\n"));
    answers += `FILE ${size} bytes split into 3 chunks and distributed\nOK\n` +
      "PONG\nERR unknown command namespace: 'FOO'\nERR missing file name for FILE PUSH\n";
    sent.push(bytesOf("NODE STATUS\r\nRING FORWARD 0 x\n"));
    answers += `PORT 127.0.0.1:${port}\nNEXT 127.0.0.1:${next}\nOK\nOK\n`;
  }
  using client = await LineClient.open(port);
  const reading = client.text(bytesOf(answers).length);
  await client.send(bytesOf(...sent));
  assertEquals(await reading, answers);
  await client.send("FILE LIST\nNODE PING\n");
  assertEquals(await client.restText(), `name,start,size\nf,${port},5000\n`);
});

Deno.test("what is no command is answered with an error, and the connection stays usable", async () => {
  await using nodes = await liveNodes(1);
  await assertAnswers(nodes.at(0).port, [
    { sent: "", answer: "ERR empty command\n" },
    { sent: "   ", answer: "ERR empty command\n" },
    { sent: "FOO", answer: "ERR unknown command namespace: 'FOO'\n" },
    { sent: "FOO BAR baz", answer: "ERR unknown command namespace: 'FOO'\n" },
    { sent: "NODE", answer: "ERR unknown NODE command\n" },
    { sent: "NODE FLY", answer: "ERR unknown NODE command\n" },
    { sent: "NODEPING", answer: "ERR unknown command namespace: 'NODEPING'\n" },
    { sent: "NETMAP FLY", answer: "ERR unknown NETMAP command\n" },
    { sent: "TOPOLOGY FLY", answer: "ERR unknown TOPOLOGY command\n" },
    { sent: "FILE FLY a", answer: "ERR unknown FILE command\n" },
    { sent: "FILE", answer: "ERR unknown FILE command\n" },
    { sent: "RING FLY", answer: "ERR unknown RING command\n" },
    { sent: "NODE NEXT", answer: "ERR missing address for NODE NEXT\n" },
    { sent: "NODE NEXT 7001", answer: "ERR invalid address for NODE NEXT\n" },
    { sent: "NODE NEXT 127.0.0.1:0", answer: "ERR invalid address for NODE NEXT\n" },
    { sent: "NODE NEXT 127.0.0.1:65536", answer: "ERR invalid address for NODE NEXT\n" },
    { sent: "FILE PULL", answer: "ERR missing file name for FILE PULL\n" },
    { sent: "FILE PULL ", answer: "ERR missing file name for FILE PULL\n" },
    { sent: "FILE GET", answer: "ERR missing file name for FILE GET\n" },
    { sent: "FILE GET-CHUNK", answer: "ERR missing chunk name for FILE GET-CHUNK\n" },
    { sent: "FILE GET-CHUNK a", answer: "ERR invalid chunk name 'a'\n" },
    { sent: "NETMAP SET 7000=Asleep", answer: "ERR invalid entries for NETMAP SET\n" },
    { sent: "TOPOLOGY SET 7000-7001", answer: "ERR invalid history for TOPOLOGY SET\n" },
    { sent: "FILE TAGS-SET a:7000", answer: "ERR invalid tags for FILE TAGS-SET\n" },
  ]);
});

Deno.test("a body is never taken for commands, whatever is wrong with the command", async () => {
  await using nodes = await liveNodes(1);
  const { port } = nodes.at(0);
  const evil = "FILE PUSH 4 evil\nevil";
  await assertAnswers(port, [
    { sent: `FILE PUSH ${evil.length}\n${evil}`, answer: "ERR missing file name for FILE PUSH\n" },
    { sent: `FILE PUSH ${evil.length} ..\n${evil}`, answer: "ERR invalid file name '..'\n" },
    // Nobody can say how long these bodies are.
    { sent: `FILE PUSH\n${evil}`, answer: "ERR invalid size for FILE PUSH\n", closes: true },
    ...["x", "-1", "1.5", "0x10", "1e3", "+1", "", "99999999999999999999"].map((size) => ({
      sent: `FILE PUSH ${size} a\n${evil}`,
      answer: "ERR invalid size for FILE PUSH\n",
      closes: true,
    })),
    ...["3", "-1", "x", ""].map((index) => ({
      sent: `FILE RELAY-STREAM t 127.0.0.1:1 9 3 ${index} a\n${evil}`,
      answer: "ERR bad FILE RELAY-STREAM index\n",
      closes: true,
    })),
    { sent: "FILE LIST", answer: "name,start,size\n", closes: true },
  ]);
});

Deno.test("a line may have 64 KiB, a list 16 MiB", async () => {
  await using nodes = await liveNodes(1);
  const { port } = nodes.at(0);
  const lineBytes = 64 * 1024;
  const listBytes = 16 * 1024 * 1024;
  const pull = (bytes: number) => "FILE PULL ".padEnd(bytes, "n");
  const tags = (bytes: number) => "FILE TAGS-SET ".padEnd(bytes, ";");
  await assertAnswers(port, [
    {
      sent: pull(lineBytes),
      answer: `ERR file name too long (${lineBytes - 10} > 200 bytes)\n`,
    },
    {
      sent: `${pull(lineBytes)}\r\n`,
      answer: `ERR file name too long (${lineBytes - 10} > 200 bytes)\n`,
    },
    { sent: pull(lineBytes + 1), answer: "ERR line too long\n", closes: true },
    { sent: "X".repeat(lineBytes + 1), answer: "ERR line too long\n", closes: true },
    { sent: tags(lineBytes + 1), answer: "OK\n" },
    { sent: "NETMAP SET ".padEnd(lineBytes + 1, ","), answer: "OK\n" },
    { sent: "topology set ".padEnd(lineBytes + 1, ";"), answer: "OK\n" },
    { sent: tags(listBytes), answer: "OK\n" },
    { sent: tags(listBytes + 1), answer: "ERR line too long\n", closes: true },
    { sent: "NETMAP GET", answer: "(empty)\nOK\n" },
  ]);
});
