import { textTable } from "../bench/text_table.ts";
import type { ChaosOptions } from "./options.ts";
import { type OperationCount, operations, type Tally } from "./tally.ts";

/** Reasons of failed operations that are told. */
const reasonsMax = 14;

/** What a run has come to. */
export interface ChaosResult {
  readonly options: ChaosOptions;
  readonly tally: Tally;
  readonly seconds: number;
  /** The most memory that any node had, in bytes. */
  readonly peakBytes: number;
}

/** The result for people: faults, operations, and what they sum up to. */
export function renderResult({ options, tally, seconds, peakBytes }: ChaosResult): string[] {
  const { lost, wrong, compared, checks } = tally;
  const refused = sum(tally, "refused") + sum(tally, "broken");
  const worstMs = Math.max(0, ...[...tally.faults.values()].map((count) => count.worstHealMs));
  const injected = [...tally.faults.values()].reduce((total, count) => total + count.injected, 0);
  return [
    `seed ${options.seed}, ${options.nodes} nodes, ${options.durability}, ${seconds.toFixed(0)} s`,
    "",
    ...faultTable(tally),
    "",
    ...operationTable(tally),
    "",
    "why operations had no success:",
    ...[...tally.reasons].sort(([, a], [, b]) => b - a).slice(0, reasonsMax)
      .map(([reason, count]) => `${String(count).padStart(7)}  ${reason}`),
    "",
    `faults injected     ${injected}`,
    `acknowledged        ${sum(tally, "acknowledged")}`,
    `refused or broken   ${refused}`,
    `compared when quiet ${compared} in ${checks} checks`,
    `worst time to heal  ${(worstMs / 1000).toFixed(1)} s`,
    `most memory, a node ${(peakBytes / 1024 ** 2).toFixed(0)} MiB`,
    `lost                ${lost}`,
    `wrong               ${wrong}`,
  ];
}

function faultTable(tally: Tally): string[] {
  const columns = [
    { head: "fault", align: "left" },
    { head: "injected", align: "right" },
    { head: "mean s to heal", align: "right" },
    { head: "worst", align: "right" },
  ] as const;
  return textTable(
    columns,
    [...tally.faults].sort(([a], [b]) => a < b ? -1 : 1).map(([kind, count]) => [
      kind,
      String(count.injected),
      count.healed === 0 ? "" : (count.sumHealMs / count.healed / 1000).toFixed(1),
      count.healed === 0 ? "" : (count.worstHealMs / 1000).toFixed(1),
    ]),
  );
}

function operationTable(tally: Tally): string[] {
  const columns = [
    { head: "operation", align: "left" },
    { head: "tried", align: "right" },
    { head: "acknowledged", align: "right" },
    { head: "refused", align: "right" },
    { head: "broken", align: "right" },
  ] as const;
  return textTable(
    columns,
    operations.flatMap((operation) => {
      const count = tally.operations.get(operation);
      if (count === undefined) return [];
      const { tried, acknowledged, refused, broken } = count;
      return [[operation, ...[tried, acknowledged, refused, broken].map(String)]];
    }),
  );
}

function sum(tally: Tally, key: keyof OperationCount): number {
  return [...tally.operations].reduce(
    // A client that cuts its own push expects nothing.
    (total, [operation, count]) => total + (operation === "cut push" ? 0 : count[key]),
    0,
  );
}
