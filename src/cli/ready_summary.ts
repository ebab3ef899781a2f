import { portOf, splitAddress } from "../protocol/address.ts";
import { defaultGatewayPort } from "../protocol/limits.ts";
import { defaultHostname } from "../protocol/lists.ts";
import { showPorts } from "../supervisor/plan.ts";
import type { ReadyRing } from "../supervisor/run.ts";
import { programName } from "./program_name.ts";

/**
 * What runs where, and what to try next.
 *
 * @param stop How to stop the ring: the subcommand `stop`, or what to do in this terminal.
 */
export function readySummary(ring: ReadyRing, stop: string): string {
  const { nodes, gateway, shape } = ring.plan;
  const [first] = nodes;
  if (first === undefined) return "";
  const count = nodes.length === 1 ? "1 node" : `${nodes.length} nodes`;
  const seconds = (ring.startMs / 1000).toFixed(1);
  const door = gateway?.address ?? first.address;
  const call = (command: string) => `${programName()} ${command}${targetFlags(door)}`;
  const lines = [
    `The ring is ready (${seconds} s): ${count} on ${shape.host}.`,
    `  nodes    ports ${showPorts(shape.ports)}`,
  ];
  if (gateway !== undefined) {
    lines.push(`  gateway  port ${portOf(gateway.address)}, one address for the whole ring`);
  }
  lines.push(
    `  files    in ${first.dataDir}`,
    "",
    "Try:",
    `  ${call("push FILE")}`,
    `  ${call("list")}`,
    `  ${call("pull NAME")}`,
    `  ${call("status")}`,
    "",
    `To stop: ${stop === "stop" ? call("stop") : stop}.`,
  );
  return lines.join("\n") + "\n";
}

/** Nothing for the address that clients try first by themselves. */
function targetFlags(address: Parameters<typeof splitAddress>[0]): string {
  const { hostname, port } = splitAddress(address);
  if (hostname !== defaultHostname) return ` --host ${hostname} --port ${port}`;
  return port === defaultGatewayPort ? "" : ` --port ${port}`;
}
