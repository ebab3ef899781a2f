import { assert, assertEquals } from "@std/assert";
import { parseAddress } from "../../../src/protocol/address.ts";
import { parseFileList } from "../../../src/protocol/file_list.ts";
import type { StoredFile } from "../../../src/protocol/record.ts";
import { SystemClock } from "../../../src/runtime/clock.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { ChunkStore } from "../../../src/store/chunk_store.ts";
import { faultRing } from "../../support/fault_ring.ts";
import { askText, freePorts, sha256 } from "../../support/live_ring.ts";
import { waitUntil } from "../../support/program.ts";
import { ulid } from "../../support/store_fixture.ts";

/** More than SQLite keeps in memory: what is cut off the catalog's file is lost. */
const files = 12_000;

Deno.test("a node that has lost its catalog says so until it has it again, and never that a file is not there", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "ouroboros-lost-" });
  try {
    const basePort = freePorts(4);
    const ports = [basePort, basePort + 1, basePort + 2];
    for (const port of ports) await writeCatalog(`${dataDir}/${port}`, port);
    await using ring = await faultRing(3, {
      dataDir,
      basePort,
      waitTimeMs: 300,
      // The disk takes its time, and readers have theirs.
      durability: "fsync",
    });
    const victim = ring.port(1);
    const { size } = await Deno.stat(`${dataDir}/${victim}/catalog.db`);
    assert(size > 1024 * 1024, "there is enough to be lost");

    let isOver = false;
    let refused = 0;
    const ask = async (line: string, judge: (answer: string) => void) => {
      while (!isOver) {
        const answer = await askText(victim, line);
        if (!answer.startsWith("ERR ")) {
          judge(answer);
          continue;
        }
        if (answer === "ERR catching up\n") refused++;
        assert(!answer.includes("not found"), `${line.trim()} was answered ${answer}`);
      }
    };
    const readers = [1, 4_000, 8_000, 11_999].map((number) =>
      ask(`FILE GET f${number}\n`, (answer) => assert(answer.startsWith("FILE 0 "), answer))
    );
    const lister = ask(`FILE PAGE 5 f9 -\n`, (answer) => assert(answer.includes('"f90"'), answer));
    const reading = Promise.allSettled(
      [...readers, lister].map((reader) => reader.finally(() => isOver = true)),
    );
    await Deno.truncate(`${dataDir}/${victim}/catalog.db`, 4096);
    await waitUntil("the node has all of its catalog again", 30_000, async () => {
      if (isOver) return true;
      if (refused === 0) return false;
      const info = await ring.ring.info(victim);
      return info.get("state") === "ready" && info.get("files") === String(files);
    }).finally(() => isOver = true);
    for (const read of await reading) assertEquals(read, { status: "fulfilled", value: undefined });
    assert(refused > 0, "nobody met the node while it had nothing");
    const list = parseFileList(await askText(victim, "FILE LIST\n"));
    assertEquals(list?.length, files);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

/** Writes the catalog of a node: empty files, of which no node has to keep anything. */
async function writeCatalog(directory: string, port: number): Promise<void> {
  await using store = await ChunkStore.open({
    directory,
    self: addressOf(port),
    durability: "relaxed",
    clock: new SystemClock(),
    log: silentLogger,
  });
  await store.commitAll(Array.from({ length: files }, (_, number) => emptyFile(number)));
  await store.catalog.markComplete();
}

function emptyFile(number: number): StoredFile {
  const elsewhere = addressOf(1);
  return {
    kind: "file",
    name: `f${number}`,
    version: ulid(number),
    pushId: `p${number}`,
    size: 0,
    sha256: sha256(new Uint8Array()),
    start: elsewhere,
    timeMs: number,
    foreign: false,
    placement: [{ nodes: [elsewhere], length: 0, checksums: "" }],
  };
}

function addressOf(port: number) {
  const address = parseAddress(`127.0.0.1:${port}`);
  if (address === undefined) throw new RangeError(`${port} is no port`);
  return address;
}
