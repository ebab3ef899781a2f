import { assertEquals, assertRejects } from "@std/assert";
import type { NodeContext } from "../../src/node/context.ts";
import { PartUnavailableError } from "../../src/node/part_source.ts";
import { OpenFile } from "../../src/node/pull.ts";
import type { StoredFile } from "../../src/protocol/record.ts";
import { bytesOf, self, stageOwn, StoreFixture, testPush } from "../support/store_fixture.ts";

/** A push of which this node alone has a copy, and of which only part 1 is wanted. */
function oneCopy(pushId: string, version: number): StoredFile {
  const record = testPush("a.txt", pushId, bytesOf(`bytes of ${pushId}`)).record(version);
  const [first] = record.placement;
  if (first === undefined) throw new Error("A file has a part");
  return { ...record, size: first.length, placement: [{ ...first, nodes: [self] }] };
}

/** Pulls a file whose record is one after the other of these, each time somebody looks. */
async function openWhileOverwritten(
  { store, clock }: StoreFixture,
  records: StoredFile[],
): Promise<string | undefined> {
  const repairs: string[] = [];
  const context = {
    self,
    clock,
    chunks: store,
    catalog: { record: () => records.length > 1 ? records.shift() : records[0] },
    repair: { enqueue: (name: string) => repairs.push(name) },
    ring: { aliveMembers: () => [self] },
  };
  using file = await OpenFile.open(context as unknown as NodeContext, "a.txt");
  return file?.record.pushId;
}

Deno.test("OpenFile.open() opens the version that replaced the one it looked for", async () => {
  await using fixture = await StoreFixture.open();
  await stageOwn(fixture.store, testPush("a.txt", "push-2", bytesOf("bytes of push-2")));
  const [older, newer] = [oneCopy("push-1", 1), oneCopy("push-2", 2)];
  // What it looks for, and what is there when that could not be opened.
  assertEquals(await openWhileOverwritten(fixture, [older, newer]), "push-2");
});

Deno.test("OpenFile.open() fails when the version that is there cannot be opened", async () => {
  await using fixture = await StoreFixture.open();
  const lost = oneCopy("push-1", 1);
  await assertRejects(() => openWhileOverwritten(fixture, [lost]), PartUnavailableError);
});

Deno.test("OpenFile.open() gives up a name that is overwritten all the time", async () => {
  await using fixture = await StoreFixture.open();
  const records = Array.from({ length: 40 }, (_, index) => oneCopy(`push-${index}`, index));
  await assertRejects(() => openWhileOverwritten(fixture, records), PartUnavailableError);
});
