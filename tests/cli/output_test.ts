import { assertEquals } from "@std/assert";
import { showBytes, showName, showSeconds } from "../../src/cli/output.ts";

const pure = { permissions: "none" } as const;

Deno.test("showBytes() counts in powers of 1024", pure, () => {
  assertEquals([0, 1, 1023, 1024, 1536, 100 * 1024 ** 2, 2 ** 50].map(showBytes), [
    ...["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "1.5 KiB", "100.0 MiB", "1.0 PiB"],
  ]);
});

Deno.test("showSeconds() takes the largest unit that says enough", pure, () => {
  assertEquals([0, 119, 120, 7199, 7200, 172_800].map(showSeconds), [
    ...["0 s", "119 s", "2 min", "120 min", "2 h", "2 d"],
  ]);
});

Deno.test("showName() keeps a name from steering the terminal", pure, () => {
  assertEquals(showName("a b.txt"), "'a b.txt'");
  assertEquals(showName("a\x1b[2Jb\n"), "'a�[2Jb�'");
});
