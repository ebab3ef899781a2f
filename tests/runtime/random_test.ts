import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { randomBytes, randomId } from "../../src/runtime/random.ts";

const pure = { permissions: "none" } as const;

Deno.test("randomId() gives 32 hex digits, another each time", pure, () => {
  assertMatch(randomId(), /^[0-9a-f]{32}$/);
  assertEquals(new Set(Array.from({ length: 1_000 }, randomId)).size, 1_000);
});

Deno.test("randomBytes() gives as many as asked", pure, () => {
  assertEquals(randomBytes(10).length, 10);
  assertNotEquals(randomBytes(16), randomBytes(16));
  assertThrows(() => randomBytes(65_537), RangeError);
});
