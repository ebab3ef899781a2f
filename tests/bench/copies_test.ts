import { assertEquals, assertRejects } from "@std/assert";
import { awaitCopies } from "../../scripts/bench/copies.ts";

async function withNodes(test: (nodes: string[]) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const nodes = ["7000", "7001"].map((port) => `${directory}/${port}`);
    for (const node of nodes) {
      for (const place of ["content", "backup"]) {
        await Deno.mkdir(`${node}/${place}`, { recursive: true });
      }
    }
    await test(nodes);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("awaitCopies() waits for the last byte of the last copy", async () => {
  await withNodes(async (nodeDirectories) => {
    const [first, second] = nodeDirectories;
    await Deno.writeFile(`${first}/content/a.part-001-of-002`, new Uint8Array(3));
    await Deno.writeFile(`${second}/content/a.part-002-of-002`, new Uint8Array(2));
    await Deno.writeFile(`${second}/backup/a.part-001-of-002`, new Uint8Array(3));
    await Deno.writeFile(`${first}/backup/b.part-002-of-002`, new Uint8Array(2));
    let looks = 0;
    const options = { name: "a", size: 5, nodeDirectories, isOver: () => ++looks > 3 };
    await assertRejects(() => awaitCopies(options), Error, "8 bytes of copies of 'a' came, 10");
    await Deno.writeFile(`${first}/backup/a.part-002-of-002`, new Uint8Array(2));
    await awaitCopies(options);
    assertEquals(looks, 4);
  });
});
