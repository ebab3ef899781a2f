import { refusedHere } from "../protocol/errors.ts";
import { formatMetrics, type NodeMetrics } from "../protocol/node_metrics.ts";
import { countedReply } from "../protocol/peer_replies.ts";
import { healedReply, okReply } from "../protocol/replies.ts";
import { formatEventLine } from "../protocol/ring_event.ts";
import { programVersion } from "../runtime/version.ts";
import type { NodeContext } from "./context.ts";
import type { Session } from "./session.ts";

/** `NODE METRICS`. */
export async function serveMetrics(context: NodeContext, session: Session): Promise<void> {
  const body = encoder.encode(formatMetrics(nodeMetrics(context)));
  const head = encoder.encode(countedReply("METRICS", body.length));
  const answer = new Uint8Array(head.length + body.length);
  answer.set(head);
  answer.set(body, head.length);
  await session.write(answer);
}

/** `RING EVENTS`: a line for each event, until the listener goes or this node stops. */
export async function serveEvents(
  context: NodeContext,
  session: Session,
  after: string,
): Promise<void> {
  // Who comes by the gateway asks that, and leaves the few places here to gateways.
  if (session.restricted) throw new Error(refusedHere("RING EVENTS"));
  let text = okReply;
  for await (const lines of context.events.listen(after, session.peerGone())) {
    text += lines.map(formatEventLine).join("");
    await session.write(encoder.encode(text));
    text = "";
  }
  session.end();
}

/** `NODE HEAL`: also tells that the ring was checked. */
export async function serveHeal(context: NodeContext, session: Session): Promise<void> {
  const { clock, events, ring, self: node } = context;
  const startMs = clock.nowMs();
  const reply = await ring.handle({ kind: "node-heal" });
  if (reply === healedReply) {
    events.tell({ kind: "ring-checked", node, seconds: (clock.nowMs() - startMs) / 1000 });
  }
  await session.reply(reply);
}

/** Everything that this node counts and measures. */
function nodeMetrics(context: NodeContext): NodeMetrics {
  const { catalog, census, chunks, clock, counters, events, peers, repair, ring } = context;
  const { usage, records } = census.stock();
  const { rss, heapUsed } = Deno.memoryUsage();
  const { durations, ...healing } = counters.healing;
  return {
    run: context.run,
    version: programVersion,
    incarnation: catalog.incarnation,
    state: ring.state(),
    pid: Deno.pid,
    uptimeSeconds: Math.floor((clock.nowMs() - context.startedMs) / 1000),
    members: { known: ring.members().length, alive: ring.aliveMembers().length },
    operations: counters.operations(),
    connections: {
      open: context.connections(),
      ...counters.connections,
      toPeers: peers.openCount,
    },
    chunks: {
      content: usage.content,
      backup: usage.backup,
      staging: usage.staging,
      retired: usage.retired,
      quarantined: usage.quarantineFiles,
    },
    records: {
      files: { count: records.files, bytes: records.fileBytes },
      tombstones: records.tombstones,
    },
    disk: chunks.diskSpace() ?? { freeBytes: 0, sizeBytes: 0 },
    memory: { residentBytes: rss, heapBytes: heapUsed },
    healing: { ...healing, durations: durations.snapshot() },
    repair: { ...counters.repair, ...repair.counts, waiting: repair.waiting },
    events: { told: events.told, listeners: events.listeners },
  };
}

const encoder = new TextEncoder();
