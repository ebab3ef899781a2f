import { askInfo, askNetmap } from "../client/questions.ts";
import { PeerConnection } from "../net/peer_connection.ts";
import { PeerError, PeerUnreachable } from "../net/peer_errors.ts";
import type { NodeAddress } from "../protocol/address.ts";
import type { NetmapEntry, NodeStatus } from "../protocol/lists.ts";
import { askRing } from "./ask_ring.ts";
import type { ClientContext } from "./client_context.ts";
import { showBytes, showSeconds } from "./output.ts";

/** What is known of one node. */
export interface NodeReport {
  readonly address: NodeAddress;
  readonly status: NodeStatus;
  /** Why the node itself could not be asked; then there is nothing of what follows. */
  readonly silence?: "original program" | "does not answer here";
  /** `ready`, or what keeps it from serving. */
  readonly state?: string;
  /** The next node of the ring. */
  readonly next?: string;
  /** Seconds since it was started. */
  readonly uptime?: number;
  readonly files?: number;
  readonly chunks?: number;
  /** Bytes of its chunks. */
  readonly storedBytes?: number;
  readonly freeBytes?: number;
}

/** How long one node may take to tell about itself, in ms; the netmap is shown without it. */
const nodeMs = 2_000;

/** Nodes that are asked at the same time. */
const askedMax = 64;

/** Asks the ring for its netmap, and each live node about itself. */
export async function reportRing(client: ClientContext): Promise<NodeReport[]> {
  const entries = await askRing(client, "ask for the netmap", askNetmap);
  const reports = new Array<NodeReport>(entries.length);
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < entries.length; index = next++) {
      const entry = entries[index];
      if (entry !== undefined) reports[index] = await reportNode(client, entry);
    }
  };
  await Promise.all(Array.from({ length: Math.min(askedMax, entries.length) }, worker));
  return inRingOrder(reports);
}

/**
 * Sorts nodes as the ring goes, from the first one on, where all of them say who is next. A netmap is
 * sorted by port, which need not be the same in a ring that was wired by hand.
 */
export function inRingOrder(reports: readonly NodeReport[]): NodeReport[] {
  const byAddress = new Map<string, NodeReport>(reports.map((each) => [each.address, each]));
  const ordered: NodeReport[] = [];
  let current = reports[0];
  while (current !== undefined && byAddress.delete(current.address)) {
    ordered.push(current);
    current = byAddress.get(current.next ?? "");
  }
  return ordered.length === reports.length ? ordered : [...reports];
}

async function reportNode(client: ClientContext, entry: NetmapEntry): Promise<NodeReport> {
  if (entry.status === "Dead") return entry;
  try {
    const dial = { timeoutMs: nodeMs };
    using peer = await PeerConnection.dial(client.dependencies, entry.address, dial);
    return { ...entry, ...readInfo(await askInfo(peer, { deadlineMs: nodeMs })) };
  } catch (error) {
    if (error instanceof PeerError) return { ...entry, silence: "original program" };
    if (error instanceof PeerUnreachable) return { ...entry, silence: "does not answer here" };
    throw error;
  }
}

function readInfo(info: ReadonlyMap<string, string>): Omit<NodeReport, "address" | "status"> {
  const count = (
    key: string,
    name: "uptime" | "files" | "chunks" | "storedBytes" | "freeBytes",
  ) => {
    const value = Number(info.get(key) ?? NaN);
    return Number.isFinite(value) ? { [name]: value } : {};
  };
  const [state, next] = [info.get("state"), info.get("next")];
  return {
    ...(state !== undefined && { state }),
    ...(next !== undefined && { next }),
    ...count("uptime", "uptime"),
    ...count("files", "files"),
    ...count("chunks", "chunks"),
    ...count("chunk_bytes", "storedBytes"),
    ...count("free_bytes", "freeBytes"),
  };
}

/** A netmap in a few words. */
export function netmapSummary(entries: readonly { readonly status: NodeStatus }[]): string {
  if (entries.length === 0) return "a node that is in no ring yet";
  const dead = entries.filter((entry) => entry.status === "Dead").length;
  const nodes = entries.length === 1 ? "1 node" : `${entries.length} nodes`;
  return dead === 0 ? `${nodes}, all Alive` : `${nodes}, ${dead} Dead`;
}

/** The summary and a line a node: what a pipe gets. */
export function reportLines(reports: readonly NodeReport[]): string[] {
  const rows = reports.map((report) =>
    `${report.address}  ${report.status.padEnd(5)}  ${describe(report)}`.trimEnd()
  );
  return [netmapSummary(reports), ...rows];
}

function describe({ silence, state, uptime, freeBytes }: NodeReport): string {
  if (silence !== undefined) return `(${silence})`;
  const words: string[] = [];
  if (state !== undefined) words.push(state);
  if (uptime !== undefined) words.push(`up ${showSeconds(uptime)}`);
  if (freeBytes !== undefined) words.push(`${showBytes(freeBytes)} free`);
  return words.join(", ");
}
