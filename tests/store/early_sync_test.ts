import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { EarlySync, syncBytesOf } from "../../src/store/early_sync.ts";

/** Syncs that end when the test says so. */
class HeldSyncs {
  readonly #running: PromiseWithResolvers<void>[] = [];
  begun = 0;

  sync(): Promise<void> {
    this.begun++;
    const running = Promise.withResolvers<void>();
    this.#running.push(running);
    return running.promise;
  }

  async end(error?: Error): Promise<void> {
    const running = this.#running.shift();
    if (error === undefined) running?.resolve();
    else running?.reject(error);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

Deno.test("EarlySync begins a sync every so many bytes, and never two at a time", async () => {
  const syncs = new HeldSyncs();
  const early = new EarlySync(() => syncs.sync(), 100);
  const begun: number[] = [];
  for (const bytes of [99, 100, 150, 250]) {
    early.grown(bytes);
    begun.push(syncs.begun);
  }
  assertEquals(begun, [0, 1, 1, 1]);
  await syncs.end();
  early.grown(260);
  assertEquals(syncs.begun, 2, "the next one, which was due at 200");
  await syncs.end();
  early.grown(359);
  assertEquals(syncs.begun, 2, "a hundred bytes after it began");
  await early.settled();
});

Deno.test("EarlySync.settled() waits for the sync under way", async () => {
  const syncs = new HeldSyncs();
  const early = new EarlySync(() => syncs.sync(), 100);
  await early.settled();
  early.grown(100);
  let settled = false;
  const settling = early.settled().then(() => settled = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(settled, false);
  await syncs.end();
  await settling;
});

Deno.test("EarlySync.settled() tells of a failure, though later syncs went well", async () => {
  const syncs = new HeldSyncs();
  const early = new EarlySync(() => syncs.sync(), 100);
  early.grown(100);
  await syncs.end(new Error("bytes are lost"));
  early.grown(200);
  await syncs.end();
  await assertRejects(() => early.settled(), Error, "bytes are lost");
});

Deno.test("EarlySync refuses to sync every no bytes", () => {
  assertThrows(() => new EarlySync(() => Promise.resolve(), 0), RangeError, "every 0 bytes");
});

Deno.test("syncBytesOf() leaves the bytes that another handle writes as they are", async () => {
  const path = await Deno.makeTempFile();
  try {
    using file = await Deno.open(path, { write: true });
    await file.write(new TextEncoder().encode("some"));
    await syncBytesOf(path);
    await file.write(new TextEncoder().encode(" more"));
    assertEquals(await Deno.readTextFile(path), "some more");
  } finally {
    await Deno.remove(path);
  }
  await assertRejects(() => syncBytesOf(path), Deno.errors.NotFound);
});
