import { assert, assertEquals } from "@std/assert";
import { runSeeds } from "./run_seeds.ts";
import { SimCatalog } from "./sim_catalog.ts";
import { SimClients } from "./sim_clients.ts";
import { allFaults, processFaults, throwFaults } from "./sim_faults.ts";
import type { SimNode } from "./sim_node.ts";
import { SimRing } from "./sim_ring.ts";

const pure = { permissions: "none" } as const;

/** A ring of catalogs that is well, and its clients. */
function ringOfCatalogs(
  seed: number,
  nodes: number,
  trace?: string[],
): { readonly ring: SimRing; readonly clients: SimClients } {
  const application = (node: SimNode) => new SimCatalog(node);
  const ring = new SimRing({ seed, nodes, application }, trace);
  ring.start();
  assert(ring.runUntilWell(30_000) !== undefined, `no start: ${ring.faults()}`);
  return { ring, clients: new SimClients(ring, { perMinute: 900 }) };
}

/** After quiet time all nodes have the same records, among them all that was acknowledged. */
function assertConverged(ring: SimRing, clients: SimClients): void {
  clients.stop();
  assert(ring.runUntilWell(60_000) !== undefined, `${ring.faults()}`);
  assertEquals(clients.settle(), []);
  assert((clients.counts().get("acknowledged") ?? 0) > 100);
}

for (const [nodes, count] of [[3, 20], [5, 12], [9, 4]] as const) {
  Deno.test(
    `No node of ${nodes} serves without what was acknowledged, ${count} seeds`,
    pure,
    () => {
      runSeeds({ first: 2_000, count }, (seed, trace) => {
        const { ring, clients } = ringOfCatalogs(seed, nodes, trace);
        clients.start({ looks: true });
        throwFaults(ring, { kinds: processFaults, durationMs: 60_000, everyMs: 4_000 });
        clients.look();
        assertConverged(ring, clients);
      });
    },
  );
}

Deno.test("Nothing acknowledged is lost or comes back, whatever the network does", pure, () => {
  runSeeds({ first: 3_000, count: 12 }, (seed, trace) => {
    const { ring, clients } = ringOfCatalogs(seed, 6, trace);
    clients.start({ looks: false });
    throwFaults(ring, { kinds: allFaults, durationMs: 60_000, everyMs: 4_000 });
    assertConverged(ring, clients);
  });
});

Deno.test("Deletes are dropped everywhere once everybody has them", pure, () => {
  const { ring, clients } = ringOfCatalogs(1, 5);
  clients.start({ looks: true });
  ring.scheduler.runFor(30_000);
  clients.stop();
  const tombstones = () => {
    const [catalog] = ring.nodes.map(({ application }) => application);
    if (!(catalog instanceof SimCatalog)) return [];
    return [...catalog.records.values()].filter(({ isTombstone }) => isTombstone);
  };
  assert(tombstones().length > 10);
  ring.scheduler.runFor(60_000);
  assertEquals(tombstones(), []);
  assertEquals(clients.faults(), []);
});
