import { assertEquals } from "@std/assert";
import { NodePicker } from "../../src/gateway/node_picker.ts";
import type { NodeAddress } from "../../src/protocol/address.ts";
import { parseEntries, parseNode } from "../../src/protocol/lists.ts";

const pure = { permissions: "none" } as const;

function nodes(...ports: number[]): NodeAddress[] {
  return ports.map((port) => parseNode(String(port))!);
}

function candidates(picker: NodePicker): number[] {
  return picker.candidates().map((address) => Number(address.split(":").at(-1)));
}

Deno.test("NodePicker tries the given nodes by port before it knows more", pure, () => {
  const picker = new NodePicker(nodes(10_000, 7002, 7001));
  assertEquals(candidates(picker), [7001, 7002, 10_000]);
  assertEquals(picker.netmap(), []);
});

Deno.test("NodePicker tries Alive nodes first, Dead ones last", pure, () => {
  const picker = new NodePicker(nodes(7000, 7001, 7002, 7003));
  picker.update(parseEntries("7000=Dead,7002=Alive,7001=Alive")!);
  assertEquals(candidates(picker), [7001, 7002, 7003, 7000]);
});

Deno.test("NodePicker tells what a netmap changed", pure, () => {
  const picker = new NodePicker(nodes(7000));
  const [first, second] = nodes(7000, 7001);
  assertEquals(picker.update(parseEntries("7000=Alive,7001=Alive")!), [
    { address: first!, from: "unknown", to: "Alive" },
    { address: second!, from: "unknown", to: "Alive" },
  ]);
  assertEquals(picker.update(parseEntries("7000=Alive,7001=Dead")!), [
    { address: second!, from: "Alive", to: "Dead" },
  ]);
  assertEquals(picker.update(parseEntries("7000=Alive,7001=Dead")!), []);
});

Deno.test("NodePicker takes a node that refused for dead until the next netmap", pure, () => {
  const picker = new NodePicker(nodes(7000, 7001));
  picker.update(parseEntries("7000=Alive,7001=Alive")!);
  picker.avoid(nodes(7000)[0]!);
  assertEquals(candidates(picker), [7001, 7000]);
  assertEquals(picker.netmap().map(({ status }) => status), ["Dead", "Alive"]);
  picker.update(parseEntries("7000=Alive,7001=Alive")!);
  assertEquals(candidates(picker), [7000, 7001]);
});
