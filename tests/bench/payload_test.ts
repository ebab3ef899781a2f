import { assertEquals, assertNotEquals } from "@std/assert";
import { Payload, payloadBlockBytes } from "../../scripts/bench/payload.ts";

function bytesOf(name: string, size: number): Uint8Array {
  const all = new Uint8Array(size);
  const payload = new Payload(name, size);
  let length = 0;
  for (let block = payload.next(); block !== undefined; block = payload.next()) {
    all.set(block, length);
    length += block.length;
  }
  assertEquals(length, size);
  return all;
}

Deno.test({
  name: "Payload is as long as it is told, and the same each time",
  permissions: "none",
  fn() {
    for (const size of [0, 1, 7, 8, 9, payloadBlockBytes, 2 * payloadBlockBytes + 1]) {
      assertEquals(bytesOf("a", size), bytesOf("a", size));
    }
  },
});

Deno.test({
  name: "Payload differs by name and by block, so that what is swapped is seen",
  permissions: "none",
  fn() {
    const size = 2 * payloadBlockBytes;
    const bytes = bytesOf("a", size);
    assertNotEquals(bytes, bytesOf("b", size));
    assertNotEquals(bytes.subarray(0, payloadBlockBytes), bytes.subarray(payloadBlockBytes));
  },
});
