import { TcpTransport } from "../net/tcp_transport.ts";
import { Watchdog } from "../net/watchdog.ts";
import type { OwnVerbs } from "../net/own_verbs.ts";
import { nodeInfoReply } from "../protocol/replies.ts";
import { SystemClock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import { randomId } from "../runtime/random.ts";
import { programVersion } from "../runtime/version.ts";
import { NodeLock } from "../store/lock.ts";
import { ControlPort } from "./control.ts";
import { removeControlFile, writeControlFile } from "./control_file.ts";
import { assertPortsFree } from "./free_ports.ts";
import { Network } from "./network.ts";
import { NetworkError } from "./network_error.ts";
import type { NetworkOptions } from "./options.ts";
import { type NetworkPlan, plannedAddresses, planNetwork, showPorts } from "./plan.ts";
import { ProcessBook, SystemProcesses } from "./processes.ts";
import { assertRoomFor, claimRingDirectory } from "./ring_directory.ts";
import { ProcessSpawner } from "./spawner.ts";

/** What a supervisor needs of the process it runs in. */
export interface SupervisorContext {
  /** Stops the ring. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Called once, when the ring is ready. */
  readonly onReady: (ready: ReadyRing) => void;
}

/** A ring that is ready to be used. */
export interface ReadyRing {
  readonly plan: NetworkPlan;
  /** How long the start took, in ms. */
  readonly startMs: number;
}

/**
 * Starts a network, watches over it until the signal aborts, `ouroboros stop` or its ring says so,
 * and then stops every process of it.
 *
 * @throws {NetworkError} When it cannot be started; whatever was started is stopped again.
 */
export async function runSupervisor(
  options: NetworkOptions,
  context: SupervisorContext,
): Promise<void> {
  const plan = planNetwork(options);
  const clock = new SystemClock();
  using watchdog = new Watchdog(clock);
  const { log } = context;
  const book = new ProcessBook(new SystemProcesses());
  const transport = new TcpTransport();
  const deps = { transport, watchdog, clock, log, book, spawner: new ProcessSpawner() };
  await assertPortsFree(deps, plannedAddresses(plan));
  if (!options.overwrite) await inDataDir(options, () => assertRoomFor(plan));
  using _lock = await inDataDir(options, () => takeLock(plan));
  await inDataDir(options, () => claimRingDirectory(plan, options.overwrite));
  const stopped = new AbortController();
  const signal = AbortSignal.any([context.signal, stopped.signal]);
  const verbs = supervisorVerbs(plan, () => stopped.abort());
  await using control = new ControlPort(deps, verbs);
  await writeControlFile(plan.ringDirectory, {
    address: control.address,
    id: verbs.id,
    pid: Deno.pid,
    gateway: plan.gateway?.address,
  });
  const network = new Network(deps, { plan, control: control.address });
  try {
    await network.start(signal);
    if (!signal.aborted) context.onReady({ plan, startMs: clock.nowMs() - network.startedMs });
    await network.watch(signal, () => stopped.abort());
  } finally {
    log.debug("stopping");
    await network.stop();
    await removeControlFile(plan.ringDirectory);
    log.debug("stopped");
  }
}

/** Runs what needs the data directory, and says so when the system refuses it. */
async function inDataDir<T>({ node }: NetworkOptions, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof NetworkError) throw error;
    throw new NetworkError(`Cannot keep files in '${node.dataDir}': ${error.message}`, {
      cause: error,
    });
  }
}

async function takeLock(plan: NetworkPlan): Promise<NodeLock> {
  const lock = await NodeLock.take(plan.ringDirectory);
  if (lock !== undefined) return lock;
  throw new NetworkError(
    `Another supervisor runs the ring of ports ${showPorts(plan.shape.ports)} in ` +
      `'${plan.ringDirectory}'`,
  );
}

function supervisorVerbs(plan: NetworkPlan, stop: () => void): OwnVerbs {
  const id = randomId();
  return {
    noun: "SUPERVISOR",
    id,
    info: () =>
      nodeInfoReply(
        new Map<string, string | number>([
          ["pid", Deno.pid],
          ["id", id],
          ["program", "ouroboros"],
          ["version", programVersion],
          ["nodes", plan.nodes.map((node) => node.address).join(",")],
          ["gateway", plan.gateway?.address ?? "none"],
          ["directory", plan.ringDirectory],
        ]),
      ),
    stop,
  };
}
