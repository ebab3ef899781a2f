/**
 * What a web page can make a browser send to a node's port: it changes nothing, as the connection ends
 * with the first line that is HTTP.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { bytesOf, LineClient } from "../support/line_client.ts";
import { liveNodes, wireRing } from "../support/live_node.ts";
import { askText } from "../support/live_ring.ts";
import { stagedFiles } from "../support/ring_disk.ts";
import { list, listOf, push } from "../support/wire_client.ts";

/** What a page would like the node to do. */
const evil = "FILE DELETE kept\nFILE PUSH 4 evil\nevil\nNODE NEXT 127.0.0.1:1\n";

const lines = "Origin: http://evil.example\r\nContent-Type: text/plain\r\n" +
  `Content-Length: ${evil.length}\r\n\r\n`;

/** Requests as browsers send them, and as other senders of HTTP would. */
const requests: readonly string[] = [
  `POST / HTTP/1.1\r\nHost: 127.0.0.1:7000\r\n${lines}${evil}`,
  `POST /file/push HTTP/1.0\r\n${lines}${evil}`,
  `GET /?%0AFILE%20DELETE%20kept HTTP/1.1\r\nHost: localhost\r\n\r\n${evil}`,
  `FILE DELETE kept HTTP/1.1\nHost: x\n${evil}`,
  `FILE PUSH 4 evil HTTP/1.1\r\nevil`,
  `OPTIONS * HTTP/1.1\n${evil}`,
  `Host: 127.0.0.1\r\n${evil}`,
  `hOST:127.0.0.1\n${evil}`,
];

Deno.test("a browser's request to a node changes nothing and is not answered", async () => {
  await using nodes = await liveNodes(3);
  await wireRing(nodes.ports);
  const [port = 0, next] = nodes.ports;
  await push(port, "kept", bytesOf("kept"));
  for (const request of requests) {
    using client = await LineClient.open(port, request);
    assertEquals(await client.restText(), "", request);
  }
  // What came before the request is answered, what comes behind it is not even read.
  using late = await LineClient.open(port, `NODE PING\nFOO\n${requests[0]}`);
  const refused = "ERR unknown command namespace: 'FOO'\n";
  assertEquals(await late.restText(), `PONG\n${refused}`);
  for (const each of nodes.ports) {
    assertEquals(await list(each), listOf([{ name: "kept", start: port, size: 4 }]));
    assertEquals(await askText(each, "FILE PULL kept\n"), "kept");
    assertEquals(await stagedFiles(nodes.dataDir, each), []);
  }
  const status = `PORT 127.0.0.1:${port}\nNEXT 127.0.0.1:${next}\nOK\n`;
  assertEquals(await askText(port, "NODE STATUS\n"), status);
});

Deno.test("lines that only speak of HTTP are commands, and bodies may be HTTP", async () => {
  await using nodes = await liveNodes(1);
  const { port } = nodes.at(0);
  const body = requests[0] ?? "";
  await push(port, "HTTP/1.1 explained.txt", bytesOf(body));
  assertEquals(await askText(port, "FILE PULL 1.1 explained.txt\n"), body);
  assertEquals(await askText(port, "NODE PING HTTP/2\nNODE PING\n"), "PONG\nPONG\n");
});
