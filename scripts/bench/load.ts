/**
 * A load process of the benchmark: makes the clients that the lines of its standard input describe, and
 * answers on its standard output. It ends with its input, so that none outlives the benchmark. A process
 * of its own, as the time that clients take is not the benchmark's nor the ring's.
 *
 * @module
 */
import { JobClient } from "./job_client.ts";
import { type LineReader, readLines } from "./line_reader.ts";
import type { LoadAnswer, LoadDone, LoadJob } from "./load_job.ts";

if (import.meta.main) await serve(readLines(Deno.stdin.readable));

/** Does one job after the other. */
async function serve(lines: LineReader): Promise<void> {
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    const job = JSON.parse(line) as LoadJob;
    const clients = job.namePrefixes.map((_, index) => new JobClient(job, index));
    const deadline = setTimeout(() => clients.forEach((client) => client.close()), job.deadlineMs);
    try {
      await Promise.all(clients.map((client) => client.connect()));
      await answer({ kind: "ready" });
      await lines.next();
      await answer(await run(job, clients));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      await answer({ kind: "failed", reason });
    } finally {
      clearTimeout(deadline);
      clients.forEach((client) => client.close());
    }
  }
}

async function run(job: LoadJob, clients: readonly JobClient[]): Promise<LoadDone> {
  const callsMs: number[] = [];
  const sha256: string[] = [];
  const began = performance.now();
  const lastBegin = began + job.lengthMs;
  await Promise.all(clients.map(async (client) => {
    for (let call = 0; call < job.callsMax; call++) {
      const callBegan = performance.now();
      if (call > 0 && callBegan > lastBegin) break;
      const transfer = await client.call(call);
      callsMs.push(performance.now() - callBegan);
      if (transfer.sha256 !== undefined) sha256.push(transfer.sha256);
    }
  }));
  const ended = performance.now();
  return {
    kind: "done",
    callsMs,
    sha256,
    beganMs: performance.timeOrigin + began,
    endedMs: performance.timeOrigin + ended,
  };
}

async function answer(message: LoadAnswer): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
  for (let sent = 0; sent < bytes.length;) sent += await Deno.stdout.write(bytes.subarray(sent));
}
