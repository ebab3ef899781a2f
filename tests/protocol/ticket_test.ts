import { assert, assertEquals, assertThrows } from "@std/assert";
import { formatAddress, type NodeAddress } from "../../src/protocol/address.ts";
import { lineBytesMax, partsMax } from "../../src/protocol/limits.ts";
import { parseCommand } from "../../src/protocol/parse.ts";
import type { PushTicket } from "../../src/protocol/record.ts";
import { formatTicket, parseTicket } from "../../src/protocol/ticket.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { local, nasty, randomAddress } from "./samples.ts";

const pure = { permissions: "none" } as const;

const pushId = "01HF7YAT000000000000000000";

function ticketOf(
  nodes: readonly NodeAddress[],
  copies = 1,
  parts = nodes.length,
): PushTicket {
  return { pushId, coordinator: nodes[0] ?? local(1), incarnation: "5f1c-_", nodes, copies, parts };
}

Deno.test("parseTicket() is inverse to formatTicket()", pure, () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const random = new SeededRandom(seed);
    const count = 1 + random.integer(30);
    const ring = Array.from({ length: count }, (_, i) => local(7000 + (i + seed) % count));
    const mixed = [...new Set(Array.from({ length: count }, () => randomAddress(random)))];
    for (const nodes of [ring, mixed]) {
      const ticket = ticketOf(
        nodes,
        1 + random.integer(Math.min(4, nodes.length)),
        1 + random.integer(nodes.length),
      );
      const token = formatTicket(ticket);
      assertEquals(parseTicket(token), ticket, `seed ${seed}: ${token}`);
      const line = `FILE RELAY-STREAM ${token} ${local(7000)} 10 5 1 x`;
      assert(parseCommand(line).ok, `seed ${seed}: ${token}`);
    }
  }
});

Deno.test("formatTicket() writes ports in a row as a range", pure, () => {
  const nodes = [7003, 7004, 7000, 7001, 7002, 7010].map(local);
  assertEquals(
    formatTicket(ticketOf([...nodes, formatAddress("::1", 7011)], 2)),
    `o2.${pushId}.5f1c-_.2.7.127.0.0.1:7003-7004+7000-7002+7010,[::1]:7011`,
  );
});

Deno.test("formatTicket() fits the largest ring on one host into a line", pure, () => {
  // No two ports follow each other: the worst case.
  const nodes = Array.from({ length: partsMax }, (_, i) => local(65535 - 2 * i));
  assert(formatTicket(ticketOf(nodes)).length < lineBytesMax - 1000);
});

Deno.test("formatTicket() refuses a ticket that could not be read again", pure, () => {
  const good = ticketOf([local(7000), local(7001)], 2);
  formatTicket(good);
  for (
    const wrong of [
      { ...good, coordinator: local(7001) },
      { ...good, copies: 0 },
      { ...good, copies: 3 },
      { ...good, parts: 0 },
      { ...good, parts: 3 },
      { ...good, pushId: "a.b" },
      { ...good, incarnation: "a b" },
      { ...good, nodes: [] },
      { ...good, nodes: [local(7000), local(7000)] },
    ]
  ) {
    assertThrows(() => formatTicket(wrong), RangeError, "Cannot write a ticket");
  }
});

Deno.test("parseTicket() gives undefined for any other token", pure, () => {
  const tokens = [
    "",
    "o2.",
    "o2.....",
    "relay-17",
    "o1.a.b.1.127.0.0.1:7000",
    "o2.a.b.1.1.",
    "o2.a.b.1.1.7000",
  ];
  tokens.push(
    "o2.a.b.0.1.a:1",
    "o2.a.b.2.1.a:1",
    "o2.a.b.5.1.a:1-9",
    "o2.a.b.x.1.a:1",
    "o2.a.b.1.0.a:1",
    "o2.a.b.1.2.a:1",
    "o2.a.b.1.x.a:1",
    "o2..b.1.1.a:1",
    "o2.a..1.1.a:1",
  );
  tokens.push(
    "o2.a.b.1.1.a:2-1",
    "o2.a.b.1.1.a:1-65536",
    "o2.a.b.1.1.a:1+1",
    "o2.a.b.1.1.a:1,a:1",
    "o2.a.b.1.1.a:1-20000",
  );
  tokens.push("o2.a.b.1.1.a:1,", "o2.a.b.1.1.a:1+", "o2.a.b.1.1.a:0-5", "o2.a.b.1.1.a:1-2-3");
  for (const token of tokens) assertEquals(parseTicket(token), undefined, token);
  for (let seed = 1; seed <= 5000; seed++) {
    const token = `o2.${
      new SeededRandom(seed).text([...nasty, "a", "1", ".", "+", "-", "1."], 20)
    }`;
    const ticket = parseTicket(token);
    if (ticket !== undefined) assertEquals(parseTicket(formatTicket(ticket)), ticket, token);
  }
});
