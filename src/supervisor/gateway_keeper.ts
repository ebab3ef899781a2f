import { gatewayArgs } from "../gateway/options.ts";
import type { LogLevel } from "../node/options.ts";
import type { NodeAddress } from "../protocol/address.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { GatewayPlan } from "./plan.ts";
import type { ProcessBook } from "./processes.ts";
import type { Child, Spawner } from "./spawner.ts";

/** What the keeper works with. */
export interface GatewayKeeperDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly spawner: Spawner;
  readonly book: ProcessBook;
}

/** The gateway that is kept running. */
export interface GatewayKeeperOptions {
  readonly gateway: GatewayPlan;
  readonly nodes: readonly NodeAddress[];
  /** Where the supervisor can be told to stop. */
  readonly supervisor: NodeAddress;
  readonly logLevel: LogLevel;
  readonly logJson: boolean;
}

/** A gateway that has run so long, in ms, is started again at once when it ends. */
const steadyMs = 5_000;

/** Else after this, in ms, then twice that … */
const backoffFirstMs = 100;

/** … up to this. */
const backoffMaxMs = 5_000;

/** Starts the gateway of a ring, and starts it again whenever it ends. */
export class GatewayKeeper {
  readonly #deps: GatewayKeeperDependencies;
  readonly #options: GatewayKeeperOptions;
  #backoffMs = backoffFirstMs;

  constructor(deps: GatewayKeeperDependencies, options: GatewayKeeperOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Starts the gateway. */
  start(): Child {
    const { gateway, nodes, supervisor, logLevel, logJson } = this.#options;
    const args = gatewayArgs({ ...gateway, nodes, supervisor, logLevel, logJson });
    const child = this.#deps.spawner.spawn(args);
    this.#deps.book.started(gateway.address, child);
    return child;
  }

  /** Starts it again whenever it ends, until the signal aborts; never rejects. */
  async run(first: Child, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    let child = first;
    while (!signal.aborted) {
      const startedMs = clock.nowMs();
      const exitCode = await exitOrAbort(child, signal);
      if (exitCode === undefined) return;
      log.warn("gateway is gone and started again", { exitCode });
      const steady = clock.nowMs() - startedMs >= steadyMs;
      this.#backoffMs = steady ? backoffFirstMs : Math.min(this.#backoffMs * 2, backoffMaxMs);
      if (!steady) await clock.sleep(this.#backoffMs, signal).catch(() => {/* the loop sees it */});
      if (signal.aborted) return;
      child = this.start();
    }
  }
}

/** The exit code of a process; `undefined` when the signal aborts first. */
export function exitOrAbort(child: Child, signal: AbortSignal): Promise<number | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const abort = () => resolve(undefined);
    signal.addEventListener("abort", abort, { once: true });
    child.exited.then((code) => {
      signal.removeEventListener("abort", abort);
      resolve(code);
    });
  });
}
