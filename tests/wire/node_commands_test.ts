/**
 * The commands of nodes between each other about the ring, row by row as PROTOCOL.md has them. The
 * neighbours that they are passed on to are stand-ins that note what they hear.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { assertAnswers } from "../support/line_client.ts";
import { liveNodes, portsInRow, wireRing } from "../support/live_node.ts";
import { askText } from "../support/live_ring.ts";
import { OriginalNode } from "../support/original_node.ts";
import { waitUntil } from "../support/program.ts";

/** Waits for a line that a stand-in hears, and gives it. */
async function heard(node: OriginalNode, pattern: RegExp): Promise<string> {
  await waitUntil(
    `it hears ${pattern}`,
    10_000,
    () => node.lines.some((line) => pattern.test(line)),
  );
  return node.lines.find((line) => pattern.test(line)) ?? "";
}

Deno.test("a walk goes on to the next hop with this node added, and home from the last one", async () => {
  const [port = 0, nextPort = 0, startPort = 0] = portsInRow(3);
  await using nodes = await liveNodes([port]);
  await using next = new OriginalNode({ port: nextPort, dataDir: nodes.dataDir });
  await using start = new OriginalNode({ port: startPort, dataDir: nodes.dataDir });
  const from = `127.0.0.1:${startPort}`;
  const entry = `${startPort}=Alive`;
  const edge = `${startPort}->${port}`;
  await assertAnswers(port, [
    { sent: `NODE NEXT 127.0.0.1:${nextPort}`, answer: `OK next=127.0.0.1:${nextPort}\n` },
    { sent: `NETMAP HOP t1 ${from} ${entry}`, answer: "OK\n" },
    { sent: `TOPOLOGY HOP t2 ${from} ${edge}`, answer: "OK\n" },
    { sent: `NODE HEAL-HOP t3 ${from}`, answer: "OK\n" },
  ]);
  assertEquals(await heard(next, /^NETMAP HOP/), `NETMAP HOP t1 ${from} ${entry},${port}=Alive`);
  assertEquals(
    await heard(next, /^TOPOLOGY HOP/),
    `TOPOLOGY HOP t2 ${from} ${edge};${port}->${nextPort}`,
  );
  assertEquals(await heard(next, /^NODE HEAL-/), `NODE HEAL-HOP t3 ${from}`);
  await assertAnswers(port, [
    { sent: `NODE NEXT ${from}`, answer: `OK next=${from}\n` },
    { sent: `NETMAP HOP t4 ${from} ${entry}`, answer: "OK\n" },
    { sent: `TOPOLOGY HOP t5 ${from} ${edge}`, answer: "OK\n" },
    { sent: `NODE HEAL-HOP t6 ${from}`, answer: "OK\n" },
  ]);
  assertEquals(await heard(start, /^NETMAP DONE/), `NETMAP DONE t4 ${entry},${port}=Alive`);
  assertEquals(
    await heard(start, /^TOPOLOGY DONE/),
    `TOPOLOGY DONE t5 ${edge};${port}->${startPort}`,
  );
  assertEquals(await heard(start, /^NODE HEAL-/), "NODE HEAL-DONE t6");
});

Deno.test("the walks of a node begin at its next hop with itself", async () => {
  const [port = 0, nextPort = 0] = portsInRow(2);
  await using nodes = await liveNodes([port]);
  await using next = new OriginalNode({ port: nextPort, dataDir: nodes.dataDir });
  await askText(port, `NODE NEXT 127.0.0.1:${nextPort}\n`);
  await askText(nextPort, `NODE NEXT 127.0.0.1:${port}\n`);
  await assertAnswers(port, [
    { sent: "NETMAP DISCOVER", answer: "OK\n" },
    { sent: "TOPOLOGY WALK", answer: `${port}->${nextPort}\n${nextPort}->${port}\nOK\n` },
    { sent: "NODE HEAL", answer: "OK network healed\n" },
  ]);
  const token = "[!-~]+";
  const [netmap, topology, heal] = await Promise.all([
    heard(next, /^NETMAP HOP/),
    heard(next, /^TOPOLOGY HOP/),
    heard(next, /^NODE HEAL-HOP/),
  ]);
  assertMatch(netmap, new RegExp(`^NETMAP HOP ${token} 127.0.0.1:${port} ${port}=Alive$`));
  assertMatch(
    topology,
    new RegExp(`^TOPOLOGY HOP ${token} 127.0.0.1:${port} ${port}->${nextPort}$`),
  );
  assertMatch(heal, new RegExp(`^NODE HEAL-HOP ${token} 127.0.0.1:${port}$`));
  const entries = `${port}=Alive,${nextPort}=Alive`;
  assertEquals(await heard(next, /^NETMAP SET/), `NETMAP SET ${entries}`);
  assertEquals(
    await heard(next, /^TOPOLOGY SET/),
    `TOPOLOGY SET ${port}->${nextPort};${nextPort}->${port}`,
  );
});

Deno.test("what a node is told of the ring is answered OK, repeated or unasked too", async () => {
  await using nodes = await liveNodes(2);
  const [port = 0, other = 0] = nodes.ports;
  const edges = `${port}->${other};${other}->${port}`;
  await assertAnswers(port, [
    { sent: "NODE HEAL-DONE nobody-waits", answer: "OK\n" },
    { sent: "TOPOLOGY DONE nobody-waits 1->2", answer: "OK\n" },
    { sent: "NETMAP DONE nobody-waits 1=Alive", answer: "OK\n" },
    { sent: "NETMAP GET", answer: "(empty)\nOK\n" },
    { sent: `NETMAP SET ${other}=Dead,${port}=Alive`, answer: "OK\n" },
    {
      sent: "NETMAP GET",
      answer: [[port, "Alive"], [other, "Dead"]].map(([at, is]) => `${at}=${is}\n`).join("") +
        "OK\n",
    },
    { sent: `NETMAP SET ${other}=Alive,${port}=Alive`, answer: "OK\n" },
    { sent: `TOPOLOGY SET ${edges}`, answer: "OK\n" },
    { sent: `TOPOLOGY SET ${edges};`, answer: "OK\n" },
    { sent: "NETMAP SET", answer: "OK\n" },
    { sent: "NETMAP GET", answer: `${port}=Alive\n${other}=Alive\nOK\n` },
    { sent: "NODE STATUS", answer: `PORT 127.0.0.1:${port}\nNEXT 127.0.0.1:${other}\nOK\n` },
  ]);
});

Deno.test("a walk whose next hop is gone is answered in the end, and not by silence", async () => {
  await using nodes = await liveNodes(3);
  const [first = 0, second = 0, third = 0] = nodes.ports;
  await wireRing(nodes.ports);
  nodes.at(1).program.signal("SIGKILL");
  await nodes.at(1).program.exited;
  await assertAnswers(first, [{
    sent: "TOPOLOGY WALK",
    answer: `${first}->${second}\n${second}->${third}\n${third}->${first}\nOK\n`,
  }]);
  await waitUntil("all know of the death", 10_000, async () => {
    const netmap = `${first}=Alive\n${second}=Dead\n${third}=Alive\nOK\n`;
    return await askText(first, "NETMAP GET\n") === netmap &&
      await askText(third, "NETMAP GET\n") === netmap;
  });
});
