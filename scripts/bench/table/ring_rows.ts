import { RingError } from "../ring_questions.ts";
import { usualRing } from "./ring_shape.ts";
import type { TableRow } from "./table_row.ts";

const watchedRing = { ...usualRing, waitMs: 500 };

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
