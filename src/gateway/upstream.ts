import { ByteReader } from "../net/byte_reader.ts";
import { type Connection, DialError, type DialOptions, type Transport } from "../net/transport.ts";
import type { GuardedConnection, Watchdog } from "../net/watchdog.ts";
import { writeText } from "../net/write_all.ts";
import type { NodeAddress } from "../protocol/address.ts";
import { formatCommand } from "../protocol/format.ts";
import { errors } from "../protocol/errors.ts";
import { lineBytesMax } from "../protocol/limits.ts";
import { errorReply } from "../protocol/replies.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { Balancer } from "./balancer.ts";
import type { NodePicker } from "./node_picker.ts";

/** What {@linkcode openUpstream} works with. */
export interface UpstreamDependencies {
  readonly transport: Transport;
  readonly watchdog: Watchdog;
  readonly clock: Clock;
  readonly picker: NodePicker;
  readonly balancer: Balancer;
  readonly log: Logger;
}

/** A connection to a node on which nothing was said but `NODE RESTRICT`, and what went along with it. */
export interface Upstream {
  readonly address: NodeAddress;
  readonly conn: GuardedConnection;
  readonly reader: ByteReader;
}

/** How long one node may take to be connected and to answer, in ms, before the next one is tried. */
const oneNodeMs = 2_000;

/** How long all nodes together may take, in ms. */
const allNodesMs = 5_000;

/** The node is at its limit of connections; another one may not be. */
const busyLine = errorReply(errors.busy).trimEnd();

/** What {@linkcode openUpstream} is told. */
export interface UpstreamOptions {
  /** Ends it early. */
  readonly signal: AbortSignal;
  /**
   * A command of the client, with its line end, to be sent along: that spares a round trip. It must be one
   * that may be done twice ({@linkcode isRepeatable}), as a node that has taken it may be lost before it
   * says so, and another be asked.
   */
  readonly firstLine?: string;
}

/** Commands that change nothing and have no body. */
const repeatable =
  /^(?:FILE (?:PULL|GET|LIST|STAT|RANGE|PAGE)|NODE (?:PING|INFO|STATUS)|NETMAP GET)(?: |$)/i;

/** Whether a command may be done twice. */
export function isRepeatable(line: string): boolean {
  return repeatable.test(line);
}

/**
 * Connects to the first node that takes the connection, in the balancer's order, and restricts the
 * connection, so that a client of the gateway can neither rewire nor stop the node behind it. An
 * original node refuses that word and serves on.
 *
 * @returns Or the error to answer, without `ERR`, when no node was found.
 */
export async function openUpstream(
  dependencies: UpstreamDependencies,
  { signal, firstLine = "" }: UpstreamOptions,
): Promise<Upstream | { readonly error: string }> {
  const { balancer, clock, picker } = dependencies;
  const words = `${formatCommand({ kind: "node-restrict" })}\n${firstLine}`;
  const untilMs = clock.nowMs() + allNodesMs;
  let busy = false;
  for (const address of balancer.order()) {
    const leftMs = untilMs - clock.nowMs();
    if (signal.aborted || leftMs <= 0) break;
    const limits = { timeoutMs: Math.min(oneNodeMs, leftMs), signal };
    const upstream = await tryNode(dependencies, address, { ...limits, words });
    if (upstream === "busy") busy = true;
    else if (upstream === "dead") picker.avoid(address);
    else return upstream;
  }
  return { error: busy ? errors.busy : errors.noNodeAlive };
}

async function tryNode(
  { transport, watchdog, log }: UpstreamDependencies,
  address: NodeAddress,
  { words, ...limits }: DialOptions & { readonly words: string },
): Promise<Upstream | "busy" | "dead"> {
  let dialled: Connection;
  try {
    dialled = await transport.dial(address, limits);
  } catch (error) {
    log.debug("node not reached", { node: address, error });
    // A lack of descriptors is the gateway's own and says nothing about the node.
    return error instanceof DialError && error.kind === "local" ? "busy" : "dead";
  }
  const conn = watchdog.guard(dialled, limits.timeoutMs);
  const reader = new ByteReader(conn);
  try {
    conn.setDeadline(limits.timeoutMs);
    await writeText(conn, words);
    const answer = await reader.readLine(lineBytesMax);
    if (answer === "eof" || answer === "too-long") throw new Error(`no answer (${answer})`);
    const busy = new TextDecoder().decode(answer) === busyLine;
    conn.setDeadline(undefined);
    if (!busy) return { address, conn, reader };
    conn.close();
    return "busy";
  } catch (error) {
    conn.close();
    log.debug("node did not answer", { node: address, error });
    return "dead";
  }
}
