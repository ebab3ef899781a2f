/**
 * Many versions of one name: through nodes with wrong clocks and nodes that were away, from clients at
 * once, and under the eyes of readers. What was acknowledged last is what everybody reads.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type FaultRing, faultRing, type Pace, readSum, steps } from "../fault_ring.ts";
import { randomBytes } from "../real_file.ts";
import { OverwrittenFile } from "./overwritten_file.ts";

/** Pushes of two clients at once take about so long, in ms. */
const raceMs = 40;

/** Sizes on both sides of what is read before it is sent on. */
const sizes = [1, 30_000, 200_000, 700_000, 1_100_000];

/** Declares the test, quick or with all that takes minutes. */
export function versionsTest({ isLong }: Pace): void {
  const rounds = isLong ? 100 : 20;
  const pulls = isLong ? 1_000 : 150;
  const deaths = isLong ? 12 : 1;
  Deno.test("the version that was acknowledged last is the one that is read", async (t) => {
    await using ring = await faultRing(5, { isLong, waitTimeMs: 300 });

    await t.step({
      name: "through a node whose clock is an hour slow, and that missed the last version",
      ...steps,
      fn: async () => {
        const [port0, slow] = [ring.port(0), ring.port(3)];
        await ring.setHooks(slow, { clockSkewMs: -3_600_000 });
        await ring.kill(slow);
        await ring.ring.waitAllAlive();
        for (let round = 0; round < 3; round++) {
          await ring.push(port0, "clocks");
          await ring.push(slow, "clocks");
          await ring.check();
        }
        await ring.kill(slow);
        await ring.push(port0, "clocks");
        await pushOnceItServes(ring, slow, "clocks");
        await ring.check();
        await ring.delete(slow, "clocks");
        await ring.check();
        await ring.push(slow, "clocks");
        await ring.settle();
        await ring.setHooks(slow);
        await ring.kill(slow);
        await ring.settle();
      },
    });

    await t.step({
      name: `two clients push one name at once, ${rounds} times`,
      ...steps,
      fn: async () => {
        for (let round = 0; round < rounds; round++) {
          const [one, other] = [round % 5, (round + 1 + round % 4) % 5];
          const attempts = [one, other].map((place, index) =>
            ring.attempt(ring.port(place), "raced", bytesOf(round + 3 * index))
          );
          let isOver = false;
          const ended = Promise.all(attempts.map(({ outcome }) => outcome)).finally(() =>
            isOver = true
          );
          while (!isOver) await ring.check([ring.port(round % 5)]);
          assertEquals(await ended, ["acknowledged", "acknowledged"]);
          await ring.check();
          const sums = await Promise.all(ring.ports.map((port) => readSum(port, "raced")));
          assertEquals(new Set(sums).size, 1, `round ${round}: the nodes disagree: ${sums}`);
        }
        await ring.settle();
      },
    });

    await t.step({
      name: `two clients push one name at once, and nodes die meanwhile, ${deaths} times`,
      ...steps,
      fn: () => raceWhileNodesDie(ring, deaths),
    });

    await t.step({
      name: `${pulls} pulls while the file is overwritten`,
      ...steps,
      fn: async () => {
        await new OverwrittenFile(ring, { name: "watched", pulls, bytesOf }).run();
        await ring.settle();
      },
    });

    await t.step({
      name: `the same while holders and coordinators die, ${deaths} times`,
      ...steps,
      fn: async () => {
        const victims = Array.from({ length: deaths }, (_, death) => ring.port(death % 5));
        const file = new OverwrittenFile(ring, { name: "watched", bytesOf });
        const { acknowledged, pulled } = await file.run(victims);
        assert(pulled > deaths && acknowledged > deaths, `${pulled} pulls, ${acknowledged} pushes`);
        await ring.settle();
      },
    });

    await ring.stagingIsClean();
  });
}

/** Bytes of one of the sizes, other bytes each time. */
function bytesOf(round: number): Uint8Array {
  return randomBytes(sizes[round % sizes.length] ?? 1);
}

/** A node that comes back refuses pushes until it has caught up. */
async function pushOnceItServes(ring: FaultRing, port: number, name: string): Promise<void> {
  for (;;) {
    const attempt = ring.attempt(port, name, randomBytes(50_000));
    const outcome = await attempt.outcome;
    if (outcome === "acknowledged") return;
    const isNotYet = /^ERR catching up\n$|ConnectionRe/.test(attempt.answer());
    assert(isNotYet, attempt.answer());
  }
}

/**
 * Two clients push one name at once, and a node dies in the middle: one of the two coordinators, a
 * node with parts of both, or both coordinators. Every node then tells the same of it.
 */
async function raceWhileNodesDie(ring: FaultRing, rounds: number): Promise<void> {
  const count = ring.ports.length;
  for (let round = 0; round < rounds; round++) {
    const at = (distance: number) => ring.port((round + distance) % count);
    const victims = [[at(0)], [at(1)], [at(2)], [at(0), at(1)]][round % 4] ?? [];
    const coordinators = [at(0), at(1)];
    const attempts = coordinators.map((port, index) => ({
      port,
      ...ring.attempt(port, "raced", bytesOf(round + 3 * index)),
    }));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * raceMs));
    await ring.kill(...victims);
    // Where two neighbours are away, both copies of a part are.
    if (victims.length === 1) {
      await ring.check(ring.ports.filter((port) => !victims.includes(port)));
    }
    for (const { port, outcome, answer } of attempts) {
      const isAnswered = victims.includes(port) || await outcome !== "broken";
      assert(isAnswered, `${port} lives and answered '${answer()}'`);
      await outcome;
    }
    await ring.settle();
  }
}
