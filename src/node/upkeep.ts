import type { NodeAddress } from "../protocol/address.ts";
import { parsePushState, type PushStateReply } from "../protocol/peer_replies.ts";
import type { StagedPush } from "../store/staging.ts";
import { pullCatalog } from "./catalog_exchange.ts";
import type { NodeContext } from "./context.ts";
import { collectTombstones } from "./tombstones.ts";
import { pushState } from "./staging_commands.ts";

/** How often the node looks after its directory, in ms. */
const upkeepMs = 3_000;

/** Age at which a staged push that is still there is asked after, in ms. */
const stagedAgeMs = 5_000;

/** How long a coordinator may take to say what became of a push, in ms. */
const askDeadlineMs = 3_000;

/**
 * What a node does for its own directory all the time: finds out what became of staged pushes,
 * removes retired chunks, and notices a catalog that was removed underneath it.
 */
export class Upkeep {
  readonly #context: NodeContext;
  #timer: { stop(): void } | undefined;
  #running: Promise<void> | undefined;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** Starts the regular rounds; one that takes longer than the interval is not overtaken. */
  start(): void {
    this.#timer = this.#context.clock.every(upkeepMs, () => {
      this.#running ??= this.round().catch((error) => {
        this.#context.log.error("upkeep failed", { reason: `${error}` });
      }).finally(() => {
        this.#running = undefined;
      });
    });
  }

  async stop(): Promise<void> {
    this.#timer?.stop();
    await this.#running;
  }

  /** One round. */
  async round(): Promise<void> {
    const { chunks, clock, log, ring } = this.#context;
    const state = await chunks.inspect();
    if (state !== "ok") log.error("the catalog was removed under this node", { rescue: state });
    if (state === "lost") {
      ring.rejoin("its catalog was lost");
      return;
    }
    for (const staged of chunks.stagedPushes()) {
      if (clock.wallMs() - staged.timeMs < stagedAgeMs) continue;
      await this.#settle(staged);
    }
    if (ring.state() !== "ready") return;
    await chunks.collect();
    const dropped = await collectTombstones(this.#context);
    if (dropped > 0) log.info("tombstones dropped", { count: dropped });
  }

  /** Finds out what became of a staged push, and drops it or fetches its record. */
  async #settle(staged: StagedPush): Promise<void> {
    const { catalog, chunks, log, repair, self } = this.#context;
    const { pushId, coordinator } = staged;
    if (catalog.pushOf(pushId) !== undefined) {
      // Its record came, so these copies have their place; the repair puts them there.
      if (staged.name !== undefined) repair.enqueue(staged.name);
      return;
    }
    if (coordinator === self && staged.incarnation === this.#context.incarnation) {
      if (pushState(this.#context, pushId) === "aborted") await chunks.abort(pushId);
      return;
    }
    const answer = coordinator === undefined ? undefined : await this.#ask(coordinator, pushId);
    if (coordinator !== undefined && answer === undefined) return;
    if (answer?.incarnation === staged.incarnation && answer?.state !== "aborted") {
      if (answer?.state === "committed" && coordinator !== undefined) {
        await pullCatalog(this.#context, coordinator);
      }
      return;
    }
    const aborted = answer?.state === "aborted" && answer.incarnation === staged.incarnation;
    if (!aborted && !await this.#nobodyCommitted(pushId)) return;
    log.info("staged push dropped", { pushId, name: staged.name, coordinator });
    await chunks.abort(pushId);
  }

  /** What the coordinator says; nothing when it does not answer. */
  async #ask(coordinator: NodeAddress, pushId: string): Promise<PushStateReply | undefined> {
    try {
      const answer = await this.#context.peers.request(coordinator, {
        kind: "file-push-state",
        pushId,
      }, { deadlineMs: askDeadlineMs, idempotent: true });
      return parsePushState(answer);
    } catch (error) {
      this.#context.log.debug("coordinator is away", { coordinator, reason: `${error}` });
      return undefined;
    }
  }

  /**
   * The coordinator that could tell is gone for good. Every other member is asked: only when all
   * have answered, and none has the record, was the push never committed anywhere.
   */
  async #nobodyCommitted(pushId: string): Promise<boolean> {
    const { catalog, ring, self } = this.#context;
    for (const { address: member } of ring.members()) {
      if (member === self) continue;
      try {
        if ((await pullCatalog(this.#context, member)).state !== "ready") return false;
      } catch (error) {
        this.#context.log.debug("cannot ask after a push", { member, reason: `${error}` });
        return false;
      }
    }
    return catalog.pushOf(pushId) === undefined;
  }
}
