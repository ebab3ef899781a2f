import { explain } from "../client/client_error.ts";
import { askInfo, askNetmap } from "../client/questions.ts";
import { PeerConnection } from "../net/peer_connection.ts";
import { PeerError, PeerUnreachable } from "../net/peer_errors.ts";
import type { NetmapEntry } from "../protocol/lists.ts";
import type { ClientOptions } from "./args.ts";
import type { CliContext } from "./cli_context.ts";
import { type ClientContext, clientContext } from "./client_context.ts";
import { print, showBytes, showSeconds } from "./output.ts";

/** How long one node may take to tell about itself, in ms; the netmap is shown without it. */
const nodeMs = 2_000;

/** `ouroboros status`: the netmap, and what each node tells of itself. */
export async function status(options: ClientOptions, context: CliContext): Promise<number> {
  using client = clientContext(options.target, context);
  const entries = await netmap(client);
  const rows = await Promise.all(entries.map(async (entry) => {
    const about = entry.status === "Alive" ? await aboutNode(client, entry) : "";
    return `${entry.address}  ${entry.status.padEnd(5)}  ${about}`.trimEnd();
  }));
  print([`${netmapSummary(entries)}`, ...rows].join("\n") + "\n");
  return 0;
}

/** A netmap in a few words. */
export function netmapSummary(entries: readonly NetmapEntry[]): string {
  if (entries.length === 0) return "a node that is in no ring yet";
  const dead = entries.filter((entry) => entry.status === "Dead").length;
  const nodes = entries.length === 1 ? "1 node" : `${entries.length} nodes`;
  return dead === 0 ? `${nodes}, all Alive` : `${nodes}, ${dead} Dead`;
}

async function netmap(client: ClientContext): Promise<NetmapEntry[]> {
  try {
    using peer = await client.connect();
    return await askNetmap(peer);
  } catch (error) {
    throw explain(error, "ask for the netmap");
  }
}

async function aboutNode(client: ClientContext, entry: NetmapEntry): Promise<string> {
  try {
    const dial = { timeoutMs: nodeMs };
    using peer = await PeerConnection.dial(client.dependencies, entry.address, dial);
    const info = await askInfo(peer, { deadlineMs: nodeMs });
    return describe(info);
  } catch (error) {
    if (error instanceof PeerError) return "(original program)";
    if (error instanceof PeerUnreachable) return "(does not answer here)";
    throw error;
  }
}

function describe(info: ReadonlyMap<string, string>): string {
  const words: string[] = [];
  const state = info.get("state");
  if (state !== undefined) words.push(state);
  const uptime = Number(info.get("uptime"));
  if (Number.isFinite(uptime)) words.push(`up ${showSeconds(uptime)}`);
  const free = Number(info.get("free_bytes"));
  if (Number.isFinite(free)) words.push(`${showBytes(free)} free`);
  return words.join(", ");
}
