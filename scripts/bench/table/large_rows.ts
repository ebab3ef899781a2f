import type { Durability, Path } from "../options.ts";
import { spreadOf } from "../statistics.ts";
import type { Rig, TransfersDone } from "./rig.ts";
import { type RingShape, usualRing } from "./ring_shape.ts";
import type { Sample, TableRow } from "./table_row.ts";

const mebibyte = 1024 ** 2;
const largeBytes = 256 * mebibyte;
const hugeBytes = 512 * mebibyte;

const syncedRing: RingShape = { ...usualRing, durability: "fsync" };
const wideRing: RingShape = { ...usualRing, nodes: 20 };

/** The rows of large files. */
export const largeRows: readonly TableRow[] = [
  {
    id: "push-256",
    diskBytes: 2 * largeBytes,
    title: "push 256 MiB until every copy is on disk, relaxed",
    unit: "s",
    bound: 3,
    measure: async (rig) => ({
      measured: await push(rig, usualRing, "direct"),
      floors: await pushFloors(rig, "relaxed"),
    }),
  },
  {
    id: "push-256-fsync",
    diskBytes: 2 * largeBytes,
    title: "the same with fsync",
    unit: "s",
    bound: 1.5,
    measure: async (rig) => ({
      measured: await push(rig, syncedRing, "direct"),
      floors: await pushFloors(rig, "fsync"),
    }),
  },
  ...(["direct", "other"] as const).map((path): TableRow => ({
    id: path === "direct" ? "pull-256" : "pull-256-other",
    title: `pull 256 MiB from ${path === "direct" ? "the coordinator" : "another node"}`,
    unit: "s",
    bound: 2.5,
    measure: async (rig) => ({
      measured: await pull(rig, usualRing, path),
      floors: await pullFloors(rig),
    }),
  })),
  {
    id: "gateway-push",
    diskBytes: 2 * largeBytes,
    title: "push 256 MiB through the gateway, times direct",
    unit: "s",
    bound: 1.4,
    against: "median",
    measure: (rig) => beside(rig, push, [usualRing, "gateway"]),
  },
  {
    id: "gateway-pull",
    title: "pull 256 MiB through the gateway, times direct",
    unit: "s",
    bound: 1.4,
    against: "median",
    measure: (rig) => beside(rig, pull, [usualRing, "gateway"]),
  },
  {
    id: "ring20-push",
    diskBytes: 2 * largeBytes,
    title: "push 256 MiB, ring of 20, times the ring of 5",
    unit: "s",
    bound: 1.5,
    against: "median",
    measure: (rig) => beside(rig, push, [wideRing, "direct"]),
  },
  {
    id: "ring20-pull",
    title: "pull 256 MiB, ring of 20, times the ring of 5",
    unit: "s",
    bound: 1.5,
    against: "median",
    measure: (rig) => beside(rig, pull, [wideRing, "direct"]),
  },
  {
    id: "rss-512",
    diskBytes: 4 * hugeBytes,
    title: "peak RSS of any process, 512 MiB pushed and pulled",
    unit: "MiB",
    bound: 96,
    runsMax: 2,
    measure: (rig) => peakOf(rig, { clients: 1, paths: ["direct", "gateway"] }),
  },
  {
    id: "rss-512x16",
    diskBytes: 2 * 16 * hugeBytes,
    title: "the same, 16 at once",
    unit: "MiB",
    bound: 160,
    runsMax: 1,
    isLong: true,
    // What goes through the gateway goes through a node, too.
    measure: (rig) => peakOf(rig, { clients: 16, paths: ["gateway"] }),
  },
];

type Way = [shape: RingShape, path: Path];

/** Seconds of a push. */
function push(rig: Rig, ...[shape, path]: Way): Promise<number> {
  return rig.inRound(
    `push ${shape.nodes} ${shape.durability} ${path}`,
    async () => seconds(await rig.transfer(shape, path, { operation: "store", size: largeBytes })),
  );
}

/** Seconds of a pull. */
function pull(rig: Rig, ...[shape, path]: Way): Promise<number> {
  return rig.inRound(
    `pull ${shape.nodes} ${path}`,
    async () => seconds(await rig.transfer(shape, path, { operation: "pull", size: largeBytes })),
  );
}

/** A way beside the usual one. */
async function beside(rig: Rig, measure: typeof push, way: Way): Promise<Sample> {
  const floors = [await measure(rig, usualRing, "direct")];
  return { measured: await measure(rig, ...way), floors };
}

function pushFloors(rig: Rig, durability: Durability): Promise<number[]> {
  return rig.inRound(`push floor ${durability}`, async () => {
    const transfers = { operation: "push", size: largeBytes } as const;
    return (await rig.floorTransfers(durability, transfers)).map(seconds);
  });
}

function pullFloors(rig: Rig): Promise<number[]> {
  return rig.inRound("pull floor", async () => {
    const transfers = { operation: "pull", size: largeBytes } as const;
    return (await rig.floorTransfers("relaxed", transfers)).map(seconds);
  });
}

/** The peak of any process, the gateway's too, while so many clients push and pull. */
async function peakOf(
  rig: Rig,
  { clients, paths }: { clients: number; paths: readonly Path[] },
): Promise<Sample> {
  const peaks: number[] = [];
  for (const path of paths) {
    for (const operation of ["push", "pull"] as const) {
      const transfers = { operation, size: hugeBytes, clients, isTimed: false };
      const done = await rig.transfer(usualRing, path, transfers);
      peaks.push(done.peakBytes / mebibyte);
    }
  }
  return { measured: spreadOf(peaks).max };
}

function seconds({ elapsedMs }: TransfersDone): number {
  return elapsedMs / 1000;
}
