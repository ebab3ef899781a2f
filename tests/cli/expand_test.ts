import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { ClientError } from "../../src/client/client_error.ts";
import { expandFiles } from "../../src/cli/expand_files.ts";
import { selectFiles } from "../../src/cli/expand_names.ts";
import { formatAddress } from "../../src/protocol/address.ts";

Deno.test("expandFiles() puts files in the place of patterns, and paths that exist first", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(root, "sub"));
    await Deno.mkdir(join(root, "d.txt"));
    for (const file of ["b.txt", "a.txt", ".c.txt", "[x]", "sub/a.txt"]) {
      await Deno.writeTextFile(join(root, file), "");
    }
    const expand = async (...patterns: string[]) => {
      const paths = await expandFiles(
        patterns.map((each) => each === "-" ? each : join(root, each)),
      );
      return paths.map((path) => path.replace(root, "").replaceAll("\\", "/"));
    };
    assertEquals(await expand("*.txt"), ["/a.txt", "/b.txt"]);
    assertEquals(await expand(".*.txt"), ["/.c.txt"]);
    assertEquals(await expand("s*/*.txt", "-", "none"), ["/sub/a.txt", "-", "/none"]);
    assertEquals(await expand("*/a.txt", "[x]"), ["/sub/a.txt", "/[x]"]);
    await assertRejects(() => expand("*.none"), ClientError, "no such files");
    await assertRejects(() => expand("none/*"), ClientError, "no such files");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("selectFiles() takes a stored name before a pattern, and only names that can be", () => {
  const start = formatAddress("127.0.0.1", 7000);
  const rows = ["a.txt", "[a].txt", "b.bin", "../../etc/passwd", ".."].map((name) => ({
    name,
    start,
    size: 1,
  }));
  const select = (...names: string[]) => selectFiles(rows, names).map(({ name }) => name);
  assertEquals(select(), ["a.txt", "[a].txt", "b.bin"]);
  assertEquals(select("*.txt", "a.txt"), ["a.txt", "[a].txt"]);
  assertEquals(select("[a].txt"), ["[a].txt"]);
  assertEquals(select("[ab].*"), ["a.txt", "b.bin"]);
  assertEquals(select("*passwd", ".."), []);
});
