import type { ChaosRing } from "./ring.ts";
import type { Violation } from "./violation.ts";

/** Lines that are told of each log. */
const linesPerLog = 40;

/** Lines that name the file, of each log. */
const namedLinesMax = 25;

/** Lines this long before the end of the run, in ms, are told. */
const recentMs = 10_000;

/** What the processes have logged that may explain a failure: of the file, and of the last moments. */
export async function gatherEvidence(ring: ChaosRing, violation: Violation): Promise<string[]> {
  const evidence: string[] = [];
  const pushes = violation.message.match(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g) ?? [];
  const words = violation.file === undefined ? pushes : [violation.file, ...pushes];
  await ring.copyLogs();
  for (const path of await logFiles(ring)) {
    const lines = (await Deno.readTextFile(path)).split("\n").filter((line) => line !== "");
    const named = lines.filter((line) => words.some((word) => line.includes(word)));
    const sinceMs = violation.at.getTime() - recentMs;
    const recent = lines.filter((line) => timeOf(line) >= sinceMs).slice(-linesPerLog);
    const told = [...new Set([...named.slice(-namedLinesMax), ...recent])].sort();
    if (told.length > 0) evidence.push(`--- ${path.slice(path.lastIndexOf("/") + 1)}`, ...told);
  }
  if (ring.said !== "") {
    evidence.push("--- supervisor", ...ring.said.split("\n").slice(-linesPerLog));
  }
  return evidence;
}

async function logFiles(ring: ChaosRing): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(ring.logDirectory));
  const logs = entries.filter(({ isFile }) => isFile);
  return logs.map(({ name }) => `${ring.logDirectory}/${name}`).sort();
}

function timeOf(line: string): number {
  const time = Date.parse(/^\S+/.exec(line)?.[0] ?? "");
  return Number.isNaN(time) ? -Infinity : time;
}
