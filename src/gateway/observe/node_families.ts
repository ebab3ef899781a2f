import type { NodeMetrics, Operation, OperationCounts } from "../../protocol/node_metrics.ts";
import { histogramSamples, type MetricType, type Sample, sample } from "./metric_family.ts";

/** How the metrics of the nodes make one of the ring; `none`: they say nothing together. */
export type RingSum = "sum" | "max" | "min" | "none";

/** A metric that every node of ours has. */
export interface NodeFamily {
  /** Without `ouroboros_node_`, and without `ouroboros_ring_` for the ring. */
  readonly name: string;
  /** Of one node; the ring's says `Of the ring:` before it. */
  readonly help: string;
  readonly type: MetricType;
  readonly ring: RingSum;
  /** What a node says. */
  read(metrics: NodeMetrics): readonly Sample[];
}

/** A metric without labels. */
function single(
  type: MetricType,
  name: string,
  { help, ring = "sum", of }: {
    readonly help: string;
    readonly ring?: RingSum;
    /** `undefined` where the node does not know. */
    readonly of: (metrics: NodeMetrics) => number | undefined;
  },
): NodeFamily {
  const read = (metrics: NodeMetrics) => {
    const value = of(metrics);
    return value === undefined ? [] : [sample(value)];
  };
  return { type, name, help, ring, read };
}

/** A metric by operation. */
function byOperation(
  type: MetricType,
  name: string,
  { help, of }: {
    readonly help: string;
    readonly of: (counts: OperationCounts, operation: Operation) => readonly Sample[];
  },
): NodeFamily {
  const read = ({ operations }: NodeMetrics) =>
    Object.entries(operations).flatMap(([operation, counts]) => of(counts, operation as Operation));
  return { type, name, help, ring: "sum", read };
}

/** A metric by place. */
function byPlace(name: string, help: string, unit: "count" | "bytes"): NodeFamily {
  const places = ["content", "backup", "staging", "retired"] as const;
  return {
    type: "gauge",
    name,
    help,
    ring: "sum",
    read: ({ chunks }) => places.map((place) => sample(chunks[place][unit], { place })),
  };
}

const requests: readonly NodeFamily[] = [
  byOperation("counter", "requests_total", {
    help: "Commands served, failed ones included.",
    of: ({ durations }, operation) => [sample(durations.count, { operation })],
  }),
  byOperation("counter", "request_errors_total", {
    help: "Commands that failed.",
    of: ({ errors }, operation) => [sample(errors, { operation })],
  }),
  byOperation("histogram", "request_duration_seconds", {
    help:
      "Time from the line of a command to the end of its answer, the bytes in between included.",
    of: ({ durations }, operation) => histogramSamples(durations, { operation }),
  }),
  byOperation("counter", "received_bytes_total", {
    help: "Bytes of files and the like that came with commands.",
    of: ({ receivedBytes }, operation) => [sample(receivedBytes, { operation })],
  }),
  byOperation("counter", "sent_bytes_total", {
    help: "Bytes of answers.",
    of: ({ sentBytes }, operation) => [sample(sentBytes, { operation })],
  }),
  single("gauge", "connections", {
    help: "Connections that are being served.",
    of: ({ connections }) => connections.open,
  }),
  single("gauge", "peer_connections", {
    help: "Connections to other nodes, those at rest included.",
    of: ({ connections }) => connections.toPeers,
  }),
  single("counter", "connections_accepted_total", {
    help: "Connections accepted.",
    of: ({ connections }) => connections.accepted,
  }),
  single("counter", "connections_refused_total", {
    help: "Connections refused as too many were open.",
    of: ({ connections }) => connections.refused,
  }),
];

const storage: readonly NodeFamily[] = [
  byPlace("chunks", "Chunks stored; content are those that it holds, backup the copies.", "count"),
  byPlace("chunk_bytes", "Bytes of the chunks stored.", "bytes"),
  single("gauge", "quarantined_files", {
    help: "Damaged files that are kept for people to look at.",
    of: ({ chunks }) => chunks.quarantined,
  }),
  single("gauge", "files", {
    help: "Files in the catalog, which lists those of the whole ring.",
    ring: "max",
    of: ({ records }) => records.files.count,
  }),
  single("gauge", "file_bytes", {
    help: "Bytes of the files in the catalog, each counted once.",
    ring: "max",
    of: ({ records }) => records.files.bytes,
  }),
  single("gauge", "tombstones", {
    help: "Records of deletes in the catalog.",
    ring: "max",
    of: ({ records }) => records.tombstones,
  }),
  single("gauge", "disk_free_bytes", {
    help: "Room on the disk; of the ring, that of the fullest disk.",
    ring: "min",
    of: ({ disk }) => disk.sizeBytes > 0 ? disk.freeBytes : undefined,
  }),
  single("gauge", "disk_size_bytes", {
    help: "Size of the disk.",
    ring: "none",
    of: ({ disk }) => disk.sizeBytes > 0 ? disk.sizeBytes : undefined,
  }),
];

const health: readonly NodeFamily[] = [
  single("gauge", "ready", {
    help: "1 when it serves clients, 0 while it catches up or stops; of the ring, how many do.",
    of: ({ state }) => Number(state === "ready"),
  }),
  single("gauge", "uptime_seconds", {
    help: "Time since the process was started.",
    ring: "none",
    of: ({ uptimeSeconds }) => uptimeSeconds,
  }),
  single("gauge", "resident_memory_bytes", {
    help: "Resident memory of the process.",
    of: ({ memory }) => memory.residentBytes,
  }),
  single("gauge", "heap_bytes", {
    help: "Memory used by objects of the program.",
    of: ({ memory }) => memory.heapBytes,
  }),
  single("counter", "deaths_noticed_total", {
    help: "Other nodes that it found dead itself, and did not hear of.",
    of: ({ healing }) => healing.deaths,
  }),
  single("counter", "heals_started_total", {
    help: "Attempts to start a dead node again.",
    of: ({ healing }) => healing.started,
  }),
  single("counter", "heals_failed_total", {
    help: "Attempts to start a dead node again that failed.",
    of: ({ healing }) => healing.failed,
  }),
  {
    type: "histogram",
    name: "heal_duration_seconds",
    help: "Time from the death of a node to its being alive again, of those that this node healed.",
    ring: "sum",
    read: ({ healing }) => histogramSamples(healing.durations),
  },
  single("counter", "chunks_checked_total", {
    help: "Chunks that a scrub compared with their checksums.",
    of: ({ repair }) => repair.checked,
  }),
  single("counter", "chunks_damaged_total", {
    help: "Chunks found damaged or gone, by whatever looked.",
    of: ({ repair }) => repair.damaged,
  }),
  single("counter", "chunks_repaired_total", {
    help: "Chunks fetched from the other copy.",
    of: ({ repair }) => repair.repaired,
  }),
  single("counter", "repairs_failed_total", {
    help: "Attempts to repair a file that found no copy.",
    of: ({ repair }) => repair.failed,
  }),
  single("gauge", "repairs_waiting", {
    help: "Files that wait for another attempt to repair them.",
    of: ({ repair }) => repair.waiting,
  }),
  single("gauge", "chunks_lost", {
    help: "Chunks that the last scrub on demand found nowhere.",
    of: ({ repair }) => repair.lost,
  }),
  single("counter", "events_total", {
    help: "Events told.",
    of: ({ events }) => events.told,
  }),
];

/** Everything that nodes tell, in the order in which it is shown. */
export const nodeFamilies: readonly NodeFamily[] = [...requests, ...storage, ...health];
