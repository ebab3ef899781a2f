import type { NodeMetrics } from "../../protocol/node_metrics.ts";

/** What `GET /nodes?detail` tells of a node, by the names that `NODE INFO` has for it. */
export function nodeFigures(metrics: NodeMetrics): Readonly<Record<string, string | number>> {
  const { chunks, connections, disk, memory, records, repair } = metrics;
  return {
    state: metrics.state,
    pid: metrics.pid,
    version: metrics.version,
    uptime: metrics.uptimeSeconds,
    files: records.files.count,
    parts: chunks.content.count,
    part_bytes: chunks.content.bytes,
    backups: chunks.backup.count,
    backup_bytes: chunks.backup.bytes,
    staged_bytes: chunks.staging.bytes,
    quarantined: chunks.quarantined,
    free_bytes: disk.freeBytes,
    disk_bytes: disk.sizeBytes,
    rss_bytes: memory.residentBytes,
    connections: connections.open,
    damaged: repair.damaged,
    repaired: repair.repaired,
  };
}
