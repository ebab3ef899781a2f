import { readUsage } from "../process_usage.ts";
import type { Ring } from "../ring.ts";
import { RingError } from "../ring_questions.ts";
import { syncDisks } from "../machine.ts";
import { startFilledRing } from "./many_files.ts";
import type { Rig } from "./rig.ts";
import type { Sample, TableRow } from "./table_row.ts";

/** Runs of what fetches everything again: each leaves more to repair behind. */
const handOversMax = 2;

/** Files that a file of the catalog is on disk, at most, and what each of them takes there. */
const filesOnDisk = 10;
const blockBytes = 4096;

const buffer = new Uint8Array(256 * 1024);

/** The rows of a catalog with many files; they are the last, as the ring repairs itself afterwards. */
export function manyRows(files: number): TableRow[] {
  const catalog = `${files} files`;
  return [
    {
      id: "files-list",
      title: `${catalog}: FILE LIST`,
      unit: "s",
      bound: 1,
      isLong: true,
      measure: async (rig) => ({ measured: await list(await filledRing(rig)) }),
    },
    {
      id: "files-start",
      title: `${catalog}: start of a node until it serves`,
      unit: "s",
      bound: 3,
      isLong: true,
      measure: (rig) => restart(rig, false),
    },
    {
      id: "files-handover",
      title: `${catalog}: start of a wiped node until it has the catalog`,
      unit: "s",
      bound: 10,
      runsMax: handOversMax,
      diskBytes: files * filesOnDisk * blockBytes,
      isLong: true,
      measure: (rig) => restart(rig, true),
    },
    {
      id: "files-rss",
      title: `${catalog}: peak RSS of any process in all of this`,
      unit: "MiB",
      bound: 200,
      isLong: true,
      measure: async (rig) => {
        const processes = await (await filledRing(rig)).processes();
        const usages = await Promise.all(processes.map(({ pid }) => readUsage(pid)));
        const peaks = usages.map((usage) => (usage?.peakBytes ?? 0) / 1024 ** 2);
        return { measured: Math.max(...peaks) };
      },
    },
  ];
}

function filledRing(rig: Rig): Promise<Ring> {
  return rig.once("many files", () => startFilledRing(rig));
}

/** Seconds of a whole list. */
async function list(ring: Ring): Promise<number> {
  const [hostname = "", port] = ring.addressOf("direct").split(":");
  const began = performance.now();
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode("FILE LIST\n"));
  while (await connection.read(buffer) !== null);
  return (performance.now() - began) / 1000;
}

async function restart(rig: Rig, isWiped: boolean): Promise<Sample> {
  const ring = await filledRing(rig);
  await syncDisks();
  const ms = await ring.restart(2, isWiped);
  if (ms === undefined) throw new RingError("Processes cannot be told apart here");
  return { measured: ms / 1000 };
}
