import { assertEquals, assertThrows } from "@std/assert";
import { View } from "../../src/ring/view.ts";
import {
  formatView,
  fullView,
  initialView,
  parseView,
  savedOrder,
  type ViewMessage,
  viewQuery,
} from "../../src/ring/view_codec.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { at, member } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;

const full: ViewMessage = {
  from: at(7000),
  digest: "00ff",
  catalogDigest: "c0",
  isReady: true,
  full: true,
  shape: { version: 3, order: [at(7000), at(7001)] },
  members: [
    member(7000, { status: "Joining", epoch: 2 }),
    member(7001, { status: "Dead", program: "original", options: "" }),
  ],
  spread: { after: at(7000), count: 1 },
  next: at(7001),
};

Deno.test("parseView() reads what formatView() wrote", pure, () => {
  assertEquals(parseView(formatView(full)), full);
  const least: ViewMessage = { full: false, members: [] };
  assertEquals(parseView(formatView(least)), least);
  assertEquals(parseView(viewQuery()), { full: true, members: [] });
});

Deno.test("formatView() writes shared options once", pure, () => {
  const options = "x".repeat(300);
  const members = Array.from({ length: 100 }, (_, index) => member(7000 + index, { options }));
  const text = formatView({ full: true, members });
  assertEquals(text.split(options).length - 1, 1);
});

Deno.test(
  "parseView() refuses anything else with a SyntaxError, and never with another error",
  pure,
  () => {
    const text = formatView(full);
    const random = new SeededRandom(7);
    for (let round = 0; round < 5_000; round++) {
      const from = random.integer(text.length);
      const to = from + random.integer(8);
      const put = random.text(['"', "[", "]", "{", "}", ",", "-1", "9e99", "null", "A", "7"], 3);
      try {
        parseView(text.slice(0, from) + put + text.slice(to));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    }
    for (const bad of ["", "null", "[]", "7", '{"format":2,"options":[],"members":[]}']) {
      assertThrows(() => parseView(bad), SyntaxError);
    }
    const epoch = formatView({ full: false, members: [member(7000, { epoch: 2 ** 50 })] });
    assertThrows(() => parseView(epoch), SyntaxError);
    const address = formatView(full).replaceAll("127.0.0.1:7001", "somewhere");
    assertThrows(() => parseView(address), SyntaxError);
  },
);

Deno.test("initialView() wires a node, and is no news to one that knows more", pure, () => {
  const order = [at(7001), at(7002), at(7000)];
  const message = parseView(initialView({ order, options: "{}" }));
  const view = new View(member(7000, { epoch: 0 }));
  if (message.shape !== undefined) view.adopt(message.shape);
  for (const item of message.members) view.put(item);
  assertEquals(view.fromSelf, [at(7000), at(7001), at(7002)]);
  view.put(member(7001, { status: "Dead" }));
  view.adopt({ version: 2, order });
  const { digest } = view;
  if (message.shape !== undefined) view.adopt(message.shape);
  for (const item of message.members) view.put(item);
  assertEquals(view.digest, digest);
});

Deno.test("savedOrder() gives the ring of what was saved", pure, () => {
  const view = new View(member(7000));
  assertEquals(savedOrder(formatView(fullView(view))), undefined);
  view.adopt({ version: 1, order: [at(7001), at(7000)] });
  assertEquals(savedOrder(formatView(fullView(view))), [at(7000), at(7001)]);
  assertEquals(savedOrder("no view"), undefined);
});
