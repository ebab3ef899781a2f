import { BufferPool } from "../net/buffer_pool.ts";
import { PeerPool } from "../net/peer_pool.ts";
import { TcpTransport } from "../net/tcp_transport.ts";
import type { Listener } from "../net/transport.ts";
import { Watchdog } from "../net/watchdog.ts";
import { splitAddress } from "../protocol/address.ts";
import { formatEntries } from "../protocol/lists.ts";
import { nodeInfoReply } from "../protocol/replies.ts";
import { SystemClock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import { randomId } from "../runtime/random.ts";
import { programVersion } from "../runtime/version.ts";
import { Balancer } from "./balancer.ts";
import { httpHandler } from "./http/app.ts";
import { RingAccess } from "./http/ring_access.ts";
import { Spool } from "./http/spool.ts";
import { LoopbackDoor } from "./http_door.ts";
import { NodePicker } from "./node_picker.ts";
import { Observation } from "./observe/observation.ts";
import type { GatewayOptions } from "./options.ts";
import type { OwnVerbs } from "../net/own_verbs.ts";
import { Poller } from "./poller.ts";
import { GatewayServer } from "./server.ts";

/**
 * Length of the buffers of bulk transfers, in bytes, of which 16 ways have a pair. A quarter of it costs the
 * gateway a third more processor time for each transfer, and lets four times as many have such buffers.
 */
const bulkBufferBytes = 1024 * 1024;

/** What a gateway needs of the process it runs in. */
export interface GatewayContext {
  /** Ends the gateway. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** The exit code when another process has the port. */
export const portHeldExitCode = 75;

/**
 * Runs a gateway until the signal aborts or it is told to stop.
 *
 * @returns 0 then, or {@linkcode portHeldExitCode} at once.
 */
export async function runGateway(
  options: GatewayOptions,
  { signal, log }: GatewayContext,
): Promise<number> {
  const transport = new TcpTransport();
  const { hostname, port } = splitAddress(options.address);
  let listener: Listener;
  try {
    listener = transport.listen(hostname, port);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    log.error("port is in use", { address: options.address });
    return portHeldExitCode;
  }
  const clock = new SystemClock();
  using watchdog = new Watchdog(clock);
  const stopped = new AbortController();
  const end = AbortSignal.any([signal, stopped.signal]);
  const picker = new NodePicker(options.nodes);
  const startedMs = clock.nowMs();
  const verbs: OwnVerbs = {
    noun: "GATEWAY",
    id: randomId(),
    info: () => {
      return nodeInfoReply(
        new Map<string, string | number>([
          ["address", options.address],
          ["pid", Deno.pid],
          ["id", verbs.id],
          ["program", "ouroboros"],
          ["version", programVersion],
          ["uptime", Math.round((clock.nowMs() - startedMs) / 1000)],
          ["connections", server.connections],
          ["members", picker.candidates().join(",")],
          ["netmap", formatEntries(picker.netmap(), { hostname })],
          ["supervisor", options.supervisor ?? "none"],
        ]),
      );
    },
    stop: () => stopped.abort(),
  };
  const pool = new BufferPool(clock, { bufferBytes: bulkBufferBytes });
  using peers = new PeerPool({ transport, watchdog, clock });
  const balancer = new Balancer(picker, options.balance);
  const ring = new RingAccess({ pool: peers, picker, balancer, clock, log });
  await using spool = await Spool.open(options.spoolDir);
  const sources = { transport, watchdog, clock, log, picker, peers, hostname };
  const observation = new Observation({ ...sources, self: options.address });
  const { events, metrics, traffic } = observation;
  const served = { ring, picker, spool, clock, log, events, metrics };
  const handler = httpHandler({ ...served, options: options.http });
  const onAnswered = observation.answered.bind(observation);
  await using http = new LoopbackDoor({ transport, watchdog, clock, log, handler, onAnswered });
  const shared = { transport, watchdog, clock, log, pool, peers, picker, balancer, traffic };
  const dependencies = { ...shared, verbs, http };
  const server = new GatewayServer(dependencies);
  const poller = new Poller(dependencies, {
    picker,
    pollMs: options.pollMs,
    onChanges: (changes) => events.netmapChanged(changes),
  });
  log.info("listening", { address: options.address, nodes: options.nodes.join(",") });
  await Promise.all([server.run(listener, end), poller.run(end), events.run(end)]);
  log.info("stopped");
  return 0;
}
