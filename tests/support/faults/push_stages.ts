/**
 * A node dies, or loses its disk, while a push is at a known stage: what was acknowledged stays right
 * through every other node at once, and the push has one outcome everywhere in the end.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { PushStage } from "../../../src/node/test_hooks.ts";
import { type FaultRing, faultRing, type Pace, steps } from "../fault_ring.ts";
import { randomBytes } from "../real_file.ts";

/** One way to break a push. */
interface Case {
  readonly stage: PushStage;
  /** Who dies: by its distance from the coordinator in the ring. */
  readonly victim: number;
  readonly size: number;
  readonly isWiped?: boolean;
  /** Only where there is time. */
  readonly takesTime?: boolean;
}

const small = 100_000;
const large = 3_000_000;

const cases: readonly Case[] = [
  { stage: "ticket-issued", victim: 0, size: small, takesTime: true },
  { stage: "ticket-issued", victim: 1, size: small, takesTime: true },
  { stage: "ticket-issued", victim: 2, size: large, takesTime: true },
  { stage: "streaming", victim: 0, size: large },
  { stage: "streaming", victim: 1, size: large, takesTime: true },
  { stage: "streaming", victim: 2, size: small },
  { stage: "streaming", victim: 4, size: large, takesTime: true },
  { stage: "staged", victim: 0, size: small },
  { stage: "staged", victim: 0, size: large, isWiped: true, takesTime: true },
  { stage: "staged", victim: 3, size: small, takesTime: true },
  { stage: "committed", victim: 0, size: small },
  { stage: "committed", victim: 0, size: large, isWiped: true },
  { stage: "committed", victim: 1, size: small },
  { stage: "committed", victim: 2, size: large, isWiped: true, takesTime: true },
  { stage: "record-received", victim: 0, size: small },
  { stage: "record-received", victim: 0, size: small, isWiped: true, takesTime: true },
  { stage: "record-received", victim: 2, size: small, takesTime: true },
  { stage: "before-ok", victim: 0, size: small, takesTime: true },
  { stage: "before-ok", victim: 0, size: large, isWiped: true, takesTime: true },
  { stage: "before-ok", victim: 4, size: small, takesTime: true },
  // The places that are left.
  ...(
    [
      ["ticket-issued", [3, 4]],
      ["streaming", [3]],
      ["staged", [1, 2, 4]],
      ["committed", [2, 3, 4]],
      ["record-received", [1, 3, 4]],
      ["before-ok", [1, 2, 3]],
    ] as const
  ).flatMap(([stage, victims]) =>
    victims.map((victim): Case => ({
      stage,
      victim,
      size: victim % 2 === 0 ? small : large,
      takesTime: true,
    }))
  ),
];

/** Declares the test, quick or with all that takes minutes. */
export function pushStagesTest({ isLong }: Pace): void {
  Deno.test("a push survives or fails whole whatever dies at whatever stage of it", async (t) => {
    await using ring = await faultRing(5, { isLong, waitTimeMs: 300 });
    for (const port of ring.ports) await ring.push(port, `kept-${port}`, small);
    for (const [index, each] of cases.entries()) {
      const { isWiped = false, size, stage, takesTime = false, victim } = each;
      if (takesTime && !isLong) continue;
      await t.step({
        name: `${stage}: ${victim === 0 ? "coordinator" : `node ${victim} after it`} ` +
          `${isWiped ? "killed and wiped" : "killed"}, ${size} bytes`,
        // What the supervisor prints meanwhile is read by the test around it.
        ...steps,
        fn: () => breakPush(ring, each, index % ring.ports.length),
      });
    }
    await ring.stagingIsClean();
  });
}

async function breakPush(ring: FaultRing, each: Case, coordinator: number): Promise<void> {
  const { isWiped = false, size, stage } = each;
  const nodes = ring.ports.length;
  const at = (distance: number) => ring.port((coordinator + distance) % nodes);
  const victim = at(each.victim);
  // Two members have the record then, and two have not.
  const holders = stage === "record-received" ? [at(2), at(3)] : [at(0)];
  await ring.push(at(0), "overwritten", size);
  for (const port of holders) await ring.setHooks(port, { pauseAt: stage });
  const attempts = ["overwritten", `new-${stage}-${each.victim}-${size}`].map((name) =>
    ring.attempt(at(0), name, randomBytes(size))
  );
  for (const port of holders) await ring.heldAt(port, stage);
  await ring.kill(victim);
  if (isWiped) await ring.wipe(victim);
  for (const port of holders) {
    if (port !== victim || !isWiped) await ring.setHooks(port);
  }
  await ring.check(ring.ports.filter((port) => port !== victim));
  for (const attempt of attempts) {
    const outcome = await attempt.outcome;
    const isAnswered = each.victim === 0 || outcome !== "broken";
    assert(isAnswered, `the coordinator lives and answered '${attempt.answer()}'`);
  }
  await ring.settle();
}
