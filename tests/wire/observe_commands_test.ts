/**
 * What a node tells those who watch it: `NODE METRICS` and `RING EVENTS`.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type NodeMetrics, parseMetrics } from "../../src/protocol/node_metrics.ts";
import { parseEventLine, type RingEvent } from "../../src/protocol/ring_event.ts";
import { LineClient } from "../support/line_client.ts";
import { liveNodes } from "../support/live_node.ts";
import { ask, askText } from "../support/live_ring.ts";
import { waitUntil } from "../support/program.ts";

/** Asks for the metrics; fails when the answer is not as long as it says. */
async function metricsOf(port: number): Promise<NodeMetrics> {
  const answer = new TextDecoder().decode(await ask(port, "NODE METRICS\n"));
  const [head = "", body = ""] = answer.split("\n", 2);
  assertEquals(head, `METRICS ${body.length}`);
  return parseMetrics(body);
}

/** The next event that is told on a connection. */
async function nextEvent(client: LineClient): Promise<RingEvent> {
  const line = parseEventLine((await client.line()).trimEnd());
  assert(line?.kind === "event", JSON.stringify(line));
  return line.event;
}

Deno.test("a node tells what it counts, and what happens to it", async (t) => {
  await using nodes = await liveNodes(1);
  const { port, address } = nodes.at(0);

  await t.step("NODE METRICS counts commands, bytes, files and connections", async () => {
    const before = await metricsOf(port);
    assertEquals(before.operations.push, undefined);
    assertEquals(before.chunks.content, { count: 0, bytes: 0 });
    await askText(port, "FILE PUSH 5 a.txt\nhello");
    await askText(port, "FILE GET a.txt\n");
    await askText(port, "FILE GET b.txt\n");
    await askText(port, "FILE FOO\n");
    await waitUntil("what is stored was counted anew", 5_000, async () => {
      return (await metricsOf(port)).chunks.content.count === 1;
    });
    const { operations, ...after } = await metricsOf(port);
    const { push, get, invalid } = operations;
    assertEquals([push?.durations.count, push?.errors, push?.receivedBytes], [1, 0, 5]);
    assertEquals(push?.sentBytes, "FILE 5 bytes 'a.txt' stored locally\nOK\n".length);
    assertEquals([get?.durations.count, get?.errors], [2, 1]);
    assertMatch(await askText(port, "FILE GET a.txt\n"), /\nhello$/);
    assertEquals([invalid?.durations.count, invalid?.errors], [1, 1]);
    assert((push?.durations.sum ?? 0) > 0);
    assertEquals(after.run, before.run);
    assertEquals(after.chunks.content, { count: 1, bytes: 5 });
    assertEquals(after.records.files, { count: 1, bytes: 5 });
    assertEquals(after.members, { known: 1, alive: 1 });
    assert(after.connections.open >= 1);
    assert(after.connections.accepted >= before.connections.accepted + 5);
    assert(after.disk.freeBytes > 0 && after.disk.sizeBytes > after.disk.freeBytes);
    assert(after.memory.residentBytes > 10_000_000);
  });

  await t.step("RING EVENTS tells what was, then what happens, on an open connection", async () => {
    using listener = await LineClient.open(port, "RING EVENTS 0\n");
    assertEquals(await listener.line(), "OK\n");
    const stored = await nextEvent(listener);
    assert(stored.kind === "file-stored");
    assertEquals([stored.by, stored.node, stored.name, stored.size], [
      address,
      address,
      "a.txt",
      5,
    ]);
    await askText(port, "FILE DELETE a.txt\n");
    const deleted = await nextEvent(listener);
    assert(deleted.kind === "file-deleted");
    assertEquals(deleted.name, "a.txt");
    assertEquals((await metricsOf(port)).events, { told: 2, listeners: 1 });

    using later = await LineClient.open(port, `RING EVENTS ${stored.id}\n`);
    assertEquals(await later.line(), "OK\n");
    assertEquals(await nextEvent(later), deleted);
    await later.endSending();
    assertEquals(await later.restText(), "", "it ends when the listener does");
  });

  await t.step("RING EVENTS is for few, and for nobody behind a gateway", async () => {
    await waitUntil("who has gone is no listener", 5_000, async () => {
      return (await metricsOf(port)).events.listeners === 0;
    });
    const listeners = await Promise.all(
      Array.from({ length: 8 }, () => LineClient.open(port, "RING EVENTS 0\n")),
    );
    for (const listener of listeners) assertEquals(await listener.line(), "OK\n");
    assertEquals(await askText(port, "RING EVENTS 0\nNODE PING\n"), "ERR busy\nPONG\n");
    for (const listener of listeners) listener.close();
    assertEquals(
      await askText(port, "NODE RESTRICT\nRING EVENTS 0\nNODE PING\n"),
      "OK\nERR RING EVENTS is refused on this connection\nPONG\n",
    );
  });
});
