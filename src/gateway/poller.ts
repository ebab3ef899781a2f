import { askNetmap } from "../client/questions.ts";
import { PeerConnection, type PeerDependencies } from "../net/peer_connection.ts";
import type { NodeAddress } from "../protocol/address.ts";
import type { NetmapEntry } from "../protocol/lists.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { NodePicker, StatusChange } from "./node_picker.ts";

/** What the poller works with. */
export interface PollerDependencies extends PeerDependencies {
  readonly clock: Clock;
  readonly log: Logger;
}

/** How a poller polls. */
export interface PollerOptions {
  readonly picker: NodePicker;
  /** Milliseconds between two looks at the netmap. */
  readonly pollMs: number;
  /** Hears of what has changed in it. */
  readonly onChanges?: (changes: readonly StatusChange[]) => void;
}

/**
 * How soon the ring is looked at again while no node has told a netmap, in ms, then twice that …
 * Shorter: a ring that comes up is found sooner, at the cost of refused dials meanwhile.
 */
const retryFirstMs = 250;

/** … up to this. Never rarer than `--poll`. */
const retryMaxMs = 1_000;

/** How long one node may take to answer, in ms; then the next one is asked. */
const askMs = 2_000;

/** Looks at the ring's netmap, asking one node after another in turn. */
export class Poller {
  readonly #dependencies: PollerDependencies;
  readonly #picker: NodePicker;
  readonly #pollMs: number;
  readonly #onChanges: (changes: readonly StatusChange[]) => void;
  #last: NodeAddress | undefined;
  #silent = false;

  constructor(
    dependencies: PollerDependencies,
    options: PollerOptions,
  ) {
    this.#dependencies = dependencies;
    this.#picker = options.picker;
    this.#pollMs = options.pollMs;
    this.#onChanges = options.onChanges ?? (() => {});
  }

  /** Looks at the ring every poll interval until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#dependencies;
    let retryMs = retryFirstMs;
    while (!signal.aborted) {
      const told = await this.poll(signal);
      const pauseMs = told ? this.#pollMs : Math.min(this.#pollMs, retryMs);
      retryMs = told ? retryFirstMs : Math.min(retryMs * 2, retryMaxMs);
      await clock.sleep(pauseMs, signal).catch(() => {/* stopped: the loop sees it */});
    }
  }

  /** Asks nodes until one answers; whether it told a netmap. */
  async poll(signal: AbortSignal): Promise<boolean> {
    const { log } = this.#dependencies;
    for (const address of this.#turn()) {
      if (signal.aborted) return false;
      const entries = await this.#ask(address, signal);
      if (entries === undefined) continue;
      this.#last = address;
      this.#silent = false;
      const changes = this.#picker.update(entries);
      for (const { address, from, to } of changes) {
        log.info("node changed", { node: address, from, to });
      }
      if (changes.length > 0) this.#onChanges(changes);
      // A node that is not wired yet knows of no ring, but it is there, and soon it will.
      return entries.length > 0;
    }
    if (!this.#silent && !signal.aborted) log.warn("no node answers");
    this.#silent = true;
    return false;
  }

  /** The candidates, those after the one that answered last time first. */
  #turn(): NodeAddress[] {
    const candidates = this.#picker.candidates();
    const alive = new Set(
      this.#picker.netmap().filter(({ status }) => status === "Alive").map(({ address }) =>
        address
      ),
    );
    const good = candidates.filter((address) => alive.has(address));
    const others = candidates.filter((address) => !alive.has(address));
    const next = this.#last === undefined ? 0 : good.indexOf(this.#last) + 1;
    return [...good.slice(next), ...good.slice(0, next), ...others];
  }

  async #ask(address: NodeAddress, signal: AbortSignal): Promise<NetmapEntry[] | undefined> {
    try {
      const dial = { timeoutMs: askMs, signal };
      using peer = await PeerConnection.dial(this.#dependencies, address, dial);
      return await askNetmap(peer, { deadlineMs: askMs });
    } catch (error) {
      // Whatever it is, the next node is asked; the ring itself finds out what is wrong with this one.
      this.#dependencies.log.debug("node did not tell its netmap", { node: address, error });
      return undefined;
    }
  }
}
