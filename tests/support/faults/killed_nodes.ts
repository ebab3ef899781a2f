/**
 * Nodes die by SIGKILL: one at rest and one that is being read from, two neighbours, all of them with
 * the gateway. What was acknowledged is right at once where it can be, and soon everywhere.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type FaultRing, faultRing, type Pace, steps } from "../fault_ring.ts";
import { waitUntil } from "../program.ts";
import { Download } from "../wire_client.ts";

const gossipMs = 500;

/** How long a dead node may take to be Alive again. */
const healOneMs = gossipMs + 2_000;

/** The same for two neighbours. */
const healTwoMs = gossipMs + 4_000;

/** Declares the test, quick or with all that takes minutes. */
export function killedNodesTest({ isLong }: Pace): void {
  Deno.test("killed nodes cost nothing that was acknowledged", async (t) => {
    await using ring = await faultRing(5, { isLong, waitTimeMs: gossipMs, gateway: true });
    for (const port of ring.ports) await ring.push(port, `kept-${port}`);
    await ring.push(ring.port(1), "empty", 0);
    await ring.push(ring.port(0), "large", 20_000_000);

    const victims = isLong ? ring.ports : [ring.port(0), ring.port(3)];
    for (const victim of victims) {
      const place = ring.ports.indexOf(victim);
      await t.step({
        name: `node ${place}, while idle`,
        ...steps,
        fn: async () => {
          await ring.kill(victim);
          const healed = timeToHeal(ring);
          await ring.check(ring.ports.filter((port) => port !== victim));
          assert(await healed <= healOneMs, `healed after ${await healed} ms`);
          await ring.check();
        },
      });

      await t.step({
        name: `node ${place}, while others pull from it`,
        ...steps,
        fn: async () => {
          // The one before it has its backups, the next one has not.
          using nearest = await Download.open(ring.port(place - 1), "large");
          using farther = await Download.open(ring.port((place + 1) % 5), "large");
          await Promise.all([nearest.readUpTo(1_000_000), farther.readUpTo(1_000_000)]);
          await ring.kill(victim);
          const healed = timeToHeal(ring);
          for (const pulled of [nearest, farther]) {
            const { bytes, sha256 } = await pulled.rest();
            assertEquals({ bytes, sha256 }, { bytes: pulled.size, sha256: pulled.sha256 });
          }
          assert(await healed <= healOneMs, `healed after ${await healed} ms`);
          await ring.settle();
        },
      });
    }

    await t.step({
      name: "two neighbours at once",
      ...steps,
      fn: async () => {
        for (const first of isLong ? ring.ports : [ring.port(1)]) {
          const pair = [first, ring.port((ring.ports.indexOf(first) + 1) % 5)];
          await ring.kill(...pair);
          const healed = timeToHeal(ring);
          const others = ring.ports.filter((port) => !pair.includes(port));
          let isHealed = false;
          healed.finally(() => isHealed = true);
          while (!isHealed) await checkThatErrorsShow(ring, others);
          assert(await healed <= healTwoMs, `healed after ${await healed} ms`);
          await ring.settle();
        }
      },
    });

    await t.step({
      name: "all nodes and the gateway, with the supervisor alive",
      ...steps,
      fn: async () => {
        await ring.kill(...ring.ports, ring.ring.gatewayPort);
        await ring.settle();
        await waitUntil("the gateway is back", 10_000, async () => {
          try {
            await ring.check([ring.ring.gatewayPort]);
            return true;
          } catch (error) {
            if (error instanceof Deno.errors.ConnectionRefused) return false;
            throw error;
          }
        });
      },
    });

    await t.step({
      name: "every process, and then a new start",
      ...steps,
      fn: async () => {
        await ring.killAll();
        await ring.startAgain({ waitTimeMs: gossipMs });
        await ring.check([...ring.ports, ring.ring.gatewayPort]);
        await ring.settle();
      },
    });
  });
}

/** Milliseconds until every node has every other one as Alive again. */
async function timeToHeal(ring: FaultRing): Promise<number> {
  const begun = performance.now();
  await ring.ring.waitAllAlive();
  return performance.now() - begun;
}

/** Both copies of some parts may be away: an error is right then, other bytes are not. */
async function checkThatErrorsShow(ring: FaultRing, ports: readonly number[]): Promise<void> {
  try {
    await ring.check(ports);
  } catch (error) {
    const isVisible = error instanceof Error &&
      /ERR |ended early|reset|was not answered/.test(error.message);
    if (!isVisible) throw error;
  }
}
