import { assertEquals, assertRejects } from "@std/assert";
import type { NodeContext } from "../../src/node/context.ts";
import { serveList } from "../../src/node/file_commands.ts";
import { parseFileList } from "../../src/protocol/file_list.ts";
import { bytesOf, StoreFixture, testPush } from "../support/store_fixture.ts";

/** More than a page, and more than SQLite keeps in memory. */
const files = 12_000;

/** Lists a store of many files, and does something after so many pages. */
async function list(
  afterPages: number,
  act: (fixture: StoreFixture) => Promise<unknown>,
): Promise<{ readonly text: string; readonly listed: Promise<void> }> {
  await using fixture = await StoreFixture.open({ durability: "relaxed" });
  const records = Array.from(
    { length: files },
    (_, index) => testPush(`f${index}`, `p${index}`, bytesOf("y")).record(index),
  );
  await fixture.store.commitAll(records);
  await fixture.reopen();
  let text = "";
  let pages = 0;
  const { catalog } = fixture.store;
  const ring = { state: () => "ready" };
  const context = { catalog, hostname: "127.0.0.1", options: {}, ring } as unknown as NodeContext;
  const listed = serveList(context, {
    end: () => {},
    write: async (bytes) => {
      text += new TextDecoder().decode(bytes);
      if (++pages === afterPages) await act(fixture);
    },
  });
  await listed.catch(() => {/* the caller's to judge */});
  return { text, listed };
}

Deno.test("serveList() lists all, page after page", async () => {
  const { text, listed } = await list(0, () => Promise.resolve());
  await listed;
  assertEquals(parseFileList(text)?.length, files);
});

Deno.test("serveList() fails within a row when the catalog is lost in the middle", async () => {
  const { text, listed } = await list(2, async ({ directory, store }) => {
    assertEquals(await store.inspect(), "ok");
    await Deno.truncate(`${directory}/catalog.db`, 4096);
    assertEquals(await store.inspect(), "lost");
  });
  await assertRejects(() => listed, Error, "catching up");
  assertEquals(parseFileList(text), undefined);
});

Deno.test("serveList() fails within a row when the catalog cannot be read on", async () => {
  const { text, listed } = await list(2, ({ directory }) => {
    return Deno.truncate(`${directory}/catalog.db`, 4096);
  });
  await assertRejects(() => listed);
  assertEquals(parseFileList(text), undefined);
});
