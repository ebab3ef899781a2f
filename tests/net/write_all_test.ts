import { assertEquals } from "@std/assert";
import { joinBytes, writeAll, writeText } from "../../src/net/write_all.ts";

const pure = { permissions: "none" } as const;

/** Takes at most so many bytes a write. */
function sink(atMost: number) {
  const taken: number[] = [];
  return {
    taken,
    write(bytes: Uint8Array): Promise<number> {
      const count = Math.min(atMost, bytes.length);
      taken.push(...bytes.subarray(0, count));
      return Promise.resolve(count);
    },
  };
}

Deno.test("writeAll() goes on after partial writes", pure, async () => {
  for (const atMost of [1, 3, 100]) {
    const to = sink(atMost);
    await writeAll(to, new Uint8Array([1, 2, 3, 4, 5, 6, 7]));
    assertEquals(to.taken, [1, 2, 3, 4, 5, 6, 7]);
    await writeAll(to, new Uint8Array());
    assertEquals(to.taken.length, 7);
  }
});

Deno.test("writeText() writes UTF-8", pure, async () => {
  const to = sink(2);
  await writeText(to, "ä€\n");
  assertEquals(new TextDecoder().decode(new Uint8Array(to.taken)), "ä€\n");
});

Deno.test("joinBytes() puts one behind the other", pure, () => {
  assertEquals(joinBytes(new Uint8Array([1]), new Uint8Array([2, 3])), new Uint8Array([1, 2, 3]));
});
