/**
 * Clients that leave in the middle of a push, at any byte and in any way: the earlier version stays,
 * and nothing of the new one is left behind.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { faultRing, listedNames, type Pace, steps } from "../fault_ring.ts";
import { LineClient } from "../line_client.ts";
import { randomBytes } from "../real_file.ts";

/** A file that is read before it is sent on, and one that streams. */
const sizes = [90_000, 2_000_000];

/** How many bytes of a body come before the client leaves: around the ends of parts and blocks. */
function cutsOf(size: number, { isLong }: Pace): number[] {
  const part = size / 5;
  const places = [0, 1, part - 1, part, part + 1, 2.5 * part, 4 * part, size - 1];
  if (isLong) places.push(...Array.from({ length: 50 }, (_, index) => index * size / 50));
  return [...new Set(places.map(Math.floor))].filter((cut) => cut < size);
}

/** Declares the test, quick or with all that takes minutes. */
export function cutPushTest({ isLong }: Pace): void {
  Deno.test("a push that its client cuts leaves the earlier version and nothing else", async (t) => {
    await using ring = await faultRing(5, { isLong, waitTimeMs: 300, gateway: true });
    await ring.push(ring.port(0), "kept", 500_000);

    for (const size of sizes) {
      const cuts = cutsOf(size, { isLong });
      await t.step({
        name: `at ${cuts.length} places of ${size} bytes`,
        ...steps,
        fn: async () => {
          for (const [index, cut] of cuts.entries()) {
            const doors = [...ring.ports, ring.ring.gatewayPort];
            const door = doors[index % doors.length] ?? ring.port(0);
            const name = index % 2 === 0 ? "kept" : `new-${size}-${cut}`;
            await cutPush(door, { name, size, cut, endsCleanly: index % 3 === 0 });
          }
          await ring.check();
          // The coordinators are there and say so: nobody has to ask first.
          await ring.stagingIsClean(4_000);
        },
      });
    }

    await t.step({
      name: "and the name is free for the next push",
      ...steps,
      fn: async () => {
        await ring.push(ring.port(2), "kept", 300_000);
        await ring.check();
        assertEquals(await listedNames(ring.port(1)), new Set(["kept"]));
      },
    });
  });
}

interface Cut {
  readonly name: string;
  readonly size: number;
  /** Bytes of the body that are sent. */
  readonly cut: number;
  /** The client ends its side and waits for the answer, instead of going away. */
  readonly endsCleanly: boolean;
}

async function cutPush(port: number, { name, size, cut, endsCleanly }: Cut): Promise<void> {
  using client = await LineClient.open(port, `FILE PUSH ${size} ${name}\n`);
  await client.send(randomBytes(cut));
  if (!endsCleanly) return;
  await client.endSending();
  const answer = await client.restText();
  assert(/^ERR [^\n]*\n$/.test(answer), `a cut push was answered '${answer}'`);
}
