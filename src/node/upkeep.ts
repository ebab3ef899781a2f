import type { NodeAddress } from "../protocol/address.ts";
import { parsePushState, type PushStateReply } from "../protocol/peer_replies.ts";
import type { StagedPush } from "../store/staging.ts";
import { pullCatalog } from "./catalog_exchange.ts";
import type { NodeContext } from "./context.ts";
import { collectTombstones } from "./tombstones.ts";
import { pushState } from "./staging_commands.ts";

/** How often the node looks after its directory, in ms. */
const upkeepMs = 5_000;

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
    const intervalMs = this.#context.testHooks?.values.upkeepMs ?? upkeepMs;
    this.#timer = this.#context.clock.every(intervalMs, () => {
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
    const { chunks, clock, log, repair, ring } = this.#context;
    const state = await chunks.inspect();
    if (!await this.#context.lock.keep()) {
      return this.#context.stop("another process has taken over the directory");
    }
    if (state !== "ok") {
      log.error("files of the catalog were removed under this node", { rescue: state });
      repair.enqueueAll();
    }
    // The store has told, at once, and the node catches up.
    if (state === "lost") return;
    const ageMs = this.#context.testHooks?.values.stagedAgeMs ?? stagedAgeMs;
    for (const staged of chunks.stagedPushes()) {
      if (clock.wallMs() - staged.timeMs < ageMs) continue;
      await this.#settle(staged);
    }
    if (ring.state() !== "ready") return;
    await chunks.collect();
    const dropped = await collectTombstones(this.#context);
    if (dropped > 0) log.info("tombstones dropped", { count: dropped });
    await this.#completeCatalog();
  }

  /**
   * Ends the time in which a catalog that started empty may lack records: once every member was heard
   * and every copy is back, a file that no record names is nobody's.
   */
  async #completeCatalog(): Promise<void> {
    const { catalog, chunks, log, repair, ring } = this.#context;
    const isComplete = repair.idle && ring.members().every(({ status }) => status === "Alive");
    if (catalog.freshReason === undefined || !isComplete) return;
    const strays = await chunks.sweepStrays();
    if (strays > 0) log.warn("files without a record moved to quarantine", { count: strays });
    await catalog.markComplete();
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
    // Without a coordinator, as after a lost catalog, there is no answer, and so no incarnation.
    const knows = answer !== undefined && answer.incarnation === staged.incarnation;
    if (knows && answer.state !== "aborted") {
      if (answer.state === "committed" && coordinator !== undefined) {
        await pullCatalog(this.#context, coordinator);
      }
      return;
    }
    if (!knows && !await this.#nobodyCommitted(pushId)) return;
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
