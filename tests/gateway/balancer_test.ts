import { assertEquals } from "@std/assert";
import { Balancer } from "../../src/gateway/balancer.ts";
import { NodePicker } from "../../src/gateway/node_picker.ts";
import { formatAddress, portOf } from "../../src/protocol/address.ts";
import { parseEntries } from "../../src/protocol/lists.ts";

const pure = { permissions: "none" } as const;
const nodes = [7000, 7001, 7002, 7003].map((port) => formatAddress("127.0.0.1", port));

function alive(netmap = "7000=Alive,7001=Dead,7002=Alive,7003=Alive"): NodePicker {
  const picker = new NodePicker(nodes);
  picker.update(parseEntries(netmap) ?? []);
  return picker;
}

function ports(balancer: Balancer): number[] {
  return balancer.order().map(portOf);
}

Deno.test("Balancer first always begins with the first Alive node", pure, () => {
  const balancer = new Balancer(alive(), "first");
  for (let turn = 0; turn < 3; turn++) assertEquals(ports(balancer), [7000, 7002, 7003, 7001]);
});

Deno.test("Balancer round-robin begins with each Alive node in turn, the dead last", pure, () => {
  const balancer = new Balancer(alive(), "round-robin");
  assertEquals(ports(balancer), [7000, 7002, 7003, 7001]);
  assertEquals(ports(balancer), [7002, 7003, 7000, 7001]);
  assertEquals(ports(balancer), [7003, 7000, 7002, 7001]);
  assertEquals(ports(balancer), [7000, 7002, 7003, 7001]);
});

Deno.test("Balancer least-connections begins with who serves the least", pure, () => {
  const balancer = new Balancer(alive(), "least-connections");
  const begin = () => {
    const [first = nodes[0]!] = balancer.order();
    return { port: portOf(first), end: balancer.begin(first) };
  };
  const held = [begin(), begin(), begin(), begin(), begin(), begin()];
  assertEquals(held.map(({ port }) => port).toSorted(), [7000, 7000, 7002, 7002, 7003, 7003]);
  for (const { port, end } of held) if (port === 7002) end();
  assertEquals(begin().port, 7002);
  assertEquals(begin().port, 7002);
});

Deno.test("Balancer counts an end once, and works before a node is known", pure, () => {
  const balancer = new Balancer(new NodePicker(nodes), "least-connections");
  assertEquals(ports(balancer), [7000, 7001, 7002, 7003]);
  const [first = nodes[0]!] = nodes;
  const end = balancer.begin(first);
  balancer.begin(first);
  end();
  end();
  assertEquals(balancer.load(first), 1);
});
