import { TcpTransport } from "../net/tcp_transport.ts";
import { Watchdog } from "../net/watchdog.ts";
import { portOf } from "../protocol/address.ts";
import { SystemClock } from "../runtime/clock.ts";
import { createLogger } from "../runtime/log.ts";
import { findRingAt, findRingIn, type FoundRing } from "../supervisor/find_ring.ts";
import { NetworkError } from "../supervisor/network_error.ts";
import { showPorts } from "../supervisor/plan.ts";
import { ProcessBook, SystemProcesses } from "../supervisor/processes.ts";
import type { StopDependencies } from "../supervisor/stop.ts";
import { stopFoundRing } from "../supervisor/stop_found_ring.ts";
import type { StopOptions } from "./client_options.ts";
import { print } from "./output.ts";

/** `ouroboros stop`. */
export async function stop(options: StopOptions): Promise<number> {
  const clock = new SystemClock();
  using watchdog = new Watchdog(clock);
  using log = createLogger({ level: "warn", json: false, name: "stop" });
  const book = new ProcessBook(new SystemProcesses());
  const deps = { transport: new TcpTransport(), watchdog, clock, log, book };
  const ring = await findRing(deps, options);
  await stopFoundRing(deps, ring);
  const ports = ring.nodes.map(portOf).sort((a, b) => a - b);
  const gateway = ring.gateway === undefined ? "" : `, and the gateway on ${portOf(ring.gateway)}`;
  const nodes = ports.length === 1 ? "the node" : `the ring of ${ports.length} nodes`;
  print(`Stopped ${nodes} on ${showPorts(ports)}${gateway}.\n`);
  return 0;
}

async function findRing(deps: StopDependencies, options: StopOptions): Promise<FoundRing> {
  const { where, target, dataDir } = options;
  if (where !== "address") {
    const ring = await findRingIn(deps, dataDir);
    if (ring !== undefined) return ring;
    if (where === "data-dir") throw new NetworkError(`No ring of '${dataDir}' is running`);
  }
  for (const address of target) {
    const ring = await findRingAt(deps, address, dataDir);
    if (ring !== undefined) return ring;
  }
  throw new NetworkError(`No ring answers at ${target.join(" or ")}: nothing to stop`);
}
