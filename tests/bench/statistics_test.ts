import { assertEquals, assertThrows } from "@std/assert";
import { quantile, spreadOf } from "../../scripts/bench/statistics.ts";
import { parseSize, showSize } from "../../scripts/bench/sizes.ts";

Deno.test({
  name: "spreadOf() takes the middle of an even count",
  permissions: "none",
  fn() {
    assertEquals(spreadOf([5]), { median: 5, min: 5, max: 5 });
    assertEquals(spreadOf([10, 9, 1]), { median: 9, min: 1, max: 10 });
    assertEquals(spreadOf([4, 1, 2, 100]), { median: 3, min: 1, max: 100 });
    assertThrows(() => spreadOf([]), RangeError);
  },
});

Deno.test({
  name: "quantile() takes the nearest rank",
  permissions: "none",
  fn() {
    const numbers = Array.from({ length: 200 }, (_, index) => 200 - index);
    assertEquals([0, 0.5, 0.99, 1].map((share) => quantile(numbers, share)), [1, 100, 198, 200]);
    assertThrows(() => quantile([], 0.5), RangeError);
  },
});

Deno.test({
  name: "parseSize() reads what showSize() writes",
  permissions: "none",
  fn() {
    for (const bytes of [0, 1, 1000, 1024, 1536, 1024 ** 2, 3 * 1024 ** 3]) {
      assertEquals(parseSize(showSize(bytes).replace(" B", "")), bytes);
    }
    assertEquals(["64k", "1 KiB", "512MB", "1.5M", "-1", ""].map(parseSize), [
      ...[65536, 1024, 512 * 1024 ** 2],
      ...[undefined, undefined, undefined],
    ]);
  },
});
