/**
 * `FILE STAT` of copies that somebody has damaged: none of them is called `ok`, whichever node is asked.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { isCopyDamaged } from "../../src/protocol/errors.ts";
import { DamagedChunkError, storeError } from "../../src/store/errors.ts";
import { type FaultRing, faultRing } from "../support/fault_ring.ts";
import { askText } from "../support/live_ring.ts";

/** What is done to a copy's file, and what of it every node must call it. */
const damages = {
  "a flipped byte": {
    state: "damaged",
    deal: async (path: string) => {
      const bytes = await Deno.readFile(path);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      await Deno.writeFile(path, bytes);
    },
  },
  "a truncated file": { state: "missing", deal: (path: string) => Deno.truncate(path, 7) },
  "a file that grew": {
    state: "missing",
    deal: (path: string) => Deno.writeTextFile(path, "more", { append: true }),
  },
  "a removed file": { state: "missing", deal: (path: string) => Deno.remove(path) },
} as const;

Deno.test("FILE STAT calls no damaged copy ok, on this node or on another", async () => {
  await using ring = await faultRing(3, { waitTimeMs: 300 });
  for (const bytes of [30_000, 1_000_000]) {
    for (const [what, { state, deal }] of Object.entries(damages)) {
      // The file's own node, and another one, ask after a holder's copy.
      for (const asked of [ring.port(0), ring.port(1)]) {
        const name = `${what} ${bytes} ${asked}`;
        await ring.push(ring.port(0), name, bytes);
        assertEquals(await states(asked, name), Array(6).fill("ok"));
        await deal(contentPath(ring, ring.port(0), name));
        await deal(`${ring.directory(ring.port(1))}/backup/${name}.part-003-of-003`);
        assertEquals(
          await states(asked, name),
          [state, "ok", "ok", "ok", "ok", state],
          `${name} at ${asked}`,
        );
      }
    }
  }
  await ring.settle();
});

Deno.test("FILE STAT looks at the length of the copies of a large file, and leaves its bytes to a scrub", async () => {
  await using ring = await faultRing(3, { waitTimeMs: 300 });
  const [port] = ring.ports;
  if (port === undefined) throw new RangeError("There is no node");
  await ring.push(port, "large", 3_000_000);
  const path = contentPath(ring, port, "large");
  await damages["a flipped byte"].deal(path);
  assertEquals(await states(port, "large"), Array(6).fill("ok"));
  await damages["a truncated file"].deal(path);
  assertEquals((await states(ring.port(1), "large"))[0], "missing");
  await ring.settle();
});

Deno.test("isCopyDamaged() knows how the store words it", () => {
  const failure = (code: string) => Object.assign(new Error("?"), { code });
  const said = (error: Error) => isCopyDamaged(error.message);
  assertEquals(said(new DamagedChunkError("p1", 0, "block 1 of 1 has another checksum")), true);
  assertEquals(said(storeError("read part 2", failure("EIO"))), true);
  assertEquals(said(storeError("read part 2 of push p1", failure("EACCES"))), true);
  assertEquals(said(storeError("read part 2", failure("EMFILE"))), false);
});

function contentPath(ring: FaultRing, port: number, name: string): string {
  return `${ring.directory(port)}/content/${name}.part-001-of-003`;
}

/** The states that a node tells of all copies of a file, part after part, the holder's first. */
async function states(port: number, name: string): Promise<string[]> {
  const stat = await askText(port, `FILE STAT ${name}\n`);
  const lines = stat.split("\n").filter((line) => line.startsWith("part "));
  return lines.flatMap((line) =>
    [...line.matchAll(/:[0-9]+ ([a-z]+)/g)].map(([, state = ""]) => state)
  );
}
