import { assertEquals, assertRejects } from "@std/assert";
import { ClientError } from "../../src/client/client_error.ts";
import { retrying, type RetryOptions } from "../../src/client/retry.ts";
import { FakeClock } from "../support/fake_clock.ts";

const pure = { permissions: "none" } as const;

/** Runs an attempt that fails some times, on a clock of its own. */
class Stage {
  readonly clock = new FakeClock();
  readonly stopping = new AbortController();
  readonly told: string[] = [];
  tries = 0;

  run(failures: readonly Error[], forMs = 10_000): Promise<string> {
    const options: RetryOptions = {
      clock: this.clock,
      signal: this.stopping.signal,
      forMs: () => forMs,
      onRetry: (error) => this.told.push(error.message),
    };
    return retrying(() => {
      const failure = failures[this.tries++];
      return failure === undefined ? Promise.resolve("done") : Promise.reject(failure);
    }, options);
  }
}

const passing = new ClientError("no node is alive", { retryable: true });

Deno.test("retrying() tries again what has done nothing, with longer pauses", pure, async () => {
  const stage = new Stage();
  const done = stage.run([passing, passing, passing]);
  await stage.clock.advance(199);
  assertEquals(stage.tries, 1);
  await stage.clock.advance(1);
  assertEquals(stage.tries, 2);
  await stage.clock.advance(399);
  assertEquals(stage.tries, 2);
  await stage.clock.advance(1);
  assertEquals(stage.tries, 3);
  await stage.clock.advance(800);
  assertEquals(await done, "done");
  assertEquals(stage.told, Array(3).fill("no node is alive"));
});

Deno.test("retrying() gives up in time, and at once without time", pure, async () => {
  const stage = new Stage();
  const failed = assertRejects(() => stage.run(Array(100).fill(passing)), ClientError);
  await stage.clock.advance(10_000);
  await failed;
  // 0.2 + 0.4 + 0.8 s, then one a second.
  assertEquals(stage.tries, 12);
  const hasty = new Stage();
  await assertRejects(() => hasty.run([passing], 0), ClientError);
  assertEquals([hasty.tries, hasty.told], [1, []]);
});

Deno.test("retrying() does nothing twice that may have been done", pure, async () => {
  const failures = [
    new ClientError("it may be stored or not", { kind: "outcome-unknown" }),
    new TypeError("a mistake"),
  ];
  for (const failure of failures) {
    const stage = new Stage();
    const error = await assertRejects(() => stage.run([failure]));
    assertEquals([error, stage.tries], [failure, 1]);
  }
});

Deno.test("retrying() ends with the signal, while it waits too", pure, async () => {
  const stage = new Stage();
  const stopped = assertRejects(() => stage.run([passing, passing]), Error, "Ctrl-C");
  await stage.clock.advance(100);
  stage.stopping.abort(new Error("Ctrl-C"));
  await stopped;
  assertEquals(stage.tries, 1);
});
