import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { BareRing } from "../../scripts/bench/bare_ring.ts";
import { LoadPool } from "../../scripts/bench/load_pool.ts";

/** What a bare ring has on its disks after some pushes: files, and rows of its catalogs. */
async function keptOf(isWhole: boolean, clients: number, calls: number) {
  const directory = await Deno.makeTempDir();
  const { signal } = new AbortController();
  try {
    {
      await using load = new LoadPool(signal);
      await using bare = await BareRing.start({ directory, isWhole, signal });
      const { callsMs } = await load.run({
        operation: "push",
        addresses: [bare.address],
        size: 1024,
        namePrefixes: Array.from({ length: clients }, (_, client) => `c${client}`),
        nameCount: calls,
        callsMax: calls,
        lengthMs: 60_000,
        hashed: false,
      });
      assertEquals(callsMs.length, clients * calls);
    }
    const nodes = await Array.fromAsync(
      Deno.readDir(directory),
      ({ name }) => `${directory}/${name}`,
    );
    return await Promise.all(
      nodes.sort().map(async (node) => {
        const files = async (place: string) =>
          (await Array.fromAsync(Deno.readDir(`${node}/${place}`))).length;
        using database = new DatabaseSync(`${node}/catalog.db`);
        const count = (table: string) =>
          Number(database.prepare(`SELECT count(*) rows FROM ${table}`).get()?.["rows"]);
        return {
          staged: await files("staging"),
          files: await files("content"),
          records: count("records"),
          chunks: count("chunks"),
        };
      }),
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("BareRing has two files and a record of each push on every node", async () => {
  const node = { staged: 0, files: 24, records: 12, chunks: 24 };
  assertEquals(await keptOf(false, 4, 3), [node, node, node, node, node]);
});

Deno.test("BareRing keeps whole files on two nodes, and a record on every node", async () => {
  const holder = { staged: 0, files: 3, records: 3, chunks: 3 };
  const other = { staged: 0, files: 0, records: 3, chunks: 0 };
  assertEquals(await keptOf(true, 1, 3), [holder, holder, other, other, other]);
});
