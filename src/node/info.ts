import { resolve } from "node:path";
import { nodeInfoReply } from "../protocol/replies.ts";
import { programVersion } from "../runtime/version.ts";
import type { NodeContext } from "./context.ts";
import { pushRefusal } from "./readiness.ts";
import type { Session } from "./session.ts";

/** The verbs that this node speaks beyond the original's, as `NODE INFO` tells them. */
const ownVerbs =
  "FILE GET RANGE PUT STAT DELETE DELETE-IF PAGE OPEN READ FETCH STAGE COMMIT ABORT PUSH-STATE; " +
  "NODE INFO STOP KILL RESTRICT METRICS; RING PING VIEW STOPPING EVENTS; CATALOG PULL";

/** `NODE INFO`: who this process is and how it is. */
export async function serveNodeInfo(context: NodeContext, session: Session): Promise<void> {
  const { catalog, chunks, clock, ring } = context;
  const usage = chunks.usage();
  const space = chunks.diskSpace();
  await session.reply(nodeInfoReply(
    new Map<string, string | number>([
      ["address", context.self],
      ["pid", Deno.pid],
      ["incarnation", context.incarnation],
      ["program", "ouroboros"],
      ["version", programVersion],
      // By it `ouroboros stop` finds the supervisor, wherever it is called from.
      ["data_dir", resolve(context.options.dataDir)],
      ["state", ring.state()],
      ["push", pushRefusal(context) ?? "ok"],
      // By it the others know whether they would take what this node dates; see PeerClocks.
      ["time_ms", Math.floor(clock.wallMs())],
      ["uptime", Math.floor((clock.nowMs() - context.startedMs) / 1000)],
      ["file_bytes_max", context.options.fileBytesMax],
      ["next", ring.next() ?? "<unset>"],
      ["members", ring.members().length],
      ["alive", ring.aliveMembers().length],
      ["files", catalog.counts().files],
      ["catalog", catalog.digest.root()],
      ["chunks", usage.content.count + usage.backup.count],
      ["chunk_bytes", usage.content.bytes + usage.backup.bytes],
      ["parts", usage.content.count],
      ["part_bytes", usage.content.bytes],
      ["backups", usage.backup.count],
      ["backup_bytes", usage.backup.bytes],
      ["staged_bytes", usage.staging.bytes],
      ["free_bytes", space?.freeBytes ?? "unknown"],
      ["disk_bytes", space?.sizeBytes ?? "unknown"],
      ["connections", context.connections()],
      ["rss_bytes", Deno.memoryUsage().rss],
      ["repaired", context.repair.counts.repaired],
      ["verbs", ownVerbs],
    ]),
  ));
}
