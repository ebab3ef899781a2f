import { assert, assertEquals } from "@std/assert";
import { contentBytes, describeBytes, makeContent } from "../../scripts/chaos/content.ts";
import { parseList } from "../../scripts/chaos/file_client.ts";
import { Model } from "../../scripts/chaos/model.ts";
import { chooseNodes, planRounds, usualKinds } from "../../scripts/chaos/plan.ts";
import { readPulled } from "../../scripts/chaos/pulled.ts";

const [one, two, three] = [1, 2, 3].map((id) => makeContent(id, 10 * id).content);
const contents = { one: one!, two: two!, three: three! };

Deno.test("Model lets a read see what was written last, and nothing older", () => {
  const model = new Model();
  assertEquals(model.judge("a", model.beginRead(), undefined), "right");
  model.acknowledge(model.beginWrite("a", contents.one));
  assertEquals(model.judge("a", model.beginRead(), contents.one.sha256), "right");
  assertEquals(model.judge("a", model.beginRead(), undefined), "lost");
  model.acknowledge(model.beginWrite("a", contents.two));
  assertEquals(model.judge("a", model.beginRead(), contents.one.sha256), "wrong");
  model.acknowledge(model.beginWrite("a", undefined));
  assertEquals(model.judge("a", model.beginRead(), contents.two.sha256), "wrong");
  assertEquals(model.judge("a", model.beginRead(), undefined), "right");
});

Deno.test("Model lets a read see what changed while it was under way", () => {
  const model = new Model();
  model.acknowledge(model.beginWrite("a", contents.one));
  const read = model.beginRead();
  model.acknowledge(model.beginWrite("a", contents.two));
  model.acknowledge(model.beginWrite("a", contents.three));
  for (const { sha256 } of Object.values(contents)) {
    assertEquals(model.judge("a", read, sha256), "right");
  }
  assertEquals(model.judge("a", read, undefined), "lost");
});

Deno.test("Model lets either of two writes win that overlap", () => {
  const model = new Model();
  const first = model.beginWrite("a", contents.one);
  const second = model.beginWrite("a", contents.two);
  model.acknowledge(second);
  model.acknowledge(first);
  assertEquals(model.judge("a", model.beginRead(), contents.one.sha256), "right");
  assertEquals(model.judge("a", model.beginRead(), contents.two.sha256), "right");
  assertEquals(model.judge("a", model.beginRead(), undefined), "lost");
  assertEquals(model.pin("a", contents.two.sha256), "right");
  assertEquals(model.pin("a", contents.one.sha256), "wrong");
});

Deno.test("Model lets a write without an answer happen, late too, until all is quiet", () => {
  const model = new Model();
  model.acknowledge(model.beginWrite("a", contents.one));
  model.beginWrite("a", contents.two);
  model.acknowledge(model.beginWrite("a", contents.three));
  assertEquals(model.judge("a", model.beginRead(), contents.one.sha256), "wrong");
  assertEquals(model.judge("a", model.beginRead(), contents.two.sha256), "right");
  assertEquals(model.pin("a", contents.three.sha256), "right");
  assertEquals(model.judge("a", model.beginRead(), contents.two.sha256), "wrong");
});

Deno.test("Model forgets a write that certainly did not happen", () => {
  const model = new Model();
  model.acknowledge(model.beginWrite("a", contents.one));
  const read = model.beginRead();
  model.withdraw(model.beginWrite("a", undefined));
  assertEquals(model.judge("a", read, undefined), "lost");
});

Deno.test("Model judges lists by names and sizes", () => {
  const model = new Model();
  model.acknowledge(model.beginWrite("a", contents.one));
  assertEquals(model.judgeListed("a", model.beginRead(), 10), "right");
  assertEquals(model.judgeListed("a", model.beginRead(), 20), "wrong");
  assertEquals(model.judgeListed("a", model.beginRead(), undefined), "lost");
  assertEquals(model.judgeListed("never pushed", model.beginRead(), 10), "wrong");
});

Deno.test("readPulled() tells a whole version, an error, a cut answer and wrong bytes apart", () => {
  const { one, two } = contents;
  const bytes = contentBytes(two);
  const text = (line: string) => new TextEncoder().encode(line);
  const missing = "ERR file not found\n";
  assertEquals(readPulled([one, two], bytes), { kind: "whole" });
  assertEquals(readPulled([undefined], text(missing)), {
    kind: "refused",
    error: "file not found",
  });
  // A pull that ends before its first byte looks like an empty file, also where there is none.
  for (let length = 0; length < missing.length; length++) {
    const cut = text(missing).subarray(0, length);
    assertEquals(readPulled([undefined], cut), { kind: "cut" }, `${length} bytes`);
  }
  for (let length = 0; length < bytes.length; length++) {
    assertEquals(readPulled([one, two], bytes.subarray(0, length)), { kind: "cut" });
  }
  const empty = makeContent(9, 0).content;
  assertEquals(readPulled([empty], new Uint8Array(0)), { kind: "whole" });
  const longer = new Uint8Array([...bytes, 0]);
  const mixed = new Uint8Array([...bytes.subarray(0, 10), ...contentBytes(one).subarray(0, 5)]);
  for (
    const wrong of [longer, mixed, contentBytes(one), text("ERROR"), text("ERR one\nERR two\n")]
  ) {
    assertEquals(readPulled([two], wrong), { kind: "wrong" });
  }
  assertEquals(readPulled([undefined], bytes.subarray(0, 4)), { kind: "wrong" });
});

Deno.test("describeBytes() tells a mix of versions", () => {
  const versions = [makeContent(7, 1000).content, makeContent(8, 1000).content];
  const [seven, eight] = versions.map(contentBytes);
  const mixed = new Uint8Array([...seven!.subarray(0, 400), ...eight!.subarray(400)]);
  const zeros = new Uint8Array([...seven!.subarray(0, 600), ...new Uint8Array(400)]);
  assertEquals(
    describeBytes(mixed, versions),
    "bytes 0 to 399 of version 7, bytes 400 to 999 of version 8",
  );
  assertEquals(
    describeBytes(zeros, versions),
    "bytes 0 to 599 of version 7, bytes 600 to 999 of no version of this name",
  );
});

Deno.test("parseList() reads quoted names and sees a list that was cut", () => {
  const text = 'name,start,size\n"a ""b"", c",7000,5\nd,7001,0\n';
  assertEquals(parseList(text), [{ name: 'a "b", c', size: 5 }, { name: "d", size: 0 }]);
  assertEquals(parseList("name,start,size\n"), []);
  assertEquals(parseList(text.slice(0, -1)), undefined);
  assertEquals(parseList("name,start,size\nd,7001\n"), undefined);
});

Deno.test("planRounds() gives every kind, and the same rounds for the same seed", () => {
  const options = { seed: 5, nodes: 5, kinds: usualKinds, proxied: [1, 3], ownDisk: 2 };
  const take = () => {
    const rounds = planRounds(options);
    return usualKinds.map(() => rounds.next().value!);
  };
  const rounds = take();
  assertEquals(rounds, take());
  assertEquals(rounds.map(({ fault }) => fault.kind).sort(), usualKinds.toSorted());
  for (const { fault } of rounds) {
    if (fault.kind.startsWith("net-")) assert([1, 3].includes(fault.node));
    if (fault.kind === "full-disk") assertEquals(fault.node, 2);
  }
  assertEquals(chooseNodes({ seed: 5, nodes: 5, proxies: 2 }).proxied.length, 2);
});
