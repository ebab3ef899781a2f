import type { NodeAddress } from "../../src/protocol/address.ts";
import { CatalogDigest } from "../../src/protocol/digest.ts";
import { nextVersion } from "../../src/protocol/ulid.ts";
import type { CatchUpPeer } from "../../src/ring/effects.ts";
import type { SimApplication, SimNode } from "./sim_node.ts";

/** What a simulated catalog keeps of a name. */
export interface SimRecord {
  readonly name: string;
  /** A ULID; the higher one of a name wins. */
  readonly version: string;
  /** Which operation of a client made it. */
  readonly operation: number;
  readonly isTombstone: boolean;
  /** When it was committed, by the coordinator's calendar. */
  readonly timeMs: number;
}

/** What a client wants committed. */
export type SimDraft = Pick<SimRecord, "name" | "operation" | "isTombstone">;

/** How a commit ended; one whose process ends first ends in no way. */
export type SimOutcome = "acknowledged" | "refused" | "unknown";

type Payload =
  | { readonly kind: "store"; readonly record: SimRecord }
  | { readonly kind: "forget"; readonly tombstones: readonly SimRecord[] }
  | { readonly kind: "pull" | "digest" };

/** How long a member may take to store a record, in ms, before it is marked Dead for it. */
const commitDeadlineMs = 5_000;

/** How often a commit is repeated above versions that it had not seen. */
const commitAttemptsMax = 16;

/** How long a catalog may take to come over, in ms. */
const pullDeadlineMs = 2_000;

/** How often the catalog looks for tombstones that nobody needs, in ms. */
const collectEveryMs = 5_000;

/**
 * How old these are: as in a node, longer than a commit can be under way beyond a clock that is right.
 * Clocks that are not are more than an hour off.
 */
const tombstoneAgeMs = 30_000;

/**
 * What a node does about records, without files: it commits them above every version it has seen,
 * brings them to every member, catches up, compares catalogs, and drops tombstones that all have.
 * Everything is durable at once; what is simulated is who hears of what, by the rules of
 * `src/node/commit.ts`, `continuity.ts` and `tombstones.ts`.
 */
export class SimCatalog implements SimApplication {
  readonly #node: SimNode;
  readonly #records: Map<string, SimRecord>;
  readonly #digest = new CatalogDigest();
  #root: string | undefined;
  #catchUps = 0;

  constructor(node: SimNode) {
    this.#node = node;
    this.#records = node.disk.data instanceof Map ? node.disk.data : new Map<string, SimRecord>();
    node.disk.data = this.#records;
    for (const { name, version } of this.#records.values()) this.#digest.toggle(name, version);
  }

  get records(): ReadonlyMap<string, SimRecord> {
    return this.#records;
  }

  catalogDigest(): string {
    return this.#root ??= this.#digest.root();
  }

  /** Commits a record as a node commits one; `done` is never called when the process ends first. */
  commit(draft: SimDraft, done: (outcome: SimOutcome, version: string) => void): void {
    const { name } = draft;
    let mayReplace = this.#records.get(name)?.version;
    let above = mayReplace;
    let catchUps = this.#catchUps;
    let attempts = 0;
    const attempt = () => {
      if (!this.#node.isReady) return done(attempts > 0 ? "unknown" : "refused", above ?? "");
      if (this.#catchUps !== catchUps) {
        // It was away: what others have been told meanwhile stands.
        if (this.#records.get(name)?.version !== mayReplace) {
          return done(attempts > 0 ? "unknown" : "refused", above ?? "");
        }
        catchUps = this.#catchUps;
      }
      if (attempts++ === commitAttemptsMax) return done("unknown", above ?? "");
      const timeMs = this.#node.wallMs();
      const version = nextVersion(timeMs, this.#node.randomBytes(10), above);
      const stored = this.#store({ ...draft, version, timeMs });
      if (stored !== version) {
        above = stored;
        return attempt();
      }
      mayReplace = version;
      this.#spread({ ...draft, version, timeMs }, ({ confirmed, highest }) => {
        if (confirmed < 2 && this.#node.machine?.view.fromSelf.length !== 1) {
          return done("unknown", version);
        }
        if (highest === version) return done("acknowledged", version);
        above = highest;
        this.#node.later(this.#node.randomBytes(1)[0] ?? 0, attempt);
      });
    };
    attempt();
  }

  catchUp(peers: readonly CatchUpPeer[], done: (isCaughtUp: boolean) => void): void {
    const finish = (isComplete: boolean) => {
      if (this.#catchUps++ === 0) this.#collectSoon();
      done(isComplete);
    };
    const differing = peers.filter((peer) => peer.catalogDigest !== this.catalogDigest());
    let waiting = differing.length;
    let isComplete = true;
    if (waiting === 0) return this.#node.later(1, () => finish(true));
    for (const { address } of differing) {
      this.#pull(address, (isThere) => {
        isComplete &&= isThere;
        if (--waiting === 0) finish(isComplete);
      });
    }
  }

  onPeerDigest(peer: NodeAddress): void {
    this.#pull(peer, () => {});
  }

  serve(payload: unknown, answer: (payload: unknown) => void): void {
    const request = payload as Payload;
    switch (request.kind) {
      case "store":
        return answer(this.#store(request.record));
      case "forget":
        this.#forget(request.tombstones);
        return answer("OK");
      case "pull":
        return answer([...this.#records.values()]);
      case "digest":
        return answer(this.#node.isReady ? this.catalogDigest() : "not ready");
    }
  }

  /** Stores a record unless a higher one is known; gives the version of the name afterwards. */
  #store(record: SimRecord): string {
    const known = this.#records.get(record.name);
    if (known !== undefined && known.version >= record.version) return known.version;
    if (known !== undefined) this.#digest.toggle(known.name, known.version);
    this.#digest.toggle(record.name, record.version);
    this.#root = undefined;
    this.#records.set(record.name, record);
    return record.version;
  }

  #spread(
    record: SimRecord,
    done: (spread: { readonly confirmed: number; readonly highest: string }) => void,
  ): void {
    const asked = new Set([this.#node.address]);
    let confirmed = 1;
    let highest = record.version;
    const ask = () => {
      const targets = this.#node.commitMembers().filter((address) => !asked.has(address));
      if (targets.length === 0) return done({ confirmed, highest });
      let waiting = targets.length;
      const settled = (version?: string) => {
        if (version !== undefined) confirmed++;
        if (version !== undefined && version > highest) highest = version;
        if (--waiting === 0) ask();
      };
      for (const target of targets) {
        asked.add(target);
        this.#ask(target, { kind: "store", record }, commitDeadlineMs, (answer) => {
          if (typeof answer === "string") settled(answer);
          else this.#node.markDead(target, () => settled());
        });
      }
    };
    ask();
  }

  #pull(peer: NodeAddress, done: (isThere: boolean) => void): void {
    this.#ask(peer, { kind: "pull" }, pullDeadlineMs, (answer) => {
      const records: readonly SimRecord[] = Array.isArray(answer) ? answer : [];
      for (const record of records) this.#store(record);
      done(Array.isArray(answer));
    });
  }

  #collectSoon(): void {
    this.#node.later(collectEveryMs, () => {
      this.#collectSoon();
      this.#collect();
    });
  }

  /** The lowest member drops for all what all have, while all are there with the same catalog. */
  #collect(): void {
    const members = this.#node.machine?.view.members() ?? [];
    if (!this.#node.isReady || members.some(({ status }) => status !== "Alive")) return;
    const others = members.map(({ address }) => address).filter((it) => it !== this.#node.address);
    if (others.some((address) => address < this.#node.address)) return;
    const beforeMs = this.#node.wallMs() - tombstoneAgeMs;
    const tombstones = [...this.#records.values()]
      .filter(({ isTombstone, timeMs }) => isTombstone && timeMs < beforeMs);
    const digest = this.catalogDigest();
    if (tombstones.length === 0) return;
    let waiting = others.length;
    let areEqual = true;
    for (const other of others) {
      this.#ask(other, { kind: "digest" }, pullDeadlineMs, (theirs) => {
        areEqual &&= theirs === digest;
        if (--waiting > 0 || !areEqual || this.catalogDigest() !== digest) return;
        for (const each of others) {
          this.#ask(each, { kind: "forget", tombstones }, pullDeadlineMs, () => {});
        }
        this.#forget(tombstones);
      });
    }
  }

  #forget(tombstones: readonly SimRecord[]): void {
    for (const { name, version } of tombstones) {
      if (this.#records.get(name)?.version !== version) continue;
      this.#digest.toggle(name, version);
      this.#root = undefined;
      this.#records.delete(name);
    }
  }

  /** Asks another catalog; nothing is the answer of one that gives none. */
  #ask(
    to: NodeAddress,
    payload: Payload,
    deadlineMs: number,
    done: (answer: unknown) => void,
  ): void {
    this.#node.ask(to, payload, {
      deadlineMs,
      done: (delivery) => {
        const isAnswer = delivery.kind === "answer" && delivery.answer.kind === "application";
        done(isAnswer ? delivery.answer.payload : undefined);
      },
    });
  }
}
