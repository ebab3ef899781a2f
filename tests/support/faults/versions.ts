/**
 * Many versions of one name: through nodes with wrong clocks and nodes that were away, from clients at
 * once, and under the eyes of readers. What was acknowledged last is what everybody reads.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type FaultRing, faultRing, type Pace, readSum } from "../fault_ring.ts";
import { sha256 } from "../live_ring.ts";
import { randomBytes } from "../real_file.ts";
import { pull } from "../wire_client.ts";

const steps = { sanitizeOps: false, sanitizeResources: false };

/** Sizes on both sides of what is read before it is sent on. */
const sizes = [1, 30_000, 200_000, 262_145, 700_000];

/** Declares the test, quick or with all that takes minutes. */
export function versionsTest({ isLong }: Pace): void {
  const rounds = isLong ? 100 : 20;
  const pulls = isLong ? 1_000 : 150;
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
      name: `${pulls} pulls while the file is overwritten`,
      ...steps,
      fn: async () => {
        await pullWhileOverwritten(ring, pulls);
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

/** Every pull must give one of the versions that could be there while it ran, whole. */
async function pullWhileOverwritten(ring: FaultRing, pulls: number): Promise<void> {
  let done = 0;
  let last = bytesOf(0);
  /** Numbers of versions by their SHA-256; 0 is the first. */
  const versions = new Map([[sha256(last), 0]]);
  let begun = 0;
  let acknowledged = 0;
  assertEquals(await ring.attempt(ring.port(0), "watched", last).outcome, "acknowledged");
  const write = async () => {
    while (done < pulls) {
      last = bytesOf(++begun);
      versions.set(sha256(last), begun);
      const attempt = ring.attempt(ring.port(begun % 5), "watched", last);
      assertEquals(await attempt.outcome, "acknowledged", attempt.answer());
      acknowledged = begun;
    }
  };
  const read = async (place: number) => {
    for (; done < pulls; done++) {
      const port = ring.port((place + done) % 5);
      const least = acknowledged;
      const sum = sha256(await pull(port, "watched"));
      const version = versions.get(sum);
      assert(version !== undefined, `a pull from ${port} is no version`);
      assert(version >= least && version <= begun, `${version} is not of ${least} to ${begun}`);
    }
  };
  await Promise.all([write(), read(0), read(1), read(2)]);
}
