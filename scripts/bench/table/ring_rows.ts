import { SystemClock } from "../../../src/runtime/clock.ts";
import { RingError } from "../ring_questions.ts";
import { UsageMeter } from "../usage_meter.ts";
import { usualRing } from "./ring_shape.ts";
import type { TableRow } from "./table_row.ts";

const watchedRing = { ...usualRing, waitMs: 500 };

/** How long a ring is left alone before it counts as idle, in ms: V8 gives memory back in that time. */
const settleMs = 60_000;

/** How long an idle ring is watched, in ms: its ticks of CPU time are few. */
const idleMs = 60_000;

/** The rows of rings that start and heal. */
export const ringRows: readonly TableRow[] = [
  start(5, { bound: 1, runsMax: 5 }),
  start(20, { bound: 4, runsMax: 2 }),
  start(50, { bound: 10, runsMax: 1 }),
  {
    id: "heal",
    title: "SIGKILL to Alive, --wait-time 500",
    unit: "s",
    bound: 1.5,
    measure: async (rig) => {
      const ring = await rig.ring(watchedRing);
      const ms = await ring.heal(2);
      if (ms === undefined) throw new RingError("Processes cannot be told apart here");
      return { measured: ms / 1000 };
    },
  },
  {
    id: "idle",
    title: "idle ring with gateway and supervisor, share of a core",
    unit: "%",
    bound: 1,
    runsMax: 1,
    isLong: true,
    measure: async (rig) => {
      const { signal } = rig.options;
      const clock = new SystemClock();
      await using ring = await rig.startRing(usualRing);
      rig.options.say("leaving a ring alone");
      await clock.sleep(settleMs, signal);
      const pids = (await ring.processes()).map(({ pid }) => pid);
      if (pids.length === 0) throw new RingError("Processes cannot be told apart here");
      const [, used] = await new UsageMeter().measure(pids, () => clock.sleep(idleMs, signal));
      return { measured: 100 * used.cpuSeconds / (idleMs / 1000) };
    },
  },
];

function start(nodes: number, { bound, runsMax }: { bound: number; runsMax: number }): TableRow {
  return {
    id: `start-${nodes}`,
    title: `ring start until ready, ${nodes} nodes`,
    unit: "s",
    bound,
    runsMax,
    ...(nodes > 20 && { isLong: true }),
    measure: async (rig) => {
      await using ring = await rig.startRing({ ...usualRing, nodes });
      return { measured: ring.startMs / 1000 };
    },
  };
}
