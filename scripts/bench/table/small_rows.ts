import type { Operation } from "../load_job.ts";
import type { Path } from "../options.ts";
import { quantile } from "../statistics.ts";
import { syncDisks } from "../machine.ts";
import type { Rig, TransfersDone } from "./rig.ts";
import { type RingShape, usualRing, wholeFlags } from "./ring_shape.ts";
import type { TableRow } from "./table_row.ts";

const size = 1024;
const manyClients = 16;

/** Files on disk for one small file: a copy of each part on two nodes. */
const copyFiles = 2 * usualRing.nodes;

/** A ring that keeps small files whole. */
const wholeRing: RingShape = { ...usualRing, flags: wholeFlags };

/** A ring that remembers nothing that it has read, so that every pull is the first. */
const coldRing: RingShape = { ...usualRing, flags: ["--cache-bytes=0"] };

const syncedRing: RingShape = { ...usualRing, durability: "fsync" };

/** The rows of files of 1 KiB. */
export const smallRows: readonly TableRow[] = [
  pushes("push-1k", { bound: 1.7, title: "push 1 KiB, one client, p50, relaxed", clients: 1 }),
  {
    id: "push-1k-fsync",
    title: "push 1 KiB, one client, p50, fsync",
    unit: "ms",
    bound: 3,
    isWarmedUp: true,
    measure: async (rig) => ({
      measured: p50(await small(rig, { shape: syncedRing, operation: "push", clients: 1 })),
      floors: [await syncFloor(rig)],
    }),
  },
  latency("pull-1k-warm", { bound: 0.6, title: "pull 1 KiB, one client, p50, warm" }),
  latency("pull-1k-cold", {
    bound: 1,
    title: "pull 1 KiB, one client, p50, cold",
    shape: coldRing,
    flag: "--cache-bytes",
  }),
  pushes("push-16-whole", {
    bound: 1400,
    clients: manyClients,
    title: "16 clients push 1 KiB, relaxed, --min-part-bytes 65536",
    shape: wholeRing,
    flag: "--min-part-bytes",
  }),
  pushes("push-16", {
    bound: 400,
    title: "16 clients push 1 KiB, relaxed",
    clients: manyClients,
  }),
  rate("get-16-warm", { bound: 5500, title: "16 clients FILE GET 1 KiB, warm" }),
  rate("get-16-cold", {
    bound: 1800,
    title: "16 clients FILE GET 1 KiB, cold",
    shape: coldRing,
    flag: "--cache-bytes",
  }),
  plain("pull-16", {
    bound: 0.75,
    title: "16 clients FILE PULL 1 KiB, warm, times a bare server",
    path: "direct",
  }),
  plain("pull-16-gateway", {
    bound: 0.8,
    title: "the same by the gateway, times a bare proxy",
    path: "gateway",
  }),
];

interface SmallRow {
  readonly bound: number;
  readonly title: string;
  readonly shape?: RingShape;
  readonly flag?: string;
}

/** A row of one client that pulls. */
function latency(id: string, { shape = usualRing, ...row }: SmallRow): TableRow {
  return {
    ...row,
    id,
    unit: "ms",
    isWarmedUp: true,
    measure: async (rig) => ({
      measured: p50(await small(rig, { shape, operation: "pull", clients: 1 })),
    }),
  };
}

/** A row of pushes, beside what bare processes need for the same messages, files and transactions. */
function pushes(
  id: string,
  { shape = usualRing, clients, ...row }: SmallRow & { clients: number },
): TableRow {
  const figure = clients === 1 ? p50 : perSecond;
  return {
    ...row,
    id,
    unit: clients === 1 ? "ms" : "/s",
    isAbsolute: true,
    isWarmedUp: true,
    async measure(rig) {
      const bare = await rig.bareTransfers(shape === wholeRing, {
        operation: "push",
        size,
        clients,
      });
      const done = await small(rig, { shape, operation: "push", clients });
      return { measured: figure(done), floors: bare.map(figure) };
    },
  };
}

/** A row of many clients that get. */
function rate(id: string, { shape = usualRing, ...row }: SmallRow): TableRow {
  return {
    ...row,
    id,
    unit: "/s",
    isWarmedUp: true,
    measure: async (rig) => ({
      measured: perSecond(
        await small(rig, { shape, operation: "get", clients: manyClients }),
      ),
    }),
  };
}

/** A row of many clients with a connection for each call, beside what can do no less than that. */
function plain(id: string, { path, ...row }: SmallRow & { path: "direct" | "gateway" }): TableRow {
  return {
    ...row,
    id,
    unit: "/s",
    isWarmedUp: true,
    async measure(rig) {
      const done = await small(rig, { operation: "pull", clients: manyClients, path });
      const servers = await rig.plain();
      const address = path === "direct" ? servers.direct : servers.proxied;
      const transfers = { operation: "pull", size, clients: manyClients } as const;
      const floors = await rig.floorRuns(() => rig.plainTransfers(address, transfers));
      return { measured: perSecond(done), floors: floors.map(perSecond) };
    },
  };
}

interface SmallTransfers {
  readonly shape?: RingShape;
  readonly path?: Path;
  readonly operation: Operation;
  readonly clients: number;
}

async function small(
  rig: Rig,
  { shape = usualRing, path = "direct", operation, clients }: SmallTransfers,
): Promise<TransfersDone> {
  return await rig.transfer(shape, path, { operation, size, clients });
}

/** What the push of a small file takes at least where every copy is synced, in ms. */
async function syncFloor(rig: Rig): Promise<number> {
  const floor = await rig.floor("fsync");
  await syncDisks();
  return await floor.measureSync(copyFiles);
}

function p50({ callsMs }: TransfersDone): number {
  return quantile(callsMs, 0.5);
}

function perSecond({ callsMs, elapsedMs }: TransfersDone): number {
  return callsMs.length / (elapsedMs / 1000);
}
