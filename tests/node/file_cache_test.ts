import { assertEquals } from "@std/assert";
import { type CachedFile, FileCache } from "../../src/node/file_cache.ts";

const pure = { permissions: "none" } as const;

function file(version: string, bytes: number): CachedFile {
  return { version, answer: new Uint8Array(bytes), headerBytes: 0 };
}

Deno.test("FileCache.get() gives the version that is asked for, and no other", pure, () => {
  const cache = new FileCache(10_000);
  const first = file("1", 5);
  cache.put("push", first);
  assertEquals(cache.get({ pushId: "push", version: "1" }), first);
  assertEquals(cache.get({ pushId: "other", version: "1" }), undefined);
  // A coordinator that commits again above a higher version keeps the push id.
  assertEquals(cache.get({ pushId: "push", version: "2" }), undefined);
  const second = file("2", 7);
  cache.put("push", second);
  assertEquals(cache.get({ pushId: "push", version: "1" }), undefined);
  assertEquals(cache.get({ pushId: "push", version: "2" }), second);
});

Deno.test(
  "FileCache keeps within its bytes, and drops what was asked for longest ago",
  pure,
  () => {
    const cache = new FileCache(10_000);
    const kept = () =>
      ["a", "b", "c", "d"].filter((pushId) => cache.get({ pushId, version: "1" }) !== undefined);
    for (const pushId of ["a", "b", "c"]) cache.put(pushId, file("1", 2_500));
    assertEquals(kept(), ["a", "b", "c"]);
    cache.get({ pushId: "a", version: "1" });
    cache.put("d", file("1", 2_500));
    assertEquals(kept(), ["a", "c", "d"]);
    cache.put("b", file("1", 9_000));
    assertEquals(kept(), ["b"]);
    assertEquals(cache.bytes <= 10_000, true);
    cache.put("a", file("1", 10_000));
    assertEquals(kept(), ["b"]);
    for (let i = 0; i < 1_000; i++) cache.put(`${i % 50}`, file(`${i}`, i));
    assertEquals(cache.bytes <= 10_000, true);
  },
);

Deno.test("FileCache of 0 bytes keeps nothing, not even of empty files", pure, () => {
  const cache = new FileCache(0);
  cache.put("push", file("1", 0));
  assertEquals([cache.isOn, cache.get({ pushId: "push", version: "1" })], [false, undefined]);
});
