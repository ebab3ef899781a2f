import { assert, assertEquals } from "@std/assert";
import { runSeeds } from "./run_seeds.ts";
import { SimCatalog } from "./sim_catalog.ts";
import { type Fault, processFaults, throwFaults } from "./sim_faults.ts";
import type { SimNode } from "./sim_node.ts";
import { SimRing } from "./sim_ring.ts";

const pure = { permissions: "none" } as const;

/** Clients that commit records everywhere, and remember what was acknowledged. */
class Clients {
  readonly acknowledged: number[] = [];
  readonly #ring: SimRing;
  /** How many of the acknowledged records a catalog is known to have; it loses none. */
  readonly #seen = new WeakMap<SimCatalog, number>();
  #lastRecord = 0;

  constructor(ring: SimRing) {
    this.#ring = ring;
  }

  /** Commits about 15 records a second, and looks for lost ones all the time. */
  start(): void {
    this.#commitSoon();
    this.#lookSoon();
  }

  /** Every node that serves has every record that was acknowledged. */
  look(): void {
    for (const node of this.#ring.nodes) {
      const catalog = catalogOf(node);
      if (catalog === undefined || !node.isReady) continue;
      const news = this.acknowledged.slice(this.#seen.get(catalog) ?? 0);
      const lost = news.find((record) => !catalog.records.has(record));
      this.#seen.set(catalog, this.acknowledged.length);
      if (lost === undefined) continue;
      throw new Error(`${node.address} serves without record ${lost}, which was acknowledged`);
    }
  }

  #commitSoon(): void {
    const { scheduler, nodes } = this.#ring;
    scheduler.after(scheduler.between(5, 130), () => {
      this.#commitSoon();
      const node = scheduler.random.pick(nodes);
      if (!node.isReady) return;
      const record = ++this.#lastRecord;
      catalogOf(node)?.commit(record, () => {
        this.acknowledged.push(record);
        this.look();
      });
    });
  }

  #lookSoon(): void {
    this.#ring.scheduler.after(10, () => {
      this.#lookSoon();
      this.look();
    });
  }
}

function catalogOf(node: SimNode): SimCatalog | undefined {
  return node.application instanceof SimCatalog ? node.application : undefined;
}

/** Commits under faults; afterwards all nodes have the same records, and all acknowledged ones. */
function commitUnder(ring: SimRing, kinds: readonly Fault[]): void {
  const clients = new Clients(ring);
  ring.start();
  assert(ring.runUntilWell(30_000) !== undefined, `no start: ${ring.faults()}`);
  clients.start();
  throwFaults(ring, { kinds, durationMs: 60_000, everyMs: 4_000 });
  assert(ring.runUntilWell(60_000) !== undefined, `${ring.faults()}`);
  clients.look();
}

/** No wipes: a record that two nodes have is lost when both are wiped before anybody copies it. */
const kinds = processFaults.filter((kind) => kind !== "wipe");

for (const [nodes, count] of [[3, 30], [5, 20], [9, 8]] as const) {
  Deno.test(
    `No node of ${nodes} serves without what was acknowledged, ${count} seeds`,
    pure,
    () => {
      runSeeds({ first: 2_000, count }, (seed, trace) => {
        const application = (node: SimNode) => new SimCatalog(node);
        commitUnder(new SimRing({ seed, nodes, application }, trace), kinds);
      });
    },
  );
}

Deno.test("Catalogs are the same in the end, also when messages get lost", pure, () => {
  runSeeds({ first: 3_000, count: 10 }, (seed, trace) => {
    const application = (node: SimNode) => new SimCatalog(node);
    const ring = new SimRing({ seed, nodes: 6, application }, trace);
    ring.start();
    ring.runUntilWell(30_000);
    const faults = ["partition", "one-way", "bad-network", "kill", "pause"] as const;
    const commits = ring.scheduler;
    for (let record = 1; record <= 200; record++) {
      commits.after(300 * record, () => {
        const node = commits.random.pick(ring.nodes);
        if (node.isReady) catalogOf(node)?.commit(record, () => {});
      });
    }
    throwFaults(ring, { kinds: faults, durationMs: 60_000, everyMs: 4_000 });
    assert(ring.runUntilWell(60_000) !== undefined, `${ring.faults()}`);
    ring.scheduler.runFor(10 * ring.gossipIntervalMs);
    const digests = ring.nodes.map((node) => catalogOf(node)?.catalogDigest());
    assertEquals(new Set(digests).size, 1, `${digests}`);
  });
});
