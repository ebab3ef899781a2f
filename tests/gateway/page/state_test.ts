import { assert, assertEquals } from "@std/assert";
import { sortRows } from "../../../src/gateway/dashboard/page/model/file_list.js";
import { describeRing, parseNodes } from "../../../src/gateway/dashboard/page/model/nodes.js";
import { toLogEntry } from "../../../src/gateway/dashboard/page/model/ring_events.js";
import {
  changed,
  initialState,
  logMax,
  noticesMax,
} from "../../../src/gateway/dashboard/page/model/state.js";
import { eventKinds } from "../../../src/protocol/ring_event.ts";

const pure = { permissions: "none" } as const;
const nowMs = 1_700_000_000_000;

type State = ReturnType<typeof initialState>;
type Change = Parameters<typeof changed>[1];

const nodes = parseNodes({
  nodes: [7000, 7001, 7002].map((port) => ({ address: `127.0.0.1:${port}`, status: "Alive" })),
});

function after(...changes: Change[]): State {
  return changes.reduce(changed, initialState(nowMs));
}

function event(number: number, told: Record<string, unknown>): Change {
  const [by, node] = ["127.0.0.1:7000", "127.0.0.1:7001"];
  const kind = "node-died";
  return {
    kind: "event",
    event: { id: `k-${number}`, timeMs: nowMs + number, by, node, kind, ...told },
  };
}

Deno.test("the state of a node follows its events", pure, () => {
  const states = (...changes: Change[]) =>
    after({ kind: "nodes", nodes }, ...changes).nodes.map(({ state }) => state);
  assertEquals(states(), ["alive", "alive", "alive"]);
  const died = event(1, { kind: "node-died" });
  const joining = event(2, { kind: "node-joining" });
  assertEquals(states(died), ["alive", "dead", "alive"]);
  assertEquals(states(died, joining), ["alive", "waiting", "alive"]);
  assertEquals(states(died, joining, event(3, { kind: "node-alive" })), [
    ...["alive", "alive", "alive"],
  ]);
});

Deno.test("an event that is told again changes nothing", pure, () => {
  const died = event(1, { kind: "node-died" });
  const back = event(2, { kind: "node-alive" });
  const state = after({ kind: "nodes", nodes }, died, back);
  assertEquals(changed(state, died), state);
});

Deno.test("what happened long ago is told, and says nothing of what is now", pure, () => {
  const old = { timeMs: nowMs - 3_600_000 };
  const died = event(1, { kind: "node-died", ...old });
  const stored = event(2, { kind: "file-stored", name: "a", size: 1, ...old });
  const { nodes: states, files, log } = after({ kind: "nodes", nodes }, died, stored);
  assertEquals([states, files, log.length], [nodes, [], 2]);
});

Deno.test("the log is in the order of time, newest first, and has an end", pure, () => {
  const numbers = [5, 1, 9, ...Array.from({ length: logMax + 20 }, (_, index) => index + 10)];
  const { log } = after(...numbers.map((number) => event(number, {})));
  assertEquals(log.length, logMax);
  const times = log.map(({ timeMs }) => timeMs);
  assertEquals(times, times.toSorted((a, b) => b - a));
});

Deno.test("every kind of event that there is has a sentence", pure, () => {
  const told = { name: "a.txt", size: 5, count: 2, part: 1, seconds: 1.25, reason: "refused" };
  for (const kind of eventKinds) {
    const base = { id: "k-1", timeMs: nowMs, by: "127.0.0.1:7000", node: "127.0.0.1:7001" };
    const text = toLogEntry({ ...base, ...told, checked: 3, repaired: 1, lost: 0, kind })?.text ??
      "";
    assert(text.length > 8 && !/undefined|NaN/.test(text), `${kind}: '${text}'`);
  }
  const base = { id: "k-1", timeMs: nowMs, by: "a:1", node: "a:2" };
  assertEquals(toLogEntry({ ...base, kind: "something-new" }), undefined);
});

Deno.test("the list of files follows their events, within what is searched for", pure, () => {
  const stored = (number: number, name: string) =>
    event(number, { kind: "file-stored", name, size: number });
  const list = (...changes: Change[]) => after(...changes).files.map(({ name }) => name);
  const gone = event(3, { kind: "file-deleted", name: "a" });
  assertEquals(list(stored(1, "a"), stored(2, "b")), ["a", "b"]);
  assertEquals(list(stored(1, "a"), stored(2, "b"), gone), ["b"]);
  const again = after(stored(1, "a"), stored(2, "a")).files;
  assertEquals(again.map(({ name, size }) => [name, size]), [["a", 2]]);
  assertEquals(list({ kind: "prefix", prefix: "b" }, stored(1, "a"), stored(2, "b")), ["b"]);
});

Deno.test("a file that is deleted is selected no longer", pure, () => {
  const selection = { kind: "file", name: "a" } as const;
  const gone = event(1, { kind: "file-deleted", name: "a" });
  assertEquals(after({ kind: "select", selection }, gone).selection, undefined);
});

Deno.test("an answer about what is selected no longer is dropped", pure, () => {
  const detail = { name: "a", sha256: "", parts: [] };
  const late: Change = { kind: "detail", name: "a", detail };
  const selection = { kind: "file", name: "b" } as const;
  assertEquals(after({ kind: "select", selection }, late).selection, selection);
});

Deno.test("traffic is what the counters gained, also when they begin again", pure, () => {
  const count = (received: number, sent: number): Change => ({ kind: "counters", received, sent });
  const { traffic } = after(count(1_000, 50), count(1_500, 50), count(30, 10));
  assertEquals([traffic.received.at(-1), traffic.sent.at(-1)], [530, 10]);
});

Deno.test("no more problems are shown than fit", pure, () => {
  const problem = { title: "t", detail: "", status: 500 };
  const notices = Array.from(
    { length: 9 },
    (_, id): Change => ({ kind: "notice", notice: { id, doing: "x", problem } }),
  );
  assertEquals(after(...notices).notices.map(({ id }) => id), [6, 7, 8].slice(-noticesMax));
  assertEquals(after(...notices, { kind: "notice-closed", id: 7 }).notices.length, noticesMax - 1);
});

Deno.test("describeRing() says in a sentence how the ring is", pure, () => {
  const say = (...changes: Change[]) =>
    describeRing(after({ kind: "nodes", nodes }, ...changes).nodes).text;
  assertEquals(say(), "All 3 nodes are alive");
  assertEquals(say(event(1, { kind: "node-died" })), "Node 7001 is dead");
  assertEquals(say(event(1, { kind: "node-joining" })), "Node 7001 is coming back");
  assertEquals(describeRing([]).text, "Looking for nodes");
});

Deno.test(
  "sortRows() puts names in order where all else is alike",
  pure,
  () => {
    const rows = [["b", 1, 5], ["c", 2, 7], ["a", 1, 9]].map(([name, size, timeMs]) => ({
      ...{ name: String(name), size: Number(size), timeMs: Number(timeMs) },
    }));
    const names = (key: "name" | "size" | "timeMs", descending: boolean) =>
      sortRows(rows, { key, descending }).map(({ name }) => name).join("");
    assertEquals(names("name", false), "abc");
    assertEquals(names("size", true), "cab");
    assertEquals(names("timeMs", false), "bca");
    assertEquals(names("timeMs", true), "acb");
  },
);
