import { assert, assertEquals } from "@std/assert";
import { spreadFanout, wholeViewMax } from "../../src/ring/config.ts";
import { formatView } from "../../src/ring/view_codec.ts";
import { at, describe, MachineFixture, member } from "./machine_fixture.ts";

const pure = { permissions: "none" } as const;

function ports(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 7000 + index);
}

/** Whom one message and all that it makes others send would reach, and how often. */
function reached(ring: MachineFixture, size: number): Map<string, number> {
  const counts = new Map<string, number>();
  const order = ring.machine.view.fromSelf;
  for (const { to, message } of ring.takeRequests()) {
    if (message.kind !== "view") continue;
    const { spread } = message.view;
    const start = order.indexOf(spread?.after ?? to);
    const passedOn = order.slice(start + 1, start + 1 + (spread?.count ?? 0));
    for (const node of [to, ...passedOn]) counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  assert(counts.size <= size);
  return counts;
}

Deno.test(
  "Exchange tells every member of a change once, itself at most spreadFanout of them",
  pure,
  () => {
    for (const size of [2, 5, 33, 34, 100, 1_000]) {
      const ring = MachineFixture.ready({ ports: ports(size) });
      ring.view({ members: [member(7000, { epoch: 6, options: "other" })] });
      assert(ring.requests.length <= spreadFanout, `${size}`);
      const counts = reached(ring, size);
      assertEquals(counts.size, size - 1, `${size}`);
      assertEquals(new Set(counts.values()), new Set([1]), `${size}`);
    }
  },
);

Deno.test("Exchange sends what has changed, not the whole view", pure, () => {
  const sizes = [10, 1_000].map((size) => {
    const ring = MachineFixture.ready({ ports: ports(size) });
    ring.advance(1_000);
    ring.refuse(7001);
    const views = ring.requests.flatMap(({ message }) =>
      message.kind === "view" ? formatView(message.view).length : []
    );
    return Math.max(...views);
  });
  assert(sizes.every((size) => size > 0 && size < 400), `${sizes}`);
});

Deno.test("Exchange passes news on to the stretch it is given, and to nobody else", pure, () => {
  const ring = MachineFixture.ready();
  const dead = member(7004, { status: "Dead" });
  ring.view({ from: at(7003), members: [dead], spread: { after: at(7000), count: 2 } });
  assertEquals(ring.takeRequests().map(({ to }) => to), [at(7001), at(7002)]);
  ring.view({ from: at(7003), members: [dead] });
  assertEquals(ring.takeRequests(), []);
});

Deno.test("Exchange goes past a relay that fails", pure, () => {
  const ring = MachineFixture.ready({ ports: ports(100) });
  ring.view({ members: [member(7000, { epoch: 6, options: "other" })] });
  const [first] = ring.requests;
  if (first?.message.kind !== "view" || first.message.view.spread === undefined) {
    throw new Error("no relay");
  }
  const stretch = first.message.view.spread.count;
  ring.requests.shift();
  const before = ring.requests.length;
  ring.answer(first, { kind: "local" });
  assertEquals(ring.requests.length - before, stretch, "the rest is told one by one");
});

Deno.test("Exchange of a whole view answers what the sender lacks, and only that", pure, () => {
  const ring = MachineFixture.ready();
  ring.view({ members: [member(7001, { status: "Dead" })] });
  const all = [7000, 7001, 7002, 7003, 7004].map((port) => member(port));
  const { shape } = ring.machine.view;
  const answer = ring.view({ full: true, shape, members: all });
  assertEquals(answer.members, [member(7001, { status: "Dead" })]);
  assertEquals(answer.shape, undefined);
  const asked = ring.view({ full: true });
  assertEquals(asked.members.length, 5);
  assertEquals(asked.shape, shape);
});

Deno.test("Exchange of news corrects what is old in it", pure, () => {
  const ring = MachineFixture.ready();
  ring.view({ members: [member(7001, { epoch: 4 })] });
  ring.takeRequests();
  const answer = ring.view({ from: at(7002), members: [member(7001, { status: "Dead" })] });
  assert(answer.members.some(({ address, epoch }) => address === at(7001) && epoch === 4));
  assertEquals(ring.statusOf(7001), "Alive 4");
});

Deno.test(
  "Exchange compares large views by what changed last, then, if that was not it, whole",
  pure,
  () => {
    const ring = MachineFixture.ready({ ports: ports(wholeViewMax + 1) });
    ring.advance(1_000);
    const [ping] = ring.takeRequests(7001);
    if (ping === undefined) throw new Error("no ping");
    ring.answerPing(ping, { view: "ffff" });
    const [news] = ring.takeRequests(7001);
    if (news?.message.kind !== "view") throw new Error("no view");
    assertEquals(news.message.view.full, false);
    ring.answerView(news, { digest: "ffff" });
    const [whole] = ring.takeRequests(7001);
    if (whole?.message.kind !== "view") throw new Error("no whole view");
    assertEquals(whole.message.view.full, true);
    ring.answerView(whole, { digest: "ffff" });
    assertEquals(ring.takeRequests(7001), [], "not again before the next ping");
  },
);

Deno.test("Exchange takes a view again, late or never asked for, without a change", pure, () => {
  const ring = MachineFixture.ready();
  const news = {
    from: at(7002),
    members: [member(7001, { status: "Dead" }), member(7003, { epoch: 3 })],
  };
  ring.view(news);
  ring.refuse(7001);
  ring.takeRequests();
  ring.takeEffects();
  const { digest } = ring.machine.view;
  for (let times = 0; times < 3; times++) ring.view(news);
  ring.step({
    kind: "answered",
    id: 123_456,
    answer: { kind: "view", view: { full: true, members: [] } },
  });
  assertEquals(ring.machine.view.digest, digest);
  assertEquals(ring.requests.map(describe), []);
  assertEquals(ring.takeEffects("save"), []);
});

Deno.test("Exchange keeps strangers out of the view", pure, () => {
  const ring = MachineFixture.ready();
  const { digest } = ring.machine.view;
  ring.view({ from: at(9999), members: [member(9999)] });
  ring.view({ from: at(9999), shape: { version: 9, order: [at(9999)] }, members: [member(9999)] });
  assertEquals(ring.machine.view.digest, digest);
});
