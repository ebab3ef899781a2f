import { assertEquals } from "@std/assert";
import { NodePicker } from "../../src/gateway/node_picker.ts";
import { Poller } from "../../src/gateway/poller.ts";
import { Watchdog } from "../../src/net/watchdog.ts";
import type { NodeAddress } from "../../src/protocol/address.ts";
import { formatEntries, parseNode } from "../../src/protocol/lists.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeTransport } from "../support/fake_transport.ts";
import { LineNode } from "../support/line_node.ts";

const pure = { permissions: "none" } as const;
const ports = [7000, 7001, 7002].map((port) => parseNode(String(port))!);
const [first, second, third] = ports as [NodeAddress, NodeAddress, NodeAddress];
const allAlive = "7000=Alive\n7001=Alive\n7002=Alive\nOK\n";

/** A poller and, on demand, nodes that all tell the same netmap. */
function setUp(pollMs = 5_000) {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  const watchdog = new Watchdog(clock);
  const picker = new NodePicker(ports);
  const dependencies = { transport, watchdog, clock, log: silentLogger };
  const poller = new Poller(dependencies, { picker, pollMs });
  const netmap = { text: allAlive };
  const node = (address: NodeAddress) => new LineNode(transport, address, () => netmap.text);
  return { clock, transport, picker, poller, netmap, node };
}

Deno.test("Poller asks one node after another, in turn", pure, async () => {
  const { poller, node } = setUp();
  await using a = node(first);
  await using b = node(second);
  await using c = node(third);
  const signal = new AbortController().signal;
  for (let poll = 0; poll < 4; poll++) assertEquals(await poller.poll(signal), true);
  assertEquals([a, b, c].map(({ lines }) => lines.length), [2, 1, 1]);
});

Deno.test("Poller asks the next node when one does not answer", pure, async () => {
  const { poller, node, picker, netmap } = setUp();
  netmap.text = "7000=Dead\n7001=Dead\n7002=Alive\nOK\n";
  await using c = node(third);
  assertEquals(await poller.poll(new AbortController().signal), true);
  assertEquals(c.lines, ["NETMAP GET"]);
  assertEquals(formatEntries(picker.netmap()), "7000=Dead,7001=Dead,7002=Alive");
});

Deno.test(
  "Poller asks the next node when one answers nonsense, or nothing in time",
  pure,
  async () => {
    const { poller, node, picker, clock, transport } = setUp();
    await using _nonsense = new LineNode(transport, first, () => "HELLO\nOK\n");
    await using _silent = new LineNode(transport, second, () => undefined);
    await using _good = node(third);
    const polled = poller.poll(new AbortController().signal);
    await clock.advance(3_000);
    assertEquals(await polled, true);
    assertEquals(picker.netmap().length, 3);
  },
);

Deno.test("Poller learns nothing from a node that is in no ring yet", pure, async () => {
  const { poller, node, picker, netmap } = setUp();
  netmap.text = "(empty)\nOK\n";
  await using _second = node(second);
  assertEquals(await poller.poll(new AbortController().signal), false);
  assertEquals([picker.netmap(), picker.candidates()], [[], ports]);
});

Deno.test(
  "Poller looks every poll interval, and more often while nobody answers",
  pure,
  async () => {
    const { poller, node, clock, picker } = setUp(5_000);
    const stop = new AbortController();
    const running = poller.run(stop.signal);
    await clock.advance(1_000);
    assertEquals(picker.netmap(), []);
    await using a = node(first);
    await clock.advance(1_000);
    assertEquals(picker.netmap().length, 3);
    assertEquals(a.lines.length, 1);
    await clock.advance(4_000);
    assertEquals(a.lines.length, 1);
    await clock.advance(10_000);
    assertEquals(a.lines.length, 3);
    stop.abort();
    await running;
  },
);
