import { assert, assertEquals } from "@std/assert";
import {
  eventKinds,
  eventLineBytesMax,
  eventTextMax,
  formatEvent,
  formatEventLine,
  parseEvent,
  parseEventId,
  parseEventLine,
  type RingEvent,
} from "../../src/protocol/ring_event.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { local, nasty } from "./samples.ts";

const pure = { permissions: "none" } as const;

/** An event of a kind with every field that any kind has. */
function eventOf(kind: string, random: SeededRandom): Record<string, unknown> {
  const text = () => random.text(nasty, 30).toWellFormed();
  return {
    id: `k3f-${random.integer(1e9)}`,
    timeMs: random.integer(1e12),
    by: local(7000),
    kind,
    node: local(7001),
    name: text(),
    reason: text(),
    version: "01HF7YAT000000000000000000",
    ...Object.fromEntries(
      ["epoch", "attempt", "size", "part", "count", "checked", "repaired", "lost"]
        .map((field) => [field, random.integer(1e6)]),
    ),
    seconds: 1.5,
  };
}

Deno.test("parseEvent() reads what formatEvent() writes, of every kind", pure, () => {
  const random = new SeededRandom(6);
  for (const kind of eventKinds) {
    const event = parseEvent(JSON.stringify(eventOf(kind, random)));
    assert(event !== undefined, kind);
    assertEquals(event.kind, kind);
    const line = formatEvent(event);
    assert(!line.includes("\n"), line);
    assertEquals(parseEvent(line), event);
    const sent = formatEventLine({ kind: "event", event });
    assertEquals(parseEventLine(sent.slice(0, -1)), { kind: "event", event });
  }
});

Deno.test(
  "parseEvent() leaves out what it does not know, and refuses what is no event",
  pure,
  () => {
    const good = {
      ...{ id: "k3f-1", timeMs: 1, by: local(7000), node: local(7001) },
      ...{ kind: "node-died", epoch: 3, reason: "silent" },
    };
    assertEquals(parseEvent(JSON.stringify({ ...good, more: "x" })), good as RingEvent);
    const bad: readonly unknown[] = [
      { ...good, kind: "node-married" },
      { ...good, kind: "toString" },
      { ...good, id: "1" },
      { ...good, timeMs: "now" },
      { ...good, timeMs: -1 },
      { ...good, node: "somewhere" },
      { ...good, by: 7000 },
      { ...good, epoch: "3" },
      { ...good, reason: undefined },
      [good],
      null,
      7,
    ];
    for (const each of bad) assertEquals(parseEvent(JSON.stringify(each)), undefined);
    assertEquals(parseEvent("{"), undefined);
  },
);

Deno.test("formatEvent() cuts texts, so that every line is short", pure, () => {
  const event: RingEvent = {
    ...{ id: `${"z".repeat(32)}-9007199254740991`, timeMs: 1, by: local(7000), node: local(7001) },
    ...{ kind: "chunk-damaged", part: 1, name: "\0".repeat(10_000), reason: "漢".repeat(10_000) },
  };
  const line = formatEventLine({ kind: "event", event });
  assert(new TextEncoder().encode(line).length < eventLineBytesMax);
  const read = parseEvent(formatEvent(event));
  assert(read?.kind === "chunk-damaged");
  assertEquals(read.reason.length, eventTextMax);
});

Deno.test("parseEventId() and parseEventLine() refuse what is none", pure, () => {
  for (const text of ["", "0", "k3f", "k3f-", "-1", "k 3-1", "k3f-1x", `${"z".repeat(33)}-1`]) {
    assertEquals(parseEventId(text), undefined, text);
  }
  for (const text of ["", "idle", "MISSED", "MISSED x", "EVENT", "EVENT {}", "OK"]) {
    assertEquals(parseEventLine(text), undefined, text);
  }
  assertEquals(formatEventLine({ kind: "missed", count: 3 }), "MISSED 3\n");
  assertEquals(formatEventLine({ kind: "idle" }), "IDLE\n");
});
